"""Schedules and opening hours, on SQL."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from app.core.event import Event
from app.core.staffing.schedule import Interval, Span, outside
from app.errors import Conflict
from app.ports.staffing import Replacement, SavedHours, ScheduleState
from app.store.engine import Database
from app.store.events import append_events
from app.store.staffing_tables import OPENING_HOURS, SCHEDULE_INTERVALS, SCHEDULES
from app.store.upsert import insert

_INTERVALS = SCHEDULE_INTERVALS.c
_OWN = _INTERVALS.queue == SCHEDULES.c.queue
# Intervals never overlap, so the last one to begin is the last one to end: both ends are found without a scan.
_FIRST = select(_INTERVALS.starts_at).where(_OWN).order_by(_INTERVALS.starts_at).limit(1).scalar_subquery()
_LAST = select(_INTERVALS.ends_at).where(_OWN).order_by(_INTERVALS.starts_at.desc()).limit(1).scalar_subquery()
_STATE = (SCHEDULES.c.queue, SCHEDULES.c.revision, SCHEDULES.c.time_zone, SCHEDULES.c.author, SCHEDULES.c.saved_at)
_ALL_STATES = select(*_STATE, _FIRST.label("starts_at"), _LAST.label("ends_at"))


class SqlSchedules:
    """The ScheduleStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def states(self) -> Mapping[str, ScheduleState]:
        return await self._database.read(_states)

    async def intervals(self, queue: str, span: Span) -> Sequence[Interval]:
        return await self._database.read(lambda connection: _reaching(connection, queue, span))

    async def replace(
        self, replacements: Sequence[Replacement], expected: Mapping[str, int] | None = None
    ) -> Mapping[str, ScheduleState]:
        def work(connection: Connection) -> Mapping[str, ScheduleState]:
            _refuse_changed(_states(connection), expected or {})
            for each in replacements:
                _replace(connection, each)
            states = _states(connection)
            return {each.queue: states[each.queue] for each in replacements}

        return await self._database.write(work)


class SqlHours:
    """The HoursStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hours(self) -> Mapping[str, SavedHours]:
        return await self._database.read(_hours)

    async def save_hours(self, hours: SavedHours, event: Event) -> None:
        await self._database.write(lambda connection: _save_hours(connection, hours, event))


def _states(connection: Connection) -> dict[str, ScheduleState]:
    return {row.queue: ScheduleState(*row[1:]) for row in connection.execute(_ALL_STATES)}


def _reaching(connection: Connection, queue: str, span: Span) -> list[Interval]:
    into = (_INTERVALS.queue == queue, _INTERVALS.starts_at < span.end, _INTERVALS.ends_at > span.start)
    query = select(_INTERVALS.starts_at, _INTERVALS.ends_at, _INTERVALS.agents).where(*into)
    return [Interval(*row) for row in connection.execute(query.order_by(_INTERVALS.starts_at))]


def _refuse_changed(states: Mapping[str, ScheduleState], expected: Mapping[str, int]) -> None:
    for queue, revision in expected.items():
        present = states[queue].revision if queue in states else 0
        if present != revision:
            raise Conflict(f"the schedule of {queue!r} is at {present}, not {revision}; read it again, then save")


def _replace(connection: Connection, new: Replacement) -> None:
    for span in new.spans:
        former = _reaching(connection, new.queue, span)
        into = (_INTERVALS.queue == new.queue, _INTERVALS.starts_at < span.end, _INTERVALS.ends_at > span.start)
        connection.execute(SCHEDULE_INTERVALS.delete().where(*into))
        _add(connection, new.queue, outside(former, [span]))
    _add(connection, new.queue, new.intervals)
    row = insert(SCHEDULES).values(
        queue=new.queue, revision=1, time_zone=new.time_zone, author=new.author, saved_at=new.at
    )
    fresh = {"time_zone": new.time_zone, "author": new.author, "saved_at": new.at}
    grown = {"revision": SCHEDULES.c.revision + 1}
    connection.execute(row.on_conflict_do_update(index_elements=["queue"], set_=fresh | grown))
    append_events(connection, [new.event])


def _add(connection: Connection, queue: str, intervals: Sequence[Interval]) -> None:
    if intervals:
        rows = [{"queue": queue, **each._asdict()} for each in intervals]
        connection.execute(SCHEDULE_INTERVALS.insert(), rows)


def _hours(connection: Connection) -> dict[str, SavedHours]:
    return {row.queue: SavedHours(**row._mapping) for row in connection.execute(select(OPENING_HOURS))}  # noqa: SLF001


def _save_hours(connection: Connection, hours: SavedHours, event: Event) -> None:
    former = _hours(connection).get(hours.queue)
    present = former.revision if former else 0
    if present != hours.revision - 1:
        whose = f"of {hours.queue!r}" if hours.queue else "of all queues"
        raise Conflict(f"the hours {whose} are at {present}, not {hours.revision - 1}; read them again, then save")
    values = {name: getattr(hours, name) for name in ("queue", "document", "revision", "author", "saved_at")}
    row = insert(OPENING_HOURS).values(values)
    connection.execute(row.on_conflict_do_update(index_elements=["queue"], set_=values))
    append_events(connection, [event])
