"""What one reading of a source says, as people look at it before they trust it. Nothing of it is stored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app.core.floor import contact, observation
from app.core.floor.contact import ContactEvent
from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.observation import Observation
from app.core.problem import Problem
from app.ports.stream import Payload
from app.services.refusals import refusal

_BESIDE = frozenset({"queue", "observed_at", "source", "channel"})


class Rejected(NamedTuple):
    """One row that cannot be taken: its number (1, 2, ...), the field at fault ("" for the row), and why.

    detail never quotes the row. value: what stood there; of it only numbers and times are ever shown or kept.
    """

    row: int
    field: str
    detail: str
    value: object = None

    def __repr__(self) -> str:
        """Return it without its value, which no log may hold."""
        return f"Rejected(row={self.row}, field={self.field!r}, detail={self.detail!r})"


class Seen(NamedTuple):
    """One value of one queue, by our names and in our units. A contact event has its kind as its value."""

    queue: str
    channel: str | None
    metric: str
    value: float | str
    unit: str
    observed_at: datetime
    age_seconds: float


class Missed(NamedTuple):
    """One rejected row as it may be shown. row: its number, None for what was understood and is not acceptable."""

    row: int | None
    field: str
    detail: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Trial:
    """What a reading would bring in, and what of it would be rejected.

    clock_ahead_seconds: how far the system's clock is ahead of ours, below 0: behind; None: it did not show it.
    """

    seen: Sequence[Seen]
    missed: Sequence[Missed]
    clock_ahead_seconds: float | None = None


def trial_of(payloads: Sequence[Payload], rejected: Sequence[Rejected], now: datetime) -> Trial:
    """Return what would become of a reading at `now`: ingest's own checks decide what is acceptable."""
    seen: list[Seen] = []
    missed = [_missed(each.row, Problem(f"/{each.field}", each.detail), each.value, now) for each in rejected]
    for payload in payloads:
        problems = _problems(payload, now)
        seen.extend(() if problems else _seen(payload, now))
        missed.extend(_missed(None, problem, _value_at(payload, problem), now) for problem in problems)
    return Trial(tuple(seen), tuple(missed))


def _problems(payload: Payload, now: datetime) -> Sequence[Problem]:
    if isinstance(payload, Observation):
        return observation.problems(payload, now)
    return contact.problems(payload, now)


def _seen(payload: Payload, now: datetime) -> Iterator[Seen]:
    if isinstance(payload, ContactEvent):
        age = (now - payload.at).total_seconds()
        yield Seen(payload.queue, payload.channel, "contact event", str(payload.event), "", payload.at, age)
        return
    age = (now - payload.observed_at).total_seconds()
    for name in payload._fields:
        value: float | None = None if name in _BESIDE else getattr(payload, name)
        if value is not None:
            yield Seen(payload.queue, payload.channel, name, value, unit_of(name), payload.observed_at, age)


def unit_of(name: str) -> str:
    """Return the unit of an observation's field."""
    if name in list(Metric):
        return DEFINITIONS[Metric(name)].unit
    return "seconds" if "seconds" in name else "contacts"


def _missed(row: int | None, problem: Problem, value: object, now: datetime) -> Missed:
    kept = refusal(problem, value, now)
    return Missed(row, kept.pointer.removeprefix("/"), kept.detail, kept.value)


def _value_at(payload: Payload, problem: Problem) -> object:
    return getattr(payload, problem.pointer.removeprefix("/"), None) if problem.pointer else None
