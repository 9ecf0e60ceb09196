"""Reads what charts need: the metrics' history, the policy's rules, the verdicts, and what happened meanwhile."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.core.floor.metric import Metric
from app.core.gate.rule import Rule
from app.ports.history import HistoryPoint
from app.services.container import Services
from app.services.published import GateState
from app.web.history.charts import SHUT, Chart
from app.web.history.choice import DAY, DRAWN, Behind, Choice, Layer
from app.web.history.marks import Mark, gaps, of_grants, of_notes, of_overrides, of_policies
from app.web.now.views import stale_after_of, zone_of
from app.web.outlook.chart import METRICS as PREDICTED
from app.web.outlook.chart import Ahead
from app.web.spans import Span, verdict_spans, visible

MOST_TURNS = 5_000
MOST_NOTES = MOST_CHANGES = 200
WIDTH = 200  # about as many spans can be told apart side by side
Courses = Mapping[Metric, Sequence[HistoryPoint]]


class Charts(NamedTuple):
    """The charts of one queue, and what is true of all of them."""

    charts: Sequence[Chart]
    spans: Sequence[Span]
    marks: Sequence[Mark]


async def charts_of(
    services: Services,
    state: GateState,
    choice: Choice,
    metrics: Sequence[Metric] = DRAWN,
    *,
    ahead: Ahead | None = None,
    zone: ZoneInfo | None = None,
) -> Charts:
    """Return all that the charts of a choice show, up to now.

    ahead: the gate's outlook of that queue, where it is to be drawn. zone: for whom times are written; None: the
    center's own.
    """
    now, own_zone = services.clock.now(), zone_of(state)
    look = _Look(services, state, choice, metrics, choice.begins(now, own_zone), now)
    until = now if ahead is None else min(ahead.until, now + choice.chosen.length)
    days = [day for day in choice.chosen.behind if day in choice.behind]
    reading = asyncio.gather(*(look.earlier(_back(now, day, own_zone), until) for day in days))
    courses, spans, earlier = await asyncio.gather(look.courses(), look.spans(), reading)
    behind = dict(zip(days, earlier, strict=True))
    marks = await look.marks(courses)
    shut = visible([span for span in spans if span.verdict in SHUT], (now - look.start) / WIDTH)
    charts = [
        Chart(
            queue=choice.queue,
            title=_title(services, choice.queue),
            metric=metric,
            start=look.start,
            until=now,
            end=until,
            step_seconds=choice.chosen.step_seconds,
            points=courses[metric],
            rule=rule_of(state, metric),
            spans=shut if choice.shows(Layer.HELD) else (),
            zone=zone or own_zone,
            marks=marks,
            behind={day: found[metric] for day, found in behind.items()},
            ahead=ahead if ahead is not None and metric in PREDICTED else None,
            hidden=choice.hidden,
        )
        for metric in metrics
    ]
    return Charts(charts, spans, marks)


@dataclass(frozen=True, slots=True)
class _Look:
    """Reads one span of one queue, from start until now."""

    services: Services
    state: GateState
    choice: Choice
    metrics: Sequence[Metric]
    start: datetime
    now: datetime

    @property
    def step(self) -> timedelta:
        return timedelta(seconds=self.choice.chosen.step_seconds)

    async def courses(self, back: timedelta = timedelta(0), until: datetime | None = None) -> Courses:
        """Return the metrics' points, of so long ago."""
        start, end = self.start - back, (until or self.now) - back
        read = self.services.history.courses
        return await read(self.choice.queue, self.metrics, start, end, self.choice.chosen.step_seconds)

    async def earlier(self, back: timedelta, until: datetime) -> Courses:
        """Return the points of an earlier day as if they were of today, also of the hours that are still ahead."""
        found = await self.courses(back, until)
        return {metric: [point._replace(at=point.at + back) for point in course] for metric, course in found.items()}

    async def spans(self) -> list[Span]:
        """Return the gate's verdicts. What stands now is known even before it is written down."""
        turns = await self.services.decisions.turns(self.state.gate, self.start, self.now, MOST_TURNS)
        return verdict_spans(turns, self.start, self.now, self.state.decision.verdict)

    async def marks(self, courses: Courses) -> Sequence[Mark]:
        """Return what happened meanwhile."""
        gate, services, start, until = self.state.gate, self.services, self.start, self.now
        trusted = timedelta(seconds=stale_after_of(self.state))
        grants = await services.permits.grants(gate, start, until, self.choice.chosen.step_seconds)
        notes = await services.notes.page(gate, start=start, until=until + self.step, limit=MOST_NOTES)
        overrides = await services.overrides.overrides(gate, limit=MOST_CHANGES)
        policies = await services.gates.versions(gate, limit=MOST_CHANGES)
        named = {name for each in grants if (name := each.campaign)}
        titles = {name: known.title for name in named if (known := services.campaigns.known(name))}
        return [
            *gaps(courses.values(), start, until, step=self.step, trusted=trusted),
            *of_overrides(overrides, start, until),
            *of_policies(policies, start, until),
            *of_grants(grants, titles),
            *of_notes(notes),
        ]


def rule_of(state: GateState, metric: Metric) -> Rule | None:
    """Return the policy's first rule on a metric, None where it has none."""
    rules = state.policy.rules if state.policy else ()
    return next((rule for rule in rules if rule.metric is metric), None)


def _title(services: Services, queue: str) -> str:
    own = services.evaluator.floor.targets.get(queue)
    return own.title if own and own.title else queue


def _back(now: datetime, day: Behind, zone: ZoneInfo) -> timedelta:
    """Return how long ago the same time of day was, by the center's clocks: an hour more or less where they changed."""
    local = now.astimezone(zone).replace(tzinfo=None) - day.days * DAY
    return now - local.replace(tzinfo=zone).astimezone(now.tzinfo)
