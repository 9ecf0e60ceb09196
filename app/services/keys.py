"""API keys: made, listed, revoked, and recognised in a microsecond.

A key reads hf_<env>_<id>_<secret>. id (8 characters) finds it; secret is 40 random characters (200 bits) and six of
checksum, so that a mistyped or cut-off key is told apart from an unknown one without looking anything up. Only the
SHA-256 of the whole key is kept: 200 random bits need no slow hash (OWASP ASVS 5.0.0, 6.5.2).
"""

import asyncio
import base64
import logging
import re
import secrets
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest

from app.core.client_profile import PLAIN, ClientProfile
from app.core.event import HOLDFIRE, Actor, Event, EventType
from app.core.problem import Problem
from app.errors import HoldfireError, Invalid, NotFound
from app.ports.clock import Clock
from app.ports.keys import SCOPES, ApiKey, KeyStore
from app.services.profiles import changed_profile, profile_shape
from app.services.rates import Rates

log = logging.getLogger(__name__)

ID_LENGTH, SECRET_LENGTH, CHECKSUM_LENGTH = 8, 40, 6
MAX_NAME = 100
RELOAD_SECONDS = 5.0
KEY_FORM = re.compile(r"hf_[a-z0-9]{1,16}_([a-z2-7]{8})_[a-z2-7]{46}")
_ENVIRONMENT = re.compile(r"[a-z0-9]{1,16}")


class Keys:
    """All keys, held in memory; `load` brings in what other processes changed."""

    def __init__(self, store: KeyStore, clock: Clock, rates: Rates | None = None) -> None:
        self._store, self._clock = store, clock
        self.rates = rates or Rates()
        self._by_id: dict[str, ApiKey] = {}

    async def load(self) -> None:
        """Read all keys anew. On a failure the ones known stay as they are."""
        self._by_id = {key.id: key for key in await self._store.keys()}

    async def run(self, stop: asyncio.Event) -> None:
        """Reload every few seconds until `stop`: a key made or revoked on the command line counts soon."""
        while not stop.is_set():
            try:
                await self.load()
            except (HoldfireError, OSError) as fault:
                log.warning("keys_not_reloaded", extra={"error": str(fault)})
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RELOAD_SECONDS)

    async def create(
        self,
        name: str,
        scopes: Iterable[str],
        env: str = "live",
        expires_at: datetime | None = None,
        *,
        profile: ClientProfile = PLAIN,
        actor: Actor = HOLDFIRE,
    ) -> tuple[ApiKey, str]:
        """Return a new key and, this once, its plain text. Raises Invalid for a bad name, scope, env or expiry.

        profile: from app.services.profiles, which checks it.
        """
        now = self._clock.now()
        granted = frozenset(map(str, scopes))  # as plain text, whatever kind of it was given
        _refuse_bad(name, granted, env, expires_at, now)
        key_id, token = new_token(env)
        key = ApiKey(key_id, name, granted, sha256(token.encode()).digest(), now, expires_at, profile=profile)
        made: dict[str, object] = {"name": name, "scopes": sorted(granted), "env": env, "expires_at": expires_at}
        if profile != PLAIN:
            made["profile"] = profile_shape(profile)
        await self._store.add_key(key, Event(EventType.KEY_CREATED, now, actor, f"key/{key_id}", after=made))
        self._by_id[key_id] = key
        return key, token

    async def change_profile(
        self, key_id: str, changes: Mapping[str, object], *, actor: Actor = HOLDFIRE, reason: str = ""
    ) -> ApiKey:
        """Return the key, some members of its profile replaced: it counts from now on. Raises NotFound or Invalid."""
        former = next((key.profile for key in await self._store.keys() if key.id == key_id), PLAIN)
        profile = changed_profile(former, changes)
        event = Event(EventType.KEY_CHANGED, self._clock.now(), actor, f"key/{key_id}", reason)
        key = self._by_id[key_id] = await self._store.save_profile(key_id, profile, event)
        return key

    async def revoke(self, key_id: str, *, actor: Actor = HOLDFIRE) -> ApiKey:
        """Return the key, revoked: it is refused from now on. Raises NotFound."""
        event = Event(EventType.KEY_REVOKED, self._clock.now(), actor, f"key/{key_id}")
        key = self._by_id[key_id] = await self._store.revoke_key(key_id, event.at, event)
        return key

    async def all(self) -> Sequence[ApiKey]:
        """Return all keys, revoked ones too, oldest first."""
        return await self._store.keys()

    async def find(self, key_id: str) -> ApiKey:
        """Return one key, also a revoked one. Raises NotFound."""
        found = next((key for key in await self._store.keys() if key.id == key_id), None)
        if found is None:
            raise NotFound(f"there is no key {key_id!r}")
        return found

    def authenticate(self, token: str) -> ApiKey | None:
        """Return the key this text is, None when it is unknown, revoked or past its time."""
        parts = token.split("_", 3)
        if len(parts) != 4:  # noqa: PLR2004  hf, env, id, secret
            return None
        key = self._by_id.get(parts[2])
        if key is None or not compare_digest(sha256(token.encode()).digest(), key.secret_sha256):
            return None
        return self.valid(key.id)

    def valid(self, key_id: str) -> ApiKey | None:
        """Return the key of that id, None when it is unknown, revoked or past its time."""
        key = self._by_id.get(key_id)
        if key is None or key.revoked_at is not None:
            return None
        return None if key.expires_at is not None and key.expires_at <= self._clock.now() else key


def new_token(env: str) -> tuple[str, str]:
    """Return a fresh id and the plain text of a key that carries it."""
    key_id = _random(ID_LENGTH)
    secret = _random(SECRET_LENGTH)
    stem = f"hf_{env}_{key_id}_{secret}"
    return key_id, stem + _checksum(stem)


def is_whole(token: str) -> bool:
    """Return whether a text has a key's form and its checksum fits: nothing was mistyped or cut off."""
    stem, checksum = token[:-CHECKSUM_LENGTH], token[-CHECKSUM_LENGTH:]
    return KEY_FORM.fullmatch(token) is not None and checksum == _checksum(stem)


def _random(length: int) -> str:
    return base64.b32encode(secrets.token_bytes(length * 5 // 8)).decode().lower()


def _checksum(stem: str) -> str:
    crc = zlib.crc32(stem.encode()).to_bytes(4, "big")
    return base64.b32encode(crc).decode().lower()[:CHECKSUM_LENGTH]


def _refuse_bad(name: str, scopes: frozenset[str], env: str, expires_at: datetime | None, now: datetime) -> None:
    problems = []
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        problems.append(Problem("/name", f"a key's name is 1 to {MAX_NAME} printable characters; say who will use it"))
    known = ", ".join(SCOPES)
    problems.extend(
        Problem("/scopes", f"{scope!r} is not a scope; known are {known}") for scope in sorted(scopes - set(SCOPES))
    )
    if not scopes:
        problems.append(Problem("/scopes", f"a key needs at least one scope of {known}"))
    if not _ENVIRONMENT.fullmatch(env):
        problems.append(Problem("/env", f"{env!r} must be 1 to 16 lower-case letters and digits, like live or test"))
    if expires_at is not None and expires_at <= now:
        problems.append(Problem("/expires_at", f"{expires_at.isoformat()} is past; now is {now.isoformat()}"))
    if problems:
        raise Invalid("the key was refused; nothing was made", problems)
