"""The same day twice in words: one sentence that says what the gate was good for, and a table of all numbers. Pure."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from app.core.floor.metric import Metric
from app.core.simulation.twins import Day, Twins
from app.services.published import GateState
from app.web.format import count, duration, hour_and_minute, number, percent
from app.web.history.chart_data import rule_of
from app.web.twins.drawing import Drawing, drawing


class Row(NamedTuple):
    """Five minutes of both days as text: when they ended, then all at once and gated of each measure."""

    until: str
    at_once_answer: str
    gated_answer: str
    at_once_level: str
    gated_level: str
    at_once_gave_up: str
    gated_gave_up: str


class ShownTwins(NamedTuple):
    """Both days as the page shows them: title of the queue, what it comes to in a sentence, rows, and the picture."""

    queue: str
    verdict: str
    rows: Sequence[Row]
    drawing: Drawing


def shown_twins(twins: Twins, state: GateState | None) -> ShownTwins:
    """Return both days as they are shown now. state: of the gate that the gated day asks, for its limit."""
    rule = rule_of(state, Metric.SPEED_TO_ANSWER_SECONDS) if state else None
    return ShownTwins(twins.queue, verdict(twins), rows(twins), drawing(twins, rule.hold_limit if rule else None))


def verdict(twins: Twins) -> str:
    """Return the comparison in one or two sentences, of what happened since the campaign was planned to leave."""
    at_once, gated = twins.at_once.peak(twins.planned_at), twins.gated.peak(twins.planned_at)
    planned = hour_and_minute(twins.planned_at, twins.zone)
    if at_once is None or gated is None:
        return f"Until {planned} both days are the same. Then {count(twins.audience, 'email')} leave on one of them."
    lost, kept = (day.gave_up(twins.planned_at) for day in (twins.at_once, twins.gated))
    return (
        f"Speed to answer peaked at {duration(at_once.speed_to_answer_seconds)} all at once, "
        f"at {duration(gated.speed_to_answer_seconds)} gated; "
        f"{count(lost, 'customer')} gave up, against {number(kept)}. {_progress(twins)}"
    )


def _progress(twins: Twins) -> str:
    """Return how far the gated send is: a comparison is fair only when it says so."""
    waves, mailed = twins.gated.waves, twins.gated.mailed
    if not waves:
        return "The gate has let nothing out yet."
    if mailed < twins.audience:
        return f"Gated, {number(mailed)} of {number(twins.audience)} emails are out so far."
    return (
        f"Gated, all emails were out by {hour_and_minute(waves[-1].end, twins.zone)}, in {count(len(waves), 'wave')}."
    )


def rows(twins: Twins) -> Sequence[Row]:
    """Return every five minutes of both days, newest first; answers and level of the queue, gave up of all queues."""
    ends = [hour_and_minute(each.until, twins.zone) for each in twins.gated.queue]
    both = zip(ends, _texts(twins.at_once), _texts(twins.gated), strict=True)
    shown = [Row(until, *chain(*zip(one, other, strict=True))) for until, one, other in both]
    return shown[::-1]


def _texts(day: Day) -> list[tuple[str, str, str]]:
    """Return speed to answer and service level of the queue and how many gave up in all, per five minutes."""
    return [
        (duration(own.speed_to_answer_seconds), percent(own.service_level_ratio), number(all_queues.abandoned))
        for own, all_queues in zip(day.queue, day.center, strict=True)
    ]
