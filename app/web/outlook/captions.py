"""The outlook's chart in words and as a table: for those who read instead of looking, and for screen readers. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from app.core.floor.metric import DEFINITIONS, Worse
from app.core.forecast.outlook import Band, QueueOutlook
from app.web.format import NO_BREAK, NONE, duration, measure, number
from app.web.outlook.chart import Ahead, band_of, listed
from app.web.outlook.words import expected, limit_of


class Table(NamedTuple):
    """What the chart shows as text: its heads, and a row for each interval."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def caption(ahead: Ahead) -> str:
    """Return the chart in a few sentences: the worst that is expected, without and with a send, and the limit."""
    definition, queue = DEFINITIONS[ahead.metric], ahead.reader.title(ahead.queue)
    length = duration((ahead.until - ahead.starts(0)).total_seconds())
    worst = _worst(ahead, ahead.without)
    begin = f"{definition.title} of {queue} over the next {length}"
    if not worst:
        return f"{begin}: nobody is expected."
    said = [f"{begin}: at worst {worst} if nothing more is sent{_with(ahead)}.{_limit(ahead)}"]
    if ahead.without.never_recovers:
        said.append("Even so its backlog grows to the end, and no end of that is in sight.")
    elif ahead.with_send is not None and ahead.with_send.never_recovers:
        said.append("With the send its backlog grows to the end, and no end of that is in sight.")
    shown = ahead.outlook.audience_shown
    if shown is not None and ahead.audience is not None and shown < ahead.audience:
        said.append(f"Drawn for {number(shown)}: more than that drowns the floor all the same.")
    return " ".join(said)


def _with(ahead: Ahead) -> str:
    worst = _worst(ahead, ahead.with_send) if ahead.with_send else ""
    return f", {worst} with {number(ahead.audience)} sent {ahead.sent}" if worst else ""


def _limit(ahead: Ahead) -> str:
    limit = limit_of(ahead.limits, ahead.metric)
    if limit is None:
        return " No limit is set on it."
    word = "at most" if DEFINITIONS[ahead.metric].worse is Worse.HIGHER else "at least"
    return f" Limit: {word} {measure(limit, DEFINITIONS[ahead.metric].unit)}."


def _worst(ahead: Ahead, queue: QueueOutlook) -> str:
    """Return the worst expected value and when: `78 % (15:20)`; empty where nobody is expected."""
    means, definition = band_of(queue, ahead.metric).mean, DEFINITIONS[ahead.metric]
    if not np.isfinite(means).any():
        return ""
    place = int(np.nanargmax(means) if definition.worse is Worse.HIGHER else np.nanargmin(means))
    return f"{expected(float(means[place]), definition.unit)} ({ahead.reader.minute(ahead.starts(place))})"


def table(ahead: Ahead) -> Table:
    """Return the numbers of each interval: contacts offered and the metric, expected and 8 of 10 cases."""
    queues = [("nothing sent", ahead.without)]
    if ahead.with_send is not None:
        queues.append((f"{number(ahead.audience)} sent {ahead.sent}", ahead.with_send))
    names = [f"{what}, {name}" for name, _ in queues for what in ("Offered", "Expected", "8 of 10 cases")]
    columns = [column for _, queue in queues for column in _columns(ahead, queue)]
    starts = [ahead.reader.minute(ahead.starts(place)) for place in range(len(ahead.without.offered))]
    return Table(["From", *names], [list(row) for row in zip(starts, *columns, strict=True)])


def _columns(ahead: Ahead, queue: QueueOutlook) -> Sequence[Sequence[str]]:
    each, unit = band_of(queue, ahead.metric), DEFINITIONS[ahead.metric].unit
    offered = [expected(value, "contacts") for value in listed(queue.offered)]
    return offered, [expected(value, unit) for value in listed(each.mean)], _betweens(each, unit)


def _betweens(each: Band, unit: str) -> list[str]:
    edges = zip(listed(each.low), listed(each.high), strict=True)
    return [
        NONE if low is None or high is None else f"{expected(low, unit)} to{NO_BREAK}{expected(high, unit)}"
        for low, high in edges
    ]
