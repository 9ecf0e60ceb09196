"""Debriefs for tests: a queue with weeks of history, and a campaign of known size put into its last day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection

from app.core.debrief.question import Measured, Question, QueueFacts, Release, Send, Subject, Timeline
from app.core.debrief.window import STEP
from app.core.floor.flow import FlowDelta
from app.core.floor.metric import Metric
from app.core.floor.rollup import RollupDelta
from app.core.forecast.calendar import Calendar
from app.core.forecast.response import Response, Sent, sent_curve
from app.core.forecast.series import FloatArray
from app.core.staffing.hours import open_minutes
from app.store.flows import add_flows
from app.store.rollups import add_rollups
from tests.support.campaigning import KIM, announce
from tests.support.whole import Whole

FIRST = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)  # a Wednesday
DAY_STEPS = 288
WEEKS = 10
SUBJECT = Subject("spring", "Spring sale", "offer", "default", "done", 50_000, 50_000, 0, 5.0, "as its kind did before")
RELEASE = Release(permits=1, permitted=50_000, pauses=0, refusals=0, waves=(), overrides=())


def a_day(per_step: float) -> FloatArray:
    """Return what a day usually brings per step: a hump between 8 and 20 h, nothing at night."""
    hour = np.arange(DAY_STEPS) / 12
    return np.where((hour >= 8) & (hour < 20), per_step * (0.6 + 0.4 * np.sin((hour - 8) / 12 * np.pi)), 0.0)


def a_history(per_step: float, until: datetime, seed: int = 1) -> Timeline:
    """Return weeks of Poisson counts up to `until`; each day has its own level."""
    dice = np.random.default_rng(seed)
    start = (until - timedelta(weeks=WEEKS)).replace(hour=0, minute=0)
    steps = (until - start) // STEP
    days = -(-steps // DAY_STEPS)
    levels = np.repeat(dice.normal(1.0, 0.03, days), DAY_STEPS)
    counts = dice.poisson(np.tile(a_day(per_step), days) * levels)[:steps]
    return Timeline(start, tuple(float(count) for count in counts))


def a_question(per_1000: float = 10.0, sends: tuple[Send, ...] | None = None, **members: Any) -> Question:
    """Return a question about one queue into which a campaign of so many contacts per 1,000 was put."""
    sends = sends or (Send(FIRST, 50_000),)
    until = sends[-1].at + timedelta(hours=4)
    history = a_history(members.pop("per_step", 60.0), until, members.pop("seed", 1))
    steps = (until - FIRST) // STEP
    given = Question(
        subject=SUBJECT,
        at=until,
        is_final=False,
        time_zone="UTC",
        sends=sends,
        outstanding=0,
        release=RELEASE,
        queues=(a_queue(with_contacts(history, sends, per_1000), steps),),
    )
    return replace(given, **members)


def a_queue(came_in: Timeline, steps: int, **members: Any) -> QueueFacts:
    """Return the facts of a queue with enough agents, in whose window nothing was measured but the contacts."""
    nothing = (None,) * steps
    queue = QueueFacts(
        queue="orders-voice",
        calendar=Calendar(),
        came_in=came_in,
        lifted=(),
        share=1.0,
        agents=(66.0,) * steps,
        handle_seconds=300.0,
        patience_seconds=240.0,
        busy=55,
        waiting=0,
        target_seconds=20.0,
        measured=Measured(nothing, nothing, nothing, nothing, nothing),
    )
    return replace(queue, **members)


def with_contacts(history: Timeline, sends: tuple[Send, ...], per_1000: float, seed: int = 5) -> Timeline:
    """Return the history with the contacts that these sends bring, each a Poisson number around what is expected."""
    start = FIRST
    steps = len(history.values) - (start - history.start) // STEP
    placed = [Sent((send.at - start).total_seconds() // 60, send.messages) for send in sends]
    curve = sent_curve(Response(), open_minutes(None, start, steps * 5), placed)
    brought = np.random.default_rng(seed).poisson(curve.reshape(-1, 5).sum(axis=1) * 60 * per_1000 / 1000)
    values = list(history.values)
    for place, contacts in enumerate(brought, len(values) - steps):
        values[place] = (values[place] or 0.0) + float(contacts)
    return Timeline(history.start, tuple(values))


# --- in a whole holdfire ---


async def a_past(whole: Whole, until: datetime, per_step: float = 60.0, queue: str = "orders-voice") -> None:
    """Write down five weeks of a queue's flows up to `until`, by the hour of the day."""
    begin = (until - timedelta(weeks=5)).replace(hour=0, minute=0)
    dice = np.random.default_rng(2)
    counts = dice.poisson(np.tile(a_day(per_step), 40)[: (until - begin) // STEP])
    flows = [
        a_flow(queue, begin + place * STEP, count, abandoned=0.05 * count, wait_seconds=9.0 * count)
        for place, count in enumerate(counts.tolist())
    ]
    await whole.store.database.write(lambda connection: add_flows(connection, flows))


def a_flow(queue: str, at: datetime, count: float, **members: float) -> FlowDelta:
    """Return one entry of a queue's flows: so many came, and were handled for five minutes each."""
    sums = dict.fromkeys(FlowDelta._fields[2:], 0.0) | members
    sums |= {"offered": count, "answered": count, "handled": count, "handle_seconds": 300.0 * count}
    return FlowDelta(queue, at, **sums)


def brought(per_1000: float, steps: int) -> FloatArray:
    """Return the contacts per step after 50,000 messages at once, so many per 1,000."""
    curve = sent_curve(Response(), open_minutes(None, FIRST, steps * 5), [Sent(0, 50_000)])
    contacts: FloatArray = curve.reshape(-1, 5).sum(axis=1) * 60 * per_1000 / 1000
    return contacts


async def a_window(
    whole: Whole, start: datetime, steps: int, contacts: FloatArray, queue: str = "orders-voice"
) -> None:
    """Write down what came from `start` on, and the queue's own figures: 66 agents, eight in ten in time, 12 s."""
    flows, gains = [], []
    for place, count in enumerate(contacts[:steps].tolist()):
        at = start + place * STEP
        flows.append(a_flow(queue, at, count, abandoned=1.0, wait_seconds=12.0 * count))
        for metric, weight, value in (
            (Metric.AGENTS_STAFFED, 1, 66.0),
            (Metric.CONTACTS_IN_PROGRESS, 1, 55.0),
            (Metric.BACKLOG, 1, 2.0),
            (Metric.SERVICE_LEVEL_RATIO, count, 0.8),
            (Metric.SPEED_TO_ANSWER_SECONDS, count, 12.0),
        ):
            gains.append(RollupDelta(queue, metric, at, weight, weight * value, None, None, None, None))

    def write(connection: Connection) -> None:
        add_flows(connection, flows)
        add_rollups(connection, gains)

    await whole.store.database.write(write)


async def a_sent_campaign(whole: Whole, audience: int = 50_000, **members: Any) -> None:
    """Announce a campaign, let it go at once, and report all of it as sent."""
    await announce(whole, audience=audience, **members)
    await whole.quiet()
    await whole.services.releases.advance()
    (permit,) = whole.services.permits.of_campaign("spring")
    await whole.services.permits.report(permit.id, permit.allowed, KIM)
    await whole.services.releases.advance()
