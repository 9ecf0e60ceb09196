"""Gates and their policies' versions, on SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from app.core.event import Event
from app.errors import Conflict, NotFound
from app.ports.gates import PolicyVersion
from app.store.engine import Database
from app.store.events import append_events
from app.store.tables import GATES, POLICIES

_COLUMNS = tuple(POLICIES.columns.keys())


class SqlGates:
    """The GateStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def gates(self) -> Sequence[str]:
        names = select(GATES.c.name).order_by(GATES.c.name)
        return await self._database.read(lambda connection: connection.execute(names).scalars().all())

    async def create_gate(self, name: str, at: datetime, event: Event) -> None:
        await self._database.write(lambda connection: create_gate(connection, name, at, event))

    async def delete_gate(self, name: str, event: Event) -> None:
        await self._database.write(lambda connection: _delete_gate(connection, name, event))

    async def policy(self, gate: str, version: int | None = None) -> PolicyVersion | None:
        return await self._database.read(lambda connection: _policy(connection, gate, version))

    async def policy_versions(self, gate: str, before: int | None, limit: int) -> Sequence[PolicyVersion]:
        return await self._database.read(lambda connection: _versions(connection, gate, before, limit))

    async def save_policy(
        self,
        gate: str,
        document: Mapping[str, object],
        *,
        author: str,
        reason: str,
        at: datetime,
        expected: int,
        event: Event,
    ) -> PolicyVersion:
        saved = PolicyVersion(gate, expected + 1, dict(document), author, reason, at)
        await self._database.write(lambda connection: add_policy(connection, saved, event))
        return saved


def create_gate(connection: Connection, name: str, at: datetime, event: Event) -> None:
    """Add a gate. Raises Conflict when there is one of that name."""
    if _exists(connection, name):
        raise Conflict(f"there is a gate {name!r} already; choose another name")
    connection.execute(insert(GATES).values(name=name, created_at=at))
    append_events(connection, [event])


def add_policy(connection: Connection, saved: PolicyVersion, event: Event) -> None:
    """Add a version. Raises NotFound for an unknown gate, Conflict unless it follows the newest version."""
    former = _policy(connection, saved.gate, None)
    newest = former.version if former else 0
    if newest != saved.version - 1:
        raise Conflict(
            f"the policy of gate {saved.gate!r} is at version {newest}, not {saved.version - 1}; read it again, "
            "then save your change on top"
        )
    connection.execute(insert(POLICIES).values({name: getattr(saved, name) for name in _COLUMNS}))
    append_events(connection, [replace(event, before=_side(former), after=_side(saved))])


def _delete_gate(connection: Connection, name: str, event: Event) -> None:
    newest = _policy(connection, name, None)
    connection.execute(GATES.delete().where(GATES.c.name == name))
    append_events(connection, [replace(event, before=_side(newest))])


def _side(saved: PolicyVersion | None) -> dict[str, object] | None:
    """Return what an event tells of a policy."""
    return None if saved is None else {"version": saved.version, "policy": saved.document}


def _policy(connection: Connection, gate: str, version: int | None) -> PolicyVersion | None:
    """Return a gate's version (None: the newest), None when there is none. Raises NotFound for an unknown gate."""
    require_gate(connection, gate)
    query = select(POLICIES).where(POLICIES.c.gate == gate).order_by(POLICIES.c.version.desc()).limit(1)
    if version is not None:
        query = query.where(POLICIES.c.version == version)
    row = connection.execute(query).first()
    return None if row is None else _version(row)


def _versions(connection: Connection, gate: str, before: int | None, limit: int) -> list[PolicyVersion]:
    require_gate(connection, gate)
    query = select(POLICIES).where(POLICIES.c.gate == gate).order_by(POLICIES.c.version.desc()).limit(limit)
    if before is not None:
        query = query.where(POLICIES.c.version < before)
    return [_version(row) for row in connection.execute(query)]


def _version(row: Row[Any]) -> PolicyVersion:
    return PolicyVersion(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it


def require_gate(connection: Connection, gate: str) -> None:
    """Raise NotFound for an unknown gate."""
    if not _exists(connection, gate):
        raise NotFound(f"there is no gate {gate!r}")


def _exists(connection: Connection, gate: str) -> bool:
    return connection.execute(select(GATES.c.name).where(GATES.c.name == gate)).first() is not None
