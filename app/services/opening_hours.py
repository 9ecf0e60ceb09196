"""Opening hours: of a queue, or of all queues without their own."""

from collections.abc import Iterable, Mapping

from app.core.event import HOLDFIRE, Actor, Event, EventType
from app.core.floor.fields import name_fault
from app.core.problem import Problem
from app.core.staffing.hours import OpeningHours
from app.core.staffing.hours_document import parse_hours
from app.core.staffing.refused import StaffingRefused
from app.errors import Invalid, NotFound
from app.ports.clock import Clock
from app.ports.staffing import ALL_QUEUES, HoursStore, SavedHours


class Hours:
    """When queues are open. Read anew each time, cheaply, so that every process sees what any has saved."""

    def __init__(self, store: HoursStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._parsed: dict[str, tuple[int, OpeningHours]] = {}

    async def of(self, queue: str) -> OpeningHours | None:
        """Return the hours that count for a queue: its own, else those of all queues; None: always open, as known."""
        _, counting = await self.saved(queue)
        return None if counting is None else self._parse(counting)

    async def of_any(self, queues: Iterable[str]) -> list[OpeningHours | None]:
        """Return the hours that count for any of these queues, each once, at the cost of one reading of all."""
        every = await self._store.hours()
        shared = _there(every.get(ALL_QUEUES))
        counting = {id(hours): hours for hours in (_there(every.get(queue)) or shared for queue in queues)}
        return [None if hours is None else self._parse(hours) for hours in counting.values()]

    async def saved(self, queue: str) -> tuple[SavedHours | None, SavedHours | None]:
        """Return a queue's own hours, and those that count for it: its own, or else those of all queues."""
        every = await self._store.hours()
        own, shared = (_there(every.get(name)) for name in (queue, ALL_QUEUES))
        return own, own or shared

    async def revision(self, queue: str) -> int:
        """Return the revision that the next change must know, 0 for the first; deleted hours have one, too."""
        saved = (await self._store.hours()).get(queue)
        return saved.revision if saved else 0

    async def save(
        self, queue: str, document: Mapping[str, object], actor: Actor = HOLDFIRE, *, expected: int
    ) -> SavedHours:
        """Replace the hours of a queue, or of ALL_QUEUES, and return them; `expected` is the revision that was read.

        Raises Invalid with a problem per fault, or Conflict when somebody was faster.
        """
        _refuse_bad_name(queue)
        try:
            parse_hours(document)
        except StaffingRefused as refused:
            raise Invalid("the opening hours were refused; nothing was changed", refused.problems) from refused
        return await self._write(queue, document, actor, expected, EventType.HOURS_SAVED)

    async def delete(self, queue: str, actor: Actor = HOLDFIRE, *, expected: int) -> None:
        """Take a queue's own hours away: those of all queues count again. Raises NotFound, or Conflict."""
        own, _ = await self.saved(queue)
        if own is None:
            whose = f"queue {queue!r} has no opening hours of its own" if queue else "there are no hours of all queues"
            raise NotFound(whose)
        await self._write(queue, None, actor, expected, EventType.HOURS_DELETED)

    async def _write(
        self, queue: str, document: Mapping[str, object] | None, actor: Actor, expected: int, what: EventType
    ) -> SavedHours:
        now = self._clock.now()
        former = (await self._store.hours()).get(queue)
        saved = SavedHours(queue, None if document is None else dict(document), expected + 1, actor.name, now)
        before = None if former is None else former.document
        event = Event(what, now, actor, f"queue/{queue}" if queue else "queues", before=before, after=document)
        await self._store.save_hours(saved, event)
        return saved

    def _parse(self, saved: SavedHours) -> OpeningHours:
        revision, parsed = self._parsed.get(saved.queue, (0, None))
        if parsed is None or revision != saved.revision:
            parsed = parse_hours(saved.document or {})
            self._parsed[saved.queue] = saved.revision, parsed
        return parsed


def _there(saved: SavedHours | None) -> SavedHours | None:
    return saved if saved is not None and saved.document is not None else None


def _refuse_bad_name(queue: str) -> None:
    if queue != ALL_QUEUES and (fault := name_fault(queue)):
        raise Invalid("the queue's name was refused", [Problem("/path/queue", fault)])
