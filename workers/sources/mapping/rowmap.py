"""From rows as a system has them to observations, as a [sources.mapping] table says. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from typing import Any

from app.core.floor.fields import name_fault
from app.core.floor.observation import Observation
from app.services.trials import Rejected
from workers.sources.lot import Lot
from workers.sources.mapping.expression import Expression
from workers.sources.mapping.units import BadValue, instant_in, value_in
from workers.sources.naming import acceptable
from workers.systems.faults import TranslateError

MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Mapped:
    """One field of an observation: where it comes from, and in which unit."""

    name: str
    expression: Expression
    unit: str


@dataclass(frozen=True, slots=True)
class RowMap:
    """How to read a document. Of queue and queue_from one is given, of channel and channel_from at most one.

    keyed: what `rows` gives is an object whose members are the rows, their names the queues. queues: patterns of those
    wanted. at: when the row was true; at_in_document: it is told once for all rows. zone: of instants without one.
    history: rows of one queue, each with its own instant, are how it stood then and then.
    """

    source: str
    fields: Sequence[Mapped]
    rows: Expression
    keyed: bool = False
    queue: str | None = None
    queue_from: Expression | None = None
    queues: Collection[str] = ("*",)
    channel: str | None = None
    channel_from: Expression | None = None
    at: Expression | None = None
    at_unit: str = "iso"
    at_in_document: bool = False
    history: bool = False
    window_seconds: float | None = None
    zone: tzinfo | None = None

    def read(self, document: Any, asked_at: datetime) -> Lot:
        """Return what a document says; asked_at: the instant of rows that name none.

        Raises TranslateError when there are no rows to be found, or the document's instant makes no sense.
        """
        reading = _Reading(self, self._instant(document) if self.at and self.at_in_document else asked_at)
        for number, (key, row) in enumerate(self._rows(document), start=1):
            reading.take(number, key, row)
        return reading.lot()

    def instant(self, row: Any, usual: datetime) -> datetime:
        """Return when a row was true; `usual` where rows do not say. Raises TranslateError."""
        return usual if self.at is None or self.at_in_document else self._instant(row)

    def _rows(self, document: Any) -> Sequence[tuple[str | None, Any]]:
        """Return the rows, each with its name where they have one."""
        found = self.rows.of(document)
        if found is None:
            raise TranslateError(f"{self.rows.key}: {self.rows.text} finds nothing in what came")
        if self.keyed and not isinstance(found, dict):
            raise TranslateError(f"{self.rows.key}: {self.rows.text} gives no object, whose names could be the queues'")
        rows = list(found.items()) if self.keyed else [(None, row) for row in _listed(found)]
        if len(rows) > MOST_ROWS:
            raise TranslateError(f"{self.rows.key}: {self.rows.text} gives {len(rows):,} rows; {MOST_ROWS:,} are read")
        return rows

    def _instant(self, value: Any) -> datetime:
        assert self.at is not None  # noqa: S101 - asked for only where it is told
        try:
            at = instant_in(self.at_unit, self.at.of(value), self.zone)
        except BadValue as fault:
            raise TranslateError(f"{self.at.key}: what {self.at.text} gives {fault}") from None
        if at is None:
            raise TranslateError(f"{self.at.key}: {self.at.text} gives nothing")
        return at


class BadField(ValueError):
    """A row that cannot be taken: the field at fault, and why without quoting it."""

    def __init__(self, field: str, why: str, value: object = None) -> None:
        super().__init__(why)
        self.field, self.value = field, value


@dataclass(slots=True)
class _Reading:
    """One document being read. at: the instant of rows that have none of their own.

    numbers: all rows of a queue, also those that were rejected; channels: those of the rows that were not.
    """

    map: RowMap
    at: datetime
    found: dict[tuple[str, datetime], list[tuple[int, Observation]]] = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=dict)
    channels: dict[str, set[str | None]] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)

    def take(self, number: int, key: str | None, row: Any) -> None:
        """Read one row."""
        try:
            queue = _queue(self.map, key, row)
            if any(fnmatchcase(queue, pattern) for pattern in self.map.queues):
                self.numbers.setdefault(queue, []).append(number)
                seen = self._observation(queue, row)
                self.channels.setdefault(queue, set()).add(seen.channel)
                self.found.setdefault((queue, seen.observed_at), []).append((number, seen))
        except BadField as fault:
            self.rejected.append(Rejected(number, fault.field, str(fault), fault.value))
        except TranslateError as fault:
            self.rejected.append(Rejected(number, "", str(fault)))

    def lot(self) -> Lot:
        """Return all rows but those of a queue that others here contradict: only one would count, and any may be it."""
        taken: list[Observation] = []
        for (queue, _), rows in self.found.items():
            same, numbers = self._same(queue, [number for number, _ in rows])
            if not same:
                taken.append(rows[0][1])
                continue
            why = f"rows {', '.join(map(str, numbers))} are of one queue and {same}"
            detail = f"{why}: let queue_from tell them apart, as join('-', [queue, media])"
            self.rejected.extend(Rejected(number, "queue", detail) for number, _ in rows)
        return Lot(taken, sorted(self.rejected, key=lambda each: each.row))

    def _same(self, queue: str, numbers: Sequence[int]) -> tuple[str, Sequence[int]]:
        """Return what several rows of a queue share that they must not, and which they are; nothing where all is well.

        numbers: those of one instant. Where one instant is told for all rows, one that was rejected shares it, too.
        """
        everywhere = self.numbers[queue]
        if len(self.channels[queue]) > 1:
            return "several channels", everywhere
        if len(everywhere) > 1 and (self.map.at is None or self.map.at_in_document):
            return "instant", everywhere
        if len(everywhere) > 1 and self.map.channel_from is None and not self.map.history:
            return "several instants", everywhere  # the newest would count, and it may be of a part of the queue
        return ("instant", numbers) if len(numbers) > 1 else ("", ())

    def _observation(self, queue: str, row: Any) -> Observation:
        try:
            at = self.map.instant(row, self.at)
        except TranslateError as fault:
            raise BadField("observed_at", str(fault)) from None
        said = {each.name: value for each in self.map.fields if (value := _value(each, row, at, self.map)) is not None}
        if not said:
            raise BadField("", "none of the mapped metrics is said")
        if said.get("backlog") == 0 and any(each.name == "oldest_wait_seconds" for each in self.map.fields):
            said.setdefault("oldest_wait_seconds", 0.0)  # what that metric is when nobody waits
        channel = self.map.channel if self.map.channel_from is None else _name("channel", self.map.channel_from, row)
        if self.map.window_seconds is not None:
            said["window_seconds"] = self.map.window_seconds
        values: Mapping[str, Any] = said
        return Observation(queue, at, self.map.source, channel, **values)


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _queue(row_map: RowMap, key: str | None, row: Any) -> str:
    """Return the queue of a row. Raises BadField."""
    if row_map.queue is not None:
        return row_map.queue
    name = key if row_map.queue_from is None else _name("queue", row_map.queue_from, row)
    if name is None:
        raise BadField("queue", "queue_from gives nothing")
    return queue_name(name)


def queue_name(name: str) -> str:
    """Return a queue's name as it is. Raises BadField when it looks like a person's number or address."""
    if name_fault(name) or acceptable(name) != name:
        raise BadField("queue", "the queue's name is too long, cannot be printed, or looks like a number or an address")
    return name


def _name(name: str, expression: Expression, row: Any) -> str | None:
    found = expression.of(row)
    if found is None or isinstance(found, str):
        return (found or "").strip() or None
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    raise BadField(name, f"{expression.key}: what {expression.text} gives is no name")


def _value(each: Mapped, row: Any, at: datetime, row_map: RowMap) -> float | None:
    found = each.expression.of(row)
    try:
        return value_in(each.unit, found, at, row_map.zone)
    except BadValue as fault:
        raise BadField(each.name, f"{each.name}: what {each.expression.text} gives {fault}", found) from None
