"""May this message of a campaign go now? The answer for its open wave, from memory only, for tools that ask each time.

It is the gate's answer with one condition more: a wave must be open. What may go is what is left of it.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from app.core.campaign.campaign import Campaign
from app.core.campaign.pace import FULL_PERCENT
from app.core.client_profile import PLAIN, ClientProfile
from app.core.gate.answer import Answered, CampaignFacts, Request
from app.core.gate.decision import Reason, ReasonCode, Verdict
from app.core.permit.permit import NOTHING_SPENT, Permit, PermitState
from app.errors import NotFound
from app.ports import Clock
from app.ports.campaigns import Wave
from app.services.answering import Answering, Looked
from app.services.asks import Asks, Question
from app.services.campaign_book import CampaignBook
from app.services.permits import Permits
from app.services.published import Published
from app.services.reply import OK, Headers, go_until, is_go, reply, status_of
from app.services.standing import is_late

MAX_AGE_SECONDS = 5
ASK_AGAIN = timedelta(seconds=5)
MAX_KEPT_ANSWERS = 10_000


class CampaignAnswer(NamedTuple):
    """A finished answer, and the tag by which a caller asks whether it is still so (None: it is no go).

    go_until: the instant from which this go must not be given any more.
    """

    status: int
    headers: Headers
    body: bytes
    etag: bytes | None
    go_until: datetime | None


class _Seen(NamedTuple):
    """What an answer was made from. Equal ones lead to equal answers."""

    seq: int
    is_late: bool
    campaign: Campaign | None
    wave: Wave | None
    permit: Permit | None
    profile: ClientProfile


class CampaignGate:
    """Answers for campaigns' open waves. answered is told of each answer's verdict and status."""

    def __init__(
        self,
        published: Callable[[], Published],
        answering: Answering,
        book: CampaignBook,
        permits: Permits,
        *,
        asks: Asks,
        clock: Clock,
        answered: Callable[[Verdict, int], None] = lambda _verdict, _status: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._published, self._answering, self._book, self._permits = published, answering, book, permits
        self._asks, self._clock, self._answered, self._monotonic = asks, clock, answered, monotonic
        self._kept: dict[tuple[str, str], tuple[_Seen, CampaignAnswer, Callable[[], None]]] = {}

    def answer(self, asker: str, campaign_id: str, profile: ClientProfile = PLAIN) -> CampaignAnswer:
        """Return the answer for this asker (a key's id). Raises NotFound for an unknown campaign or gate."""
        seen = self._see(campaign_id, profile)
        kept = self._kept.get((asker, campaign_id))
        if kept is None or kept[0] != seen or self._is_over(kept[1]):
            kept = seen, *self._build(asker, campaign_id, seen)
            if len(self._kept) >= MAX_KEPT_ANSWERS:
                self._kept.clear()
            self._kept[asker, campaign_id] = kept
        _, answer, count = kept
        count()
        return answer

    def _see(self, campaign_id: str, profile: ClientProfile) -> _Seen:
        published, wave = self._published(), self._book.wave(campaign_id)
        permit = None
        if wave is not None and wave.ended_at is None:
            live = self._permits.of_campaign(campaign_id)
            permit = next((each for each in live if each.id == wave.permit_id), None)
        late = is_late(published, self._monotonic())
        return _Seen(published.seq, late, self._book.known(campaign_id), wave, permit, profile)

    def _is_over(self, answer: CampaignAnswer) -> bool:
        return answer.go_until is not None and self._clock.now() >= answer.go_until

    def _build(self, asker: str, campaign_id: str, seen: _Seen) -> tuple[CampaignAnswer, Callable[[], None]]:
        facts = self._facts(campaign_id)
        looked, permit = self._look(facts, seen)
        status, go = status_of(looked, seen.profile), is_go(looked)
        # An audience of 0 nobody can ask about: the answers of this address have lines of their own in the log.
        ask = self._asks.tell(asker, Question(facts.gate, 0, campaign_id, accept_partial=True), looked, status)
        left = permit.outstanding if permit is not None and go else None
        members: dict[str, object] = {
            "campaign_state": facts.state,
            "wave": seen.wave.number if permit is not None and seen.wave is not None else None,
            "permit_id": permit.id if permit is not None else None,
            "must_stop": not go,
        }
        if left is not None:
            members["allow"] = left
        answer = reply(
            looked,
            ask.row.id,
            self._clock.wall_seconds,
            profile=seen.profile,
            members=members,
            max_age_seconds=MAX_AGE_SECONDS if go else 0,
        )
        etag = f'W/"{ask.row.id}.{members["permit_id"]}.{left}"'.encode() if go and status == OK else None
        until = _until(looked, permit) if go else None
        at, verdict = self._published().at, looked.answered.verdict

        def count() -> None:
            self._asks.count(ask, at)
            self._answered(verdict, status)

        headers = [*answer.headers, (b"etag", etag)] if etag else answer.headers
        return CampaignAnswer(status, headers, answer.body, etag, until), count

    def _facts(self, campaign_id: str) -> CampaignFacts:
        facts = self._book.fact(campaign_id, NOTHING_SPENT)
        if facts is None:
            raise NotFound(f"there is no campaign {campaign_id!r}")
        return replace(facts, wave_limit=None)

    def _look(self, facts: CampaignFacts, seen: _Seen) -> tuple[Looked, Permit | None]:
        """Return the answer, and the permit that may be sent under; caps were counted when that was given."""
        one = Request(1, accept_partial=True, campaign=facts.id, facts=facts)
        looked = self._answering.look(facts.gate, one, NOTHING_SPENT)
        permit = seen.permit
        if is_go(looked):
            if permit is None or permit.state is not PermitState.ACTIVE or looked.at >= permit.expires_at:
                permit = None
            if permit is None or permit.outstanding == 0:
                looked = looked._replace(answered=self._no_wave(seen.campaign, facts, looked.at))
            else:
                looked = looked._replace(answered=replace(looked.answered, allow=permit.allowed))
        return looked._replace(request=replace(one, audience=None)), permit

    def _no_wave(self, campaign: Campaign | None, facts: CampaignFacts, now: datetime) -> Answered:
        """Return the hold of a campaign whose gate would let it go, while none of its waves is open."""
        earliest = self._book.next_wave_at(campaign) if campaign is not None else None
        code, said = self._why_no_wave(facts.id)
        if earliest is not None and earliest > now:
            said = f"{said}; the next may open at {earliest:%H:%M:%S} UTC"
        retry_at = max(now + ASK_AGAIN, earliest or now)
        return Answered(Verdict.HOLD, 0, (Reason(code, said, binding=True),), None, retry_at)

    def _why_no_wave(self, campaign_id: str) -> tuple[ReasonCode, str]:
        if self._book.wave(campaign_id) is None:
            return ReasonCode.CAMPAIGN_NOT_STARTED, f"the first wave of campaign {campaign_id!r} is not open yet"
        if self._book.pace(campaign_id).percent < FULL_PERCENT:
            said = f"campaign {campaign_id!r} goes in small waves after a hold, and none is open now"
            return ReasonCode.CAMPAIGN_PROBING, said
        return ReasonCode.CAMPAIGN_BETWEEN_WAVES, f"no wave of campaign {campaign_id!r} is open now"


def _until(looked: Looked, permit: Permit | None) -> datetime:
    until = go_until(looked)
    return until if permit is None else min(until, permit.expires_at)
