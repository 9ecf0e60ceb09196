"""Debriefs: what each campaign did, as of now while contacts still come, and once for good when they are over.

Every few minutes the campaigns under way are looked at, so that what they bring is known to the forecasts, and those
that are over get their final debrief: kept with all that it was made from, it is what the next of its kind is expected
by. Computed away from who asks.
"""

import asyncio
import logging
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import numpy as np

from app.core.campaign.campaign import ENDED, Campaign
from app.core.campaign.machine import event
from app.core.debrief.debrief import Debrief
from app.core.debrief.lesson import Lesson
from app.core.debrief.make import TooSoon, debrief
from app.core.debrief.question import Question
from app.core.debrief.score import Score, score_of
from app.core.event import HOLDFIRE, Event, EventType
from app.core.forecast.kernel import Kernel
from app.errors import HoldfireError, NotFound
from app.ports.clock import Clock
from app.ports.computing import Computing
from app.ports.learning import DebriefStore, KeptDebrief, Lift
from app.ports.scores import KeptScore, ScoreStore
from app.services.campaigns import Campaigns, Impossible
from app.services.debrief_inputs import DebriefInputs, Underway

log = logging.getLogger(__name__)

EVERY_SECONDS = 300.0
GOOD_FOR = timedelta(seconds=60)
RESPONSE_HOURS = 72
OVER_SHARE = 0.95
LOOKED_BACK = timedelta(days=14)
SCORED_AT_ONCE = 100
_encoder = msgspec.json.Encoder()


class _Made(NamedTuple):
    """A debrief as of an instant, JSON-ready, what it teaches so far, and its line on the scoreboard."""

    at: datetime
    document: Mapping[str, Any]
    lesson: Lesson
    score: KeptScore


