"""The OverrideStore port, on SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, select, tuple_, update

from app.core.event import Event
from app.core.gate.override import Effect, Matcher, Override
from app.errors import NotFound
from app.store.engine import Database
from app.store.events import append_events
from app.store.gates import require_gate
from app.store.override_tables import OVERRIDES

Step = Callable[[Override], tuple[Override, Event] | None]
_COLUMNS = tuple(OVERRIDES.columns.keys())
_CHANGED = ("ends_at", "reminded_at", "closed_at")


class SqlOverrides:
    """The OverrideStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_override(self, override: Override, event: Event) -> None:
        await self._database.write(lambda connection: _add(connection, override, event))

    async def override(self, override_id: str) -> Override:
        return await self._database.read(lambda connection: _find(connection, override_id))

    async def overrides(
        self,
        gate: str | None = None,
        *,
        ends_after: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Override]:
        column = OVERRIDES.c
        wanted: list[ColumnElement[bool]] = []
        if gate is not None:
            wanted.append(column.gate == gate)
        if ends_after is not None:
            wanted.append(column.ends_at > ends_after)
        if before is not None:
            wanted.append(tuple_(column.created_at, column.id) < before)
        query = select(OVERRIDES).where(*wanted).order_by(column.created_at.desc(), column.id.desc()).limit(limit)
        return await self._database.read(lambda connection: [_override(row) for row in connection.execute(query)])

    async def open_overrides(self) -> Sequence[Override]:
        still_open = select(OVERRIDES).where(OVERRIDES.c.closed_at.is_(None))
        query = still_open.order_by(OVERRIDES.c.created_at, OVERRIDES.c.id)
        return await self._database.read(lambda connection: [_override(row) for row in connection.execute(query)])

    async def change_override(self, override_id: str, step: Step) -> Override:
        return await self._database.write(lambda connection: _change(connection, override_id, step))

    async def count_uses(self, uses: Mapping[str, tuple[int, datetime]]) -> None:
        if uses:
            await self._database.write(lambda connection: _count(connection, uses))


def _add(connection: Connection, override: Override, event: Event) -> None:
    require_gate(connection, override.gate)
    row = {name: getattr(override, name) for name in _COLUMNS}
    row |= {"effect": override.effect.value, "matchers": [asdict(matcher) for matcher in override.matchers]}
    connection.execute(insert(OVERRIDES).values(row))
    append_events(connection, [event])


def _find(connection: Connection, override_id: str) -> Override:
    row = connection.execute(select(OVERRIDES).where(OVERRIDES.c.id == override_id)).first()
    if row is None:
        raise NotFound(f"there is no override {override_id!r}")
    return _override(row)


def _change(connection: Connection, override_id: str, step: Step) -> Override:
    former = _find(connection, override_id)
    made = step(former)
    if made is None:
        return former
    changed, event = made
    values = {name: getattr(changed, name) for name in _CHANGED}
    connection.execute(update(OVERRIDES).where(OVERRIDES.c.id == override_id).values(values))
    append_events(connection, [event])
    return changed


def _count(connection: Connection, uses: Mapping[str, tuple[int, datetime]]) -> None:
    counted = update(OVERRIDES).where(OVERRIDES.c.id == bindparam("named"))
    counted = counted.values(used_count=OVERRIDES.c.used_count + bindparam("more"), last_used_at=bindparam("at"))
    rows = [{"named": name, "more": more, "at": at} for name, (more, at) in sorted(uses.items())]
    connection.execute(counted, rows)


def _override(row: Row[Any]) -> Override:
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    matchers = tuple(Matcher(**matcher) for matcher in values["matchers"])
    return Override(**values | {"effect": Effect(values["effect"]), "matchers": matchers})
