"""Browsers that are signed in: begun with an API key, ended by sign-out, by time, or with the key itself.

The cookie holds a random id of 256 bits; only its SHA-256 is stored (OWASP ASVS 5.0.0, 7.2.3). A session is never
better than its key: a key that is revoked or expired ends all its sessions at once.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple

from app.ports.clock import Clock
from app.ports.keys import ApiKey
from app.ports.sessions import Session, SessionStore
from app.services.keys import Keys

READING = frozenset({"read", "admin"})
ID_BYTES = 32
# The first name is for https: browsers take it only from this very host, over TLS.
SECURE_COOKIE, PLAIN_COOKIE = "__Host-holdfire", "holdfire"
REMEMBERED_ENDS = 10_000
FORM_TOKEN = b"holdfire form"


class Identity(NamedTuple):
    """Who holds a page or a socket open: a key, and the session where the key came by cookie."""

    key: ApiKey
    session: Session | None = None


class Sessions:
    """Begins, finds and ends sessions. Each lasts `hours`, whatever is done in it."""

    def __init__(self, store: SessionStore, keys: Keys, clock: Clock, hours: float) -> None:
        self._store, self._keys, self._clock = store, keys, clock
        self._lasts = timedelta(hours=hours)
        self._ended: deque[bytes] = deque(maxlen=REMEMBERED_ENDS)
        self._own_secret = secrets.token_bytes(ID_BYTES)

    async def begin(self, token: str) -> tuple[Identity, str] | None:
        """Return who signed in and the new session's id for the cookie; None unless the key may read."""
        key = self._keys.authenticate(token.strip())
        if key is None or not may_read(key):
            return None
        now, cookie = self._clock.now(), secrets.token_urlsafe(ID_BYTES)
        session = Session(_digest(cookie), key.id, now, now + self._lasts)
        await self._store.prune_sessions(now)
        await self._store.add_session(session)
        return Identity(key, session), cookie

    async def find(self, cookie: str) -> Identity | None:
        """Return who a cookie's id stands for, None when the session is unknown or over."""
        session = await self._store.session(_digest(cookie))
        key = self._keys.valid(session.key_id) if session else None
        if session is None or key is None:
            return None
        identity = Identity(key, session)
        return identity if self.holds(identity) else None

    async def end(self, cookie: str) -> None:
        """Sign out: the id is worthless from now on, on open sockets too."""
        self._ended.append(_digest(cookie))
        await self._store.delete_session(_digest(cookie))

    def form_token(self, cookie: str | None) -> str:
        """Return what the forms of a session carry, so that only its own pages can send them (OWASP ASVS 3.5.1).

        It follows from the session's id, which it does not give away. Without a session it is this process's own.
        """
        secret = cookie.encode() if cookie else self._own_secret
        return urlsafe_b64encode(hmac.digest(secret, FORM_TOKEN, "sha256")).decode().rstrip("=")

    def holds(self, identity: Identity) -> bool:
        """Return, from memory, whether an identity is still good: its key may read, its session is not over."""
        key = self._keys.valid(identity.key.id)
        if key is None or not may_read(key):
            return False
        session = identity.session
        return session is None or (session.expires_at > self._clock.now() and session.id_sha256 not in self._ended)

    async def confirm(self, identity: Identity) -> bool:
        """Return the same as `holds`, asking the store too: another process may have ended the session."""
        if not self.holds(identity):
            return False
        return identity.session is None or await self._store.session(identity.session.id_sha256) is not None


def may_read(key: ApiKey) -> bool:
    """Return whether a key may see pages and the live socket."""
    return not READING.isdisjoint(key.scopes)


def cookie_in(cookies: Mapping[str, str]) -> str | None:
    """Return the session id among a request's cookies, None without one."""
    return cookies.get(SECURE_COOKIE) or cookies.get(PLAIN_COOKIE)


def _digest(cookie: str) -> bytes:
    return sha256(cookie.encode()).digest()
