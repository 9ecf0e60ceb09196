"""Call-by-call CSV as contact events and observations. Pure: rows in, payloads and counts out.

A row tells a whole call at once, so its events reach into the time of later rows: `translate` reads all rows, then
yields everything in order of time. A million calls take about a gigabyte.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.fields import good_name
from app.core.floor.observation import Observation
from app.ports.stream import Payload
from workers.sources.naming import acceptable
from workers.sources.tally import Tally

HEARTBEAT_SECONDS = 30
SILENCE_LIMIT_SECONDS = 7 * 86400  # a record silent for longer proves nothing about the floor

# Our names of the columns. A row needs call_no, arrival and outcome, and wait_s or service_start to say for how long.
COLUMNS = ("call_no", "arrival", "wait_s", "outcome", "service_start", "service_s", "agent", "queue")
REQUIRED = ("call_no", "arrival", "outcome")

_LONGEST_SECONDS = 86_400

Row = Mapping[str, str | None]


class BadRow(ValueError):
    """A row that cannot be understood; str() says why without quoting its content."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read a file: its headers by our names where they differ, its zone, and the queue where no column says.

    Times without an offset are local times of time_zone. queue: used for rows without a queue of their own.
    """

    source: str = "calls_csv"
    queue: str = "calls"
    time_zone: tzinfo = UTC
    channel: str | None = "voice"
    headers: Mapping[str, str] = field(default_factory=dict)


def missing_columns(header: Iterable[str], layout: Layout) -> tuple[str, ...]:
    """Return the sentences that say which needed columns a header lacks; () when it can be read."""
    present = set(header)
    faults = [
        f"there is no column {theirs!r}, which --map {ours}={theirs} names"
        for ours, theirs in layout.headers.items()
        if theirs not in present
    ]
    faults.extend(
        f"there is no column {ours!r}; name yours with --map {ours}=YOURS"
        for ours in REQUIRED
        if ours not in layout.headers and ours not in present
    )
    if not present & {layout.headers.get(ours, ours) for ours in ("wait_s", "service_start")}:
        faults.append("there is neither a column 'wait_s' nor 'service_start'; name yours with --map wait_s=YOURS")
    return tuple(faults)


def translate(rows: Iterable[tuple[int, Row]], layout: Layout, tally: Tally) -> Iterator[Payload]:
    """Yield contact events and, every 30 s of the data's time, an observation of contacts in progress, in time order.

    rows come with their line numbers. Those that cannot be understood and those that never reached the queue are
    counted in `tally` and left out.
    """
    steps: list[_Step] = []
    for number, row in rows:
        tally.lines = number
        try:
            steps.extend(_steps(row, layout, tally))
        except BadRow as fault:
            tally.fault(str(fault))
    steps.sort(key=lambda step: step.event.at)
    yield from _with_heartbeats(steps, layout)


class _Step(NamedTuple):
    """One event and by how many it changes the contacts in progress."""

    event: ContactEvent
    in_progress: int


def _steps(row: Row, layout: Layout, tally: Tally) -> list[_Step]:
    cells = {ours: (row.get(layout.headers.get(ours, ours)) or "").strip() for ours in COLUMNS}
    outcome = cells["outcome"].lower()
    if outcome == "left_vru":  # the customer left the voice menu before asking for an agent: never in the queue
        tally.skip("left_vru")
        return []
    if outcome not in ("answered", "abandoned"):
        raise BadRow("the outcome is none of answered, abandoned, left_vru")
    queued_at = _instant(cells["arrival"], layout.time_zone, "arrival")
    left_at = queued_at + _wait(cells, queued_at, layout.time_zone)
    queued = _event(cells, queued_at, layout)
    if outcome == "abandoned":
        return [_Step(queued, 0), _Step(queued._replace(event=ContactEventKind.ABANDONED, at=left_at), 0)]
    answered = queued._replace(
        event=ContactEventKind.ANSWERED, at=left_at, agent=acceptable(cells["agent"]) if cells["agent"] else None
    )
    if not cells["service_s"]:  # nobody knows when it ended: the floor gives it up in time, and it is not counted here
        return [_Step(queued, 0), _Step(answered, 0)]
    ended_at = left_at + _seconds(cells["service_s"], "service_s")
    completed = answered._replace(event=ContactEventKind.COMPLETED, at=ended_at)
    return [_Step(queued, 0), _Step(answered, 1), _Step(completed, -1)]


def _event(cells: Mapping[str, str], at: datetime, layout: Layout) -> ContactEvent:
    """Return the event of the arrival. The arrival is part of the id: numbers of calls start anew in other files."""
    queue = cells["queue"] or layout.queue
    if not cells["call_no"]:
        raise BadRow("call_no is empty")
    if not good_name(queue):
        raise BadRow("the queue's name is longer than 128 characters or not printable")
    contact_id = acceptable(f"{cells['call_no']}/{queue}/{int(at.timestamp())}")
    return ContactEvent(contact_id, queue, ContactEventKind.QUEUED, at, layout.source, layout.channel)


def _wait(cells: Mapping[str, str], queued_at: datetime, zone: tzinfo) -> timedelta:
    """Return the wait. wait_s is the recorder's own; service_start, rounded and of another clock, only stands in."""
    if cells["wait_s"]:
        return _seconds(cells["wait_s"], "wait_s")
    if not cells["service_start"]:
        raise BadRow("neither wait_s nor service_start says how long the customer waited")
    return max(timedelta(0), _instant(cells["service_start"], zone, "service_start") - queued_at)


def _instant(text: str, zone: tzinfo, column: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRow(f"{column} is not a time such as 1999-02-01 08:00:00") from None


def _seconds(text: str, column: str) -> timedelta:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _LONGEST_SECONDS:  # NaN fails every comparison
        raise BadRow(f"{column} is not a number of seconds from 0 to {_LONGEST_SECONDS}")
    return timedelta(seconds=seconds)


def _with_heartbeats(steps: Iterable[_Step], layout: Layout) -> Iterator[Payload]:
    """Yield the events in order and, between them, the due observations: they prove the source alive in quiet hours."""
    in_progress: Counter[str] = Counter()
    newest: int | None = None
    for event, change in steps:
        until = math.ceil(event.at.timestamp())
        if newest is not None:
            first = -(-newest // HEARTBEAT_SECONDS) * HEARTBEAT_SECONDS
            for due in range(first, min(until, newest + SILENCE_LIMIT_SECONDS), HEARTBEAT_SECONDS):
                yield from _observations(in_progress, due, layout)
        newest = until
        in_progress[event.queue] += change
        yield event


def _observations(in_progress: Mapping[str, int], at: int, layout: Layout) -> Iterator[Observation]:
    observed_at = datetime.fromtimestamp(at, UTC)
    for queue, contacts in in_progress.items():
        yield Observation(queue, observed_at, layout.source, channel=layout.channel, contacts_in_progress=contacts)
