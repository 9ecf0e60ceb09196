"""Takes in observations and contact events: checks each, makes the good ones durable, keeps their sources' health."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple, TypeVar

from app.core.floor import contact, observation
from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.core.problem import Problem
from app.errors import NotDurable
from app.ports.clock import Clock
from app.ports.sources import Fed
from app.ports.stream import Appended, Payload, Stream
from app.services.left_open import left_open
from app.services.refusals import Faulty, refusal
from app.services.sources import Sources

Item = TypeVar("Item", Observation, ContactEvent)
_QUEUE, _SOURCE = attrgetter("queue"), attrgetter("source")


@dataclass(frozen=True, slots=True)
class Rejection:
    """One fault of one item: its place in what was sent, a JSON pointer into the item, what is wrong and allowed."""

    index: int
    pointer: str
    detail: str


class IngestResult(NamedTuple):
    """What became of a batch. `rejected` has one entry per fault, so an item with two faults is in it twice."""

    accepted: int
    duplicates: int
    rejected: tuple[Rejection, ...]


class Ingest:
    """The way into the stream for everything that is sent to us."""

    def __init__(self, stream: Stream, clock: Clock, sources: Sources) -> None:
        self._stream, self._clock, self._sources = stream, clock, sources

    async def observations(self, items: Sequence[Observation], indexes: Sequence[int] | None = None) -> IngestResult:
        """Return once the good ones are durable. indexes: the items' places in what was sent (default: 0, 1, ...).

        Raises NotDurable when they cannot be written down; sending the same again is safe.
        """
        if observation.all_fine(items, self._clock.now()):
            return await self._append(items, (), attrgetter("observed_at"))
        good, rejected, refused = _sort(items, indexes, observation.problems, self._clock.now())
        result = await self._append(good, rejected, attrgetter("observed_at"))
        self.refused(refused, beside={item.source for item in good})
        return result

    async def contacts(self, items: Sequence[ContactEvent], indexes: Sequence[int] | None = None) -> IngestResult:
        """Return once the good ones are durable; indexes and errors as for observations."""
        good, rejected, refused = _sort(items, indexes, contact.problems, self._clock.now())
        result = await self._append(good, rejected, attrgetter("at"))
        self.refused(refused, beside={item.source for item in good})
        return result

    async def left_open(self, source: str, since: datetime) -> Sequence[ContactEvent]:
        """Return the last event of each contact that a source began since then and did not end."""
        return await left_open(self._stream, source, since)

    def refused(self, by_source: Mapping[str, Faulty], beside: Collection[str] = ()) -> None:
        """Note items that were refused, or could not even be read, per source: what may be kept of the last faults.

        beside: the sources of which other items of the same batch were taken, which therefore do not fail.
        """
        now = self._clock.now()
        for source, faulty in by_source.items():
            kept = [refusal(problem, value, now) for problem, value in faulty.faults]
            self._sources.heard(
                source,
                accepted=0,
                duplicates=0,
                rejected=faulty.count,
                observed_at=None,
                at=now,
                refusals=kept,
                beside=source in beside,
            )

    async def _append(
        self, good: Sequence[Payload], rejected: Sequence[Rejection], instant: Callable[[Payload], datetime]
    ) -> IngestResult:
        groups = _by_source(good)
        if len(groups) == 1:
            accepted, duplicates = await self._append_of(*groups[0], instant)
            return IngestResult(accepted, duplicates, tuple(rejected))
        appends = (self._append_of(source, items, instant) for source, items in groups)
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        appended: list[Appended] = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            appended.append(outcome)
        return IngestResult(
            sum(one.accepted for one in appended), sum(one.duplicates for one in appended), tuple(rejected)
        )

    async def _append_of(
        self, source: str, items: Sequence[Payload], instant: Callable[[Payload], datetime]
    ) -> Appended:
        try:
            appended = await self._stream.append(items)
        except NotDurable as fault:
            self._sources.failed(source, str(fault), self._clock.now())
            raise
        sample = max(items, key=instant)
        newest = instant(sample)
        last_of = dict(zip(map(_QUEUE, items), items, strict=True))
        fed = {queue: Fed(instant(item), item.channel) for queue, item in last_of.items()}
        self._sources.sampled(source, sample, fed)
        self._sources.heard(
            source,
            accepted=appended.accepted,
            duplicates=appended.duplicates,
            rejected=0,
            observed_at=newest,
            at=self._clock.now(),
        )
        return appended


def _sort(
    items: Sequence[Item],
    indexes: Sequence[int] | None,
    problems: Callable[[Item, datetime], Sequence[Problem]],
    now: datetime,
) -> tuple[list[Item], list[Rejection], Mapping[str, Faulty]]:
    """Return the good items, every fault of the others, and these per source, where that can be believed."""
    good: list[Item] = []
    rejected: list[Rejection] = []
    refused: dict[str, Faulty] = defaultdict(Faulty)
    for place, item in enumerate(items):
        faults = problems(item, now)
        if not faults:
            good.append(item)
            continue
        index = place if indexes is None else indexes[place]
        rejected.extend(Rejection(index, fault.pointer, fault.detail) for fault in faults)
        if all(fault.pointer != "/source" for fault in faults):
            refused[item.source].add((fault, _value_at(item, fault.pointer)) for fault in faults)
    return good, rejected, refused


def _by_source(items: Sequence[Payload]) -> list[tuple[str, Sequence[Payload]]]:
    """Return the items per source; nearly every batch is of one, and then it is passed on whole."""
    if not items:
        return []
    sources = set(map(_SOURCE, items))
    if len(sources) == 1:
        return [(sources.pop(), items)]
    groups: dict[str, list[Payload]] = {}
    for item in items:
        groups.setdefault(item.source, []).append(item)
    return list(groups.items())


def _value_at(item: Payload, pointer: str) -> object:
    """Return what stands at a fault's pointer, None for a fault of the item as a whole."""
    return getattr(item, pointer.removeprefix("/"), None) if pointer else None
