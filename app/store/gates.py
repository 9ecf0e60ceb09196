"""Gates and their policies' versions, on SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from app.errors import Conflict, NotFound
from app.ports import PolicyVersion
from app.store.engine import Database
from app.store.tables import GATES, POLICIES

_COLUMNS = tuple(POLICIES.columns.keys())


class SqlGates:
    """The GateStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def gates(self) -> Sequence[str]:
        names = select(GATES.c.name).order_by(GATES.c.name)
        return await self._database.read(lambda connection: connection.execute(names).scalars().all())

    async def create_gate(self, name: str, at: datetime) -> None:
        await self._database.write(lambda connection: create_gate(connection, name, at))

    async def delete_gate(self, name: str) -> None:
        await self._database.write(lambda connection: _delete_gate(connection, name))

    async def policy(self, gate: str, version: int | None = None) -> PolicyVersion | None:
        return await self._database.read(lambda connection: _policy(connection, gate, version))

    async def policy_versions(self, gate: str, before: int | None, limit: int) -> Sequence[PolicyVersion]:
        return await self._database.read(lambda connection: _versions(connection, gate, before, limit))

    async def save_policy(
        self, gate: str, document: Mapping[str, object], *, author: str, reason: str, at: datetime, expected: int
    ) -> PolicyVersion:
        saved = PolicyVersion(gate, expected + 1, dict(document), author, reason, at)
        await self._database.write(lambda connection: add_policy(connection, saved))
        return saved


def create_gate(connection: Connection, name: str, at: datetime) -> None:
    """Add a gate. Raises Conflict when there is one of that name."""
    if _exists(connection, name):
        raise Conflict(f"there is a gate {name!r} already; choose another name")
    connection.execute(insert(GATES).values(name=name, created_at=at))


def add_policy(connection: Connection, saved: PolicyVersion) -> None:
    """Add a version. Raises NotFound for an unknown gate, Conflict unless it follows the newest version."""
    _require(connection, saved.gate)
    newest = connection.execute(select(func.max(POLICIES.c.version)).where(POLICIES.c.gate == saved.gate)).scalar() or 0
    if newest != saved.version - 1:
        raise Conflict(
            f"the policy of gate {saved.gate!r} is at version {newest}, not {saved.version - 1}; read it again, "
            "then save your change on top"
        )
    connection.execute(insert(POLICIES).values({name: getattr(saved, name) for name in _COLUMNS}))


def _delete_gate(connection: Connection, name: str) -> None:
    _require(connection, name)
    connection.execute(GATES.delete().where(GATES.c.name == name))


def _policy(connection: Connection, gate: str, version: int | None) -> PolicyVersion | None:
    _require(connection, gate)
    query = select(POLICIES).where(POLICIES.c.gate == gate).order_by(POLICIES.c.version.desc()).limit(1)
    if version is not None:
        query = query.where(POLICIES.c.version == version)
    row = connection.execute(query).first()
    return None if row is None else _version(row)


def _versions(connection: Connection, gate: str, before: int | None, limit: int) -> list[PolicyVersion]:
    _require(connection, gate)
    query = select(POLICIES).where(POLICIES.c.gate == gate).order_by(POLICIES.c.version.desc()).limit(limit)
    if before is not None:
        query = query.where(POLICIES.c.version < before)
    return [_version(row) for row in connection.execute(query)]


def _version(row: Row[Any]) -> PolicyVersion:
    return PolicyVersion(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it


def _require(connection: Connection, gate: str) -> None:
    if not _exists(connection, gate):
        raise NotFound(f"there is no gate {gate!r}")


def _exists(connection: Connection, gate: str) -> bool:
    return connection.execute(select(GATES.c.name).where(GATES.c.name == gate)).first() is not None
