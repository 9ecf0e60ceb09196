"""A contact center with a past, written into a data folder for a server to open: campaigns, and their debriefs.

`autumn` went four days ago in waves, with tagged contacts, an override and value figures; its debrief is final.
`spring` went two hours ago, all at once, and its contacts still come. `cart` waits for its gate, `terms` is a draft.
Further ones have lines on the scoreboard alone, as if they had been debriefed long ago.
"""

import asyncio
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from app.core.campaign.campaign import Campaign, CampaignState
from app.core.campaign.value import Source
from app.core.debrief.score import Score
from app.core.debrief.window import STEP, floored
from app.core.event import Actor, EventType
from app.core.floor.metric import Metric
from app.core.floor.observation import Observation
from app.core.floor.rollup import RollupDelta
from app.core.forecast.response import Response, Sent, sent_curve
from app.core.forecast.series import FloatArray
from app.core.gate.override import Effect
from app.core.permit.permit import PermitState
from app.core.staffing.hours import open_minutes
from app.services.debriefs import kept_of
from app.services.override_draft import OverrideDraft
from app.store.flows import add_flows
from app.store.rollups import add_rollups
from tests.support.builders import a_contact, an_event, an_observation
from tests.support.campaigning import KIM, draft, schedule
from tests.support.debriefing import a_flow
from tests.support.whole import Whole, a_whole

ZONE = "America/Chicago"
HANDLE_SECONDS = 300.0
QUEUES = {"orders-voice": (42.0, 53, 0.75), "billing-voice": (16.0, 24, 0.25)}  # per step, agents, share
MIX = {queue: share for queue, (_, _, share) in QUEUES.items()}
DAYS = 30
AUTUMN, AUTUMN_WAVE, AUTUMN_RATE = 60_000, 20_000, 14.0
SPRING, SPRING_RATE = 30_000, 22.0
MOST_WAVES, WINDOW_STEPS = 7, 100
AHEAD = timedelta(hours=1)  # for who looks at it a while after it was written
POLICY: dict[str, Any] = {
    "time_zone": ZONE,
    "rules": [
        {"metric": "backlog", "hold_above": 12, "resume_below": 6},
        {"metric": "service_level_ratio", "hold_below": 0.7, "resume_above": 0.8, "window_seconds": 300},
        {"metric": "speed_to_answer_seconds", "hold_above": 45, "resume_below": 30, "window_seconds": 300},
    ],
    "stale_after_seconds": 600,
    "notice_minutes": 120,
}
REASONS = ("complaint", "where is my voucher", "price", "delivery time", "price", "", "where is my voucher", "price")
DANA = Actor("usr_dana", "Dana Reyes")


def a_center(folder: Path, now: datetime | None = None) -> datetime:
    """Write it into a folder, in a thread of its own, and return the instant it is as of: five minutes' beginning."""
    now = floored(now or datetime.now(UTC))
    with ThreadPoolExecutor(1) as elsewhere:  # where a browser is driven, the event loop runs already
        elsewhere.submit(asyncio.run, _written(folder, now)).result()
    return now


async def _written(folder: Path, now: datetime) -> None:
    autumn_at, spring_at = now - timedelta(days=4), now - timedelta(hours=2, minutes=10)
    async with a_whole(folder, auth="off", now=autumn_at - timedelta(hours=26)) as whole:
        past = Past(whole, floored(now - timedelta(days=DAYS)).replace(hour=0, minute=0), now)
        await past.write()
        await whole.policy(**POLICY)
        await _autumn(past, autumn_at)
        await _spring(past, spring_at)
        await _others(whole, now)
        whole.clock.move((now - whole.clock.now()).total_seconds())
        await whole.services.debriefs.look()


# --- what came --------------------------------------------------------------------------------------------------------


