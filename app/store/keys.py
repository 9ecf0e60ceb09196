"""API keys, on SQL."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from app.core.client_profile import PLAIN, ClientProfile, RetryUnit
from app.core.event import Event
from app.errors import Conflict, NotFound
from app.ports.keys import ApiKey, Scope
from app.store.engine import Database
from app.store.events import append_events
from app.store.tables import API_KEYS

_COLUMNS = tuple(API_KEYS.columns.keys())


class SqlKeys:
    """The KeyStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keys(self) -> Sequence[ApiKey]:
        return await self._database.read(_keys)

    async def add_key(self, key: ApiKey, event: Event) -> None:
        await self._database.write(lambda connection: _add(connection, key, event))

    async def revoke_key(self, key_id: str, at: datetime, event: Event) -> ApiKey:
        return await self._database.write(lambda connection: _revoke(connection, key_id, at, event))

    async def save_profile(self, key_id: str, profile: ClientProfile, event: Event) -> ApiKey:
        return await self._database.write(lambda connection: _save_profile(connection, key_id, profile, event))


def _keys(connection: Connection) -> list[ApiKey]:
    return [_key(row) for row in connection.execute(select(API_KEYS).order_by(API_KEYS.c.created_at, API_KEYS.c.id))]


def _add(connection: Connection, key: ApiKey, event: Event) -> None:
    if _find(connection, key.id) is not None:
        raise Conflict(f"there is a key {key.id!r} already")
    row = {name: getattr(key, name) for name in _COLUMNS}
    row |= {"scopes": sorted(key.scopes), "profile": _kept(key.profile)}
    connection.execute(insert(API_KEYS).values(row))
    append_events(connection, [event])


def _revoke(connection: Connection, key_id: str, at: datetime, event: Event) -> ApiKey:
    row = _find(connection, key_id)
    if row is None:
        raise NotFound(f"there is no key {key_id!r}")
    key = _key(row)
    if key.revoked_at is not None:
        return key
    connection.execute(update(API_KEYS).where(API_KEYS.c.id == key_id).values(revoked_at=at))
    named = {"name": key.name, "scopes": sorted(map(str, key.scopes))}
    ends = [replace(event, before=named | {"revoked_at": None}, after=named | {"revoked_at": at})]
    append_events(connection, ends)
    return replace(key, revoked_at=at)


def _save_profile(connection: Connection, key_id: str, profile: ClientProfile, event: Event) -> ApiKey:
    row = _find(connection, key_id)
    if row is None:
        raise NotFound(f"there is no key {key_id!r}")
    key = _key(row)
    if key.profile == profile:
        return key
    connection.execute(update(API_KEYS).where(API_KEYS.c.id == key_id).values(profile=_kept(profile)))
    append_events(connection, [replace(event, before=asdict(key.profile), after=asdict(profile))])
    return replace(key, profile=profile)


def _kept(profile: ClientProfile) -> dict[str, Any] | None:
    return None if profile == PLAIN else asdict(profile)


def _profile(kept: dict[str, Any] | None) -> ClientProfile:
    if kept is None:
        return PLAIN
    return ClientProfile(**kept | {"retry_after_unit": RetryUnit(kept["retry_after_unit"])})


def _find(connection: Connection, key_id: str) -> Row[Any] | None:
    return connection.execute(select(API_KEYS).where(API_KEYS.c.id == key_id)).first()


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=frozenset(map(Scope, row.scopes)),
        secret_sha256=row.secret_sha256,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        profile=_profile(row.profile),
    )