class Debriefs:
    """Makes and keeps debriefs."""

    def __init__(
        self,
        inputs: DebriefInputs,
        store: DebriefStore,
        scores: ScoreStore,
        campaigns: Campaigns,
        *,
        computing: Computing,
        clock: Clock,
    ) -> None:
        self._inputs, self._store, self._scores = inputs, store, scores
        self._campaigns, self._learning = campaigns, inputs.learning
        self._computing, self._clock = computing, clock
        self._made: dict[str, _Made] = {}
        self._settled: set[str] = set()  # campaigns that need no looking at any more

    async def of(self, campaign_id: str) -> Mapping[str, Any]:
        """Return a campaign's debrief, JSON-ready: the final one, or as of now, at most a minute old.

        Raises NotFound, or Impossible while nothing of it was sent or its first five minutes are not over; NotComputed.
        """
        campaign = await self._campaigns.find(campaign_id)
        kept = await self._store.debrief(campaign_id)
        if kept is not None:
            return kept.document
        made = self._made.get(campaign_id)
        if made is None or not timedelta(0) <= self._clock.now() - made.at < GOOD_FOR:
            made = await self._make_now(campaign)
        return made.document

    async def again(self, campaign_id: str) -> tuple[Mapping[str, Any], bool]:
        """Return a final debrief made again from what it was made of, and whether it says the same. Raises NotFound."""
        kept = await self._store.debrief(campaign_id)
        if kept is None:
            raise NotFound(f"campaign {campaign_id!r} has no final debrief yet")
        question = await asyncio.to_thread(_unpacked, kept.inputs)
        found, _ = await self._computing.run(debrief, question)
        document = document_of(found)
        return document, says(document, kept.document)

    async def run(self, stop: asyncio.Event) -> None:
        """Look at every campaign that needs it every five minutes, until `stop` is set. Faults are logged."""
        while not stop.is_set():
            try:
                await self.look()
            except (HoldfireError, OSError) as fault:
                log.warning("debriefs_not_made", extra={"error": str(fault)})
            except Exception:
                log.exception("debriefs_failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY_SECONDS)

    async def look(self) -> None:
        """Learn from what is under way, and debrief for good what is over."""
        if not self._settled:
            self._settled = await self._store.debriefed()
        now = self._clock.now()
        for name in await self._recent(now):
            try:
                await self._look_at(await self._campaigns.find(name), now)
            except (TooSoon, NotFound):
                continue
            except (HoldfireError, ValueError) as fault:
                log.warning("debrief_not_made", extra={"campaign": name, "error": str(fault)})
        await self._score_kept()
        self._made = {name: made for name, made in self._made.items() if now - made.at < GOOD_FOR}

    async def _score_kept(self) -> None:
        """Give a line on the scoreboard to every final debrief that has none yet."""
        for name in await self._scores.unscored(SCORED_AT_ONCE):
            kept = await self._store.debrief(name)
            if kept is not None:
                found = await asyncio.to_thread(msgspec.convert, kept.document, Debrief)
                await self._scores.put_scores([kept_of(score_of(found))])

    async def _recent(self, now: datetime) -> list[str]:
        """Return what was sent lately and has no final debrief: campaigns, and names that no campaign has."""
        sendings = await self._inputs.permits.sendings(now - LOOKED_BACK)
        known = {sending.campaign for sending in sendings if sending.campaign is not None}
        return sorted(known - self._settled)

    async def _look_at(self, campaign: Campaign, now: datetime) -> None:
        sent = await self._inputs.sent(campaign.id)
        if not sent.sends:
            if campaign.state in ENDED:
                self._settled.add(campaign.id)
            return
        if not is_over(campaign, sent, self._learning.kernel(), now):
            made = await self._make(campaign, sent, now)
            self._learning.watch(made.lesson)
            await self._scores.put_scores([made.score])
            return
        await self._finish(campaign, sent, now)

    async def _make_now(self, campaign: Campaign) -> _Made:
        sent = await self._inputs.sent(campaign.id)
        if not sent.sends:
            raise Impossible(f"nothing of campaign {campaign.id!r} was sent yet, so there is nothing to debrief")
        try:
            return await self._make(campaign, sent, self._clock.now())
        except TooSoon as fault:
            raise Impossible(str(fault)) from fault

    async def _make(self, campaign: Campaign, sent: Underway, now: datetime) -> _Made:
        question = await self._inputs.question(campaign, sent, now, is_final=False)
        found, lesson = await self._computing.run(debrief, question)
        made = self._made[campaign.id] = _Made(now, document_of(found), lesson, kept_of(score_of(found)))
        return made

    async def _finish(self, campaign: Campaign, sent: Underway, now: datetime) -> None:
        """Make and keep a final debrief; the next of its kind is expected by it from then on."""
        question = await self._inputs.question(campaign, sent, now, is_final=True)
        found, lesson = await self._computing.run(debrief, question)
        kept = KeptDebrief(
            campaign=campaign.id,
            made_at=now,
            document=document_of(found),
            inputs=await asyncio.to_thread(_packed, question),
            lesson=msgspec.to_builtins(lesson),
            lifts=[Lift(campaign.id, each.queue, each.start, each.contacts) for each in lesson.lifts],
        )
        await self._store.save_debrief(kept, _told(campaign, found, now))
        await self._score_kept()
        self._settled.add(campaign.id)
        self._made.pop(campaign.id, None)
        await self._learning.load()


def is_over(campaign: Campaign, sent: Underway, kernel: Kernel, now: datetime) -> bool:
    """Return whether a campaign's contacts have come: it has ended, and 95 % of them, or 72 hours, are over."""
    if campaign.state not in ENDED or sent.outstanding:
        return False
    shares = np.cumsum(kernel.masses)
    minutes = int(np.searchsorted(shares, OVER_SHARE * shares[-1]))
    return now - sent.sends[-1].at >= min(timedelta(minutes=minutes), timedelta(hours=RESPONSE_HOURS))


def _packed(question: Question) -> bytes:
    return zlib.compress(_encoder.encode(question))


def _unpacked(inputs: bytes) -> Question:
    return msgspec.json.decode(zlib.decompress(inputs), type=Question)


def says(document: Any, kept: Any) -> bool:
    """Return whether a document says all that a kept one says; it may have members that were not told of then."""
    if isinstance(document, dict) and isinstance(kept, dict):
        return all(name in document and says(document[name], each) for name, each in kept.items())
    if isinstance(document, list) and isinstance(kept, list):
        return len(document) == len(kept) and all(map(says, document, kept))
    return bool(document == kept)


def kept_of(score: Score) -> KeptScore:
    """Return a line of the scoreboard as it is kept."""
    document: dict[str, Any] = msgspec.json.decode(_encoder.encode(score))
    return KeptScore(score.campaign, score.began_at, score.is_final, document)


def document_of(found: Debrief) -> dict[str, Any]:
    """Return a debrief as JSON has it."""
    document: dict[str, Any] = msgspec.json.decode(_encoder.encode(found))
    return document


def _told(campaign: Campaign, found: Debrief, now: datetime) -> Event:
    best = found.contacts.headline
    after = {
        "contacts": None if best is None else round(best.contacts),
        "contacts_low": None if best is None else round(best.low),
        "contacts_high": None if best is None else round(best.high),
        "contacts_per_1000": None if best is None else round(best.per_1000, 2),
        "method": None if best is None else best.method.value,
        "sent": found.sent.messages,
        "read_at": f"/api/v1/campaigns/{campaign.id}/debrief",
    }
    return event(EventType.CAMPAIGN_DEBRIEFED, campaign, HOLDFIRE, found.contacts.said, now, after=after)