class Past:
    """What came to each queue per five minutes from start on, and how it stood then."""

    def __init__(self, whole: Whole, start: datetime, now: datetime) -> None:
        self.whole, self.start, self.now = whole, start, now
        steps = (now + AHEAD - start) // STEP
        self.counts = {
            queue: _usual(per_step, start, steps, np.random.default_rng(place))
            for place, (queue, (per_step, _, _)) in enumerate(QUEUES.items())
        }

    async def write(self) -> None:
        """Write down what came anyway."""
        for queue, counts in self.counts.items():
            await self._write_flows(queue, counts)

    async def bring(self, campaign: str, per_1000: float) -> None:
        """Write down what a campaign brings from its first message on, and how the queues stood from then on."""
        sendings = await self.whole.store.permits.sendings(self.start, campaign=campaign)
        first = sendings[0].minute_at
        sends = [Sent((each.minute_at - first).total_seconds() // 60, each.messages) for each in sendings]
        begin = (floored(first) - self.start) // STEP
        gains: list[RollupDelta] = []
        for queue, (_, agents, share) in QUEUES.items():
            counts = self.counts[queue]
            curve = sent_curve(Response(), open_minutes(None, first, (len(counts) - begin) * 5), sends)
            expected = curve.reshape(-1, 5).sum(axis=1) * 60 * per_1000 * share / 1000
            extra = np.concatenate([np.zeros(begin), np.random.default_rng(7).poisson(expected)])
            counts += extra
            await self._write_flows(queue, extra)
            for place in range(begin - 1, min(len(counts), begin + WINDOW_STEPS)):
                gains += _gains(queue, self.start + place * STEP, counts[place], agents)
        await self.whole.store.database.write(lambda connection: add_rollups(connection, gains))

    async def _write_flows(self, queue: str, counts: FloatArray) -> None:
        flows = [
            a_flow(queue, self.start + place * STEP, float(count), abandoned=0.02 * count, wait_seconds=6.0 * count)
            for place, count in enumerate(counts)
            if count
        ]
        await self.whole.store.database.write(lambda connection: add_flows(connection, flows))


def _usual(per_step: float, start: datetime, steps: int, dice: np.random.Generator) -> FloatArray:
    """Return what comes anyway: a little more by day than by night, each day with its own level."""
    hours = (np.arange(steps) / 12 + start.hour) % 24
    level = np.repeat(dice.normal(1.0, 0.02, steps // 288 + 1), 288)[:steps]
    counts: FloatArray = dice.poisson(per_step * level * (1 + 0.12 * np.sin((hours - 9) / 24 * 2 * math.pi))).astype(
        float
    )
    return counts


def _gains(queue: str, at: datetime, count: float, agents: int) -> Iterator[RollupDelta]:
    """Yield the queue's own figures of five minutes: the fuller its agents, the worse."""
    busy = min(1.3, count * HANDLE_SECONDS / 300 / agents)
    answer = 1.0 + 170.0 * max(0.0, busy - 0.9) ** 1.3
    level = max(0.0, 0.985 - 1.8 * max(0.0, busy - 0.93))
    for metric, weight, value in (
        (Metric.AGENTS_STAFFED, 1.0, float(agents)),
        (Metric.CONTACTS_IN_PROGRESS, 1.0, float(round(min(busy, 1.0) * agents))),
        (Metric.BACKLOG, 1.0, round(answer * count / 300, 1)),
        (Metric.SERVICE_LEVEL_RATIO, count, level),
        (Metric.SPEED_TO_ANSWER_SECONDS, count, answer),
    ):
        yield RollupDelta(queue, metric, at, weight, weight * value, None, None, None, None)


# --- what was sent ----------------------------------------------------------------------------------------------------


async def _report(whole: Whole, backlog: int = 0) -> None:
    """Report every queue as of now, and evaluate."""
    at = whole.clock.now()
    await whole.tell(*(_observed(queue, at, agents, backlog) for queue, (_, agents, _) in QUEUES.items()))


def _observed(queue: str, at: datetime, agents: int, backlog: int) -> Observation:
    offered, busy = agents // 2, round(agents * 0.7)
    return an_observation(
        queue, at, backlog=backlog, agents_staffed=agents, agents_busy=busy, agents_available=agents - busy,
        contacts_in_progress=busy, window_seconds=300, offered=offered, answered=offered, abandoned=0,
        answered_within_target=offered, wait_seconds_sum=4.0 * offered, handle_seconds_sum=HANDLE_SECONDS * offered,
    )  # fmt: skip


async def _look_ahead(whole: Whole) -> None:
    await whole.services.outlooks.look(whole.services.evaluator.published.gates["default"])


async def _send_all(whole: Whole, campaign: str) -> None:
    """Let its gate open the next wave, and report all of it as sent."""
    for _ in range(3):  # it becomes due, is released, and its wave opens
        await whole.services.releases.advance()
        await whole.evaluate()
    for permit in whole.services.permits.of_campaign(campaign):
        if permit.state is PermitState.ACTIVE:
            await whole.services.permits.report(permit.id, permit.allowed, KIM)
    await whole.services.releases.advance()


async def _autumn(past: Past, at: datetime) -> None:
    """Announce it a day before; its gate holds it for 25 minutes; then waves, the third under an override."""
    whole, due = past.whole, at - timedelta(minutes=25)
    plan = {"mode": "waves", "audience_per_wave": AUTUMN_WAVE, "wave_gap_seconds": 1_800}
    whole.clock.move(60)
    await draft(
        whole, "autumn", title="Autumn catalogue", audience=AUTUMN, release=plan, kind="offer",
        earliest_start=due.isoformat(), contacts_per_1000=9.0, queue_mix=MIX,
    )  # fmt: skip
    await schedule(whole, "autumn")
    whole.clock.move((due - whole.clock.now()).total_seconds())
    await _report(whole, backlog=40)
    await whole.services.releases.advance()
    whole.clock.move((at - whole.clock.now()).total_seconds())
    for wave in range(MOST_WAVES):
        if wave == 2:
            await _allow(whole)
        await _report(whole)
        if wave == 0:
            await _look_ahead(whole)
        await _send_all(whole, "autumn")
        whole.clock.move(1_800)
    await past.bring("autumn", AUTUMN_RATE)
    await _tag(whole, "autumn", at, 330)
    whole.clock.move(86 * 3_600)
    await whole.services.debriefs.look()
    figures = {"new": 1_240, "lost": 310, "kept": 95, "value_per_customer": 42.5, "currency": "EUR"}
    await whole.services.values.save("autumn", figures, DANA, Source.FORM, expected=0)


async def _allow(whole: Whole) -> None:
    given = OverrideDraft(Effect.ALLOW, "Agreed with the floor: the second team is in.", duration_minutes=45)
    await whole.services.overrides.create("default", given, DANA)


async def _tag(whole: Whole, campaign: str, at: datetime, contacts: int) -> None:
    """Count so many contacts that named a campaign, more of them soon after it than later."""
    events = []
    for number in range(contacts):
        name, seconds = f"{campaign}-{number}", 240 * 60 * (number / contacts) ** 1.5
        channel, reason = ("voice", "chat")[number % 5 == 0], REASONS[number % len(REASONS)]
        queue = "billing-voice" if number % 4 == 0 else "orders-voice"
        events.append(
            a_contact(
                "queued",
                at + timedelta(seconds=seconds),
                name,
                queue,
                campaign=campaign,
                channel=channel,
                reason=reason or None,
            )
        )
    tallies = whole.store.tallies
    await tallies.count(events, await tallies.position(), whole.clock.now())


async def _spring(past: Past, at: datetime) -> None:
    """Announce it three hours before, and let all of it go at once."""
    whole = past.whole
    whole.clock.move((at - timedelta(hours=3) - whole.clock.now()).total_seconds())
    await draft(
        whole, "spring", title="Spring sale: 20 % off everything until Sunday", audience=SPRING, kind="offer",
        earliest_start=at.isoformat(), queue_mix=MIX, release={"mode": "when-ready"},
    )  # fmt: skip
    await schedule(whole, "spring")
    whole.clock.move((at - whole.clock.now()).total_seconds())
    await _report(whole)
    await _look_ahead(whole)
    await _send_all(whole, "spring")
    await past.bring("spring", SPRING_RATE)
    await _tag(whole, "spring", at, 90)


# --- what else there is -----------------------------------------------------------------------------------------------


async def _others(whole: Whole, now: datetime) -> None:
    await draft(whole, "terms", title="New terms and conditions", audience=80_000)
    await draft(whole, "cart", title="Cart reminder", audience=6_000, kind="offer", release={"mode": "when-ready"})
    await schedule(whole, "cart")
    for score in past_scores(now):
        await _done(whole, score)
    lost = {"new": 40, "lost": 910, "kept": 0, "value_per_customer": 42.5, "currency": "EUR"}
    await whole.services.values.save("prices", lost, DANA, Source.FILE, expected=0)
    await whole.services.values.save("newsletter-44", {"new": 12, "lost": 60}, DANA, Source.API, expected=0)


async def _done(whole: Whole, score: Score) -> None:
    """Write down a campaign that is over, with its line."""
    campaign = Campaign(
        score.campaign, score.title, score.gate, max(1, score.messages), "Kim", score.began_at, kind=score.kind,
        state=CampaignState.DONE, announced_at=score.began_at, started_at=score.began_at, ended_at=score.began_at,
    )  # fmt: skip
    await whole.store.campaigns.add_campaign(campaign, an_event(EventType.CAMPAIGN_CREATED, score.began_at))
    await whole.store.scores.put_scores([kept_of(score)])


def past_scores(now: datetime) -> list[Score]:
    """Return the lines of campaigns long ago: no news, bad news, and one of which little is known."""
    at = now - timedelta(days=20)
    prices = Score(
        "prices", "Prices from January", "default", "price_change", at, is_final=True, messages=120_000,
        contacts=2_870.0, per_1000=31.4, per_1000_low=28.2, per_1000_high=34.6, is_distinguishable=True,
        slam_minutes=185.0, avoided_minutes=-10.0, wanted_at=at - timedelta(minutes=95), granted_at=at,
        notice_asked_minutes=240.0, notice_minutes=30.0, is_briefed=False, reasons=(("complaint", 402), ("price", 811)),
    )  # fmt: skip
    earlier = at - timedelta(days=12)
    quiet = replace(
        prices, campaign="newsletter-44", title="Newsletter, week 44", kind="newsletter", began_at=earlier,
        messages=64_000, contacts=14.0, per_1000=0.3, per_1000_low=-1.9, per_1000_high=2.5, is_distinguishable=False,
        slam_minutes=0.0, avoided_minutes=None, wanted_at=earlier, granted_at=earlier, notice_minutes=1_500.0,
        is_briefed=True, reasons=None,
    )  # fmt: skip
    little = Score(
        "import-07", "Imported before history", "default", "", at - timedelta(days=30), is_final=True, messages=9_000
    )
    return [prices, quiet, little]
