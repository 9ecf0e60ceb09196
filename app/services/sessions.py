"""Browsers in which people are signed in: begun with a password or a link, ended by sign-out, by time, or from afar.

The cookie holds a random id of 256 bits; only its SHA-256 is stored (OWASP ASVS 5.0.0, 7.2.3). Every page asks the
store, so a session that was ended anywhere lets nobody in any more. Sockets stay open: each is watched here, and closes
at once when its session ends in this process, within seconds when another process ended it.
"""

import asyncio
import hmac
import logging
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from app.core.event import Actor, Event, EventType
from app.errors import HoldfireError
from app.ports.clock import Clock
from app.ports.sessions import Session, SessionStore
from app.ports.users import User

log = logging.getLogger(__name__)

ID_BYTES = 32
# The first name is for https: browsers take it only from this very host, over TLS.
SECURE_COOKIE, PLAIN_COOKIE = "__Host-holdfire", "holdfire"
FORM_TOKEN = b"holdfire form"
LOOK_SECONDS = 5.0
SEEN_EVERY = timedelta(minutes=1)


class SignedIn(NamedTuple):
    """Who holds a page or a socket open by cookie, and in which session."""

    user: User
    session: Session


class Sessions:
    """Begins, finds and ends sessions.

    Each lasts `hours` whatever is done in it, and ends before that when nothing, no page and no open socket, used it
    for `idle_hours`.
    """

    def __init__(self, store: SessionStore, clock: Clock, hours: float, idle_hours: float) -> None:
        self._store, self._clock = store, clock
        self._lasts, self._idle = timedelta(hours=hours), timedelta(hours=idle_hours)
        self._secret_of_forms = secrets.token_bytes(ID_BYTES)
        self._open: dict[bytes, set[Callable[[], None]]] = defaultdict(set)
        self._seen: dict[bytes, datetime] = {}
        self._noted_at = clock.now()

    async def load(self) -> None:
        """Take the secret of forms from the store, where all replicas have it from; until then it is this process's."""
        self._secret_of_forms = await self._store.form_secret(self._secret_of_forms)

    async def begin(
        self, user: User, browser: str, event: Event | None, *, replaces: str | None = None
    ) -> tuple[Session, str]:
        """Return a new session of somebody and the id for its cookie; the cookie it replaces is worthless then."""
        now, cookie = self._clock.now(), secrets.token_urlsafe(ID_BYTES)
        session = Session(_digest(cookie), user.id, now, now, now + self._lasts, browser)
        former = _digest(replaces) if replaces else None
        await self._store.add_session(session, event, replaces=former)
        if former is not None:
            self._close([former])
        return session, cookie

    async def find(self, cookie: str) -> SignedIn | None:
        """Return who a cookie's id stands for, None when the session is unknown or over. It counts as used now."""
        found = await self._store.session(_digest(cookie))
        if found is None or not self._is_good(*found):
            return None
        session, user = found
        self._seen[session.id_sha256] = self._clock.now()
        return SignedIn(user, session)

    async def of(self, user_id: str) -> Sequence[Session]:
        """Return somebody's sessions that are good, the one used last first."""
        now = self._clock.now()
        return [one for one in await self._store.sessions_of(user_id) if not self._is_over(one, now)]

    async def end(self, cookie: str, reason: str) -> None:
        """Sign out: the id is worthless from now on, and its sockets close."""
        if (found := await self._store.session(_digest(cookie))) is not None:
            session, user = found
            await self._end([session], user.actor, reason)

    async def end_one(self, user: User, name: str, by: Actor) -> None:
        """End the one of somebody's sessions that has this name; none such is no error."""
        named = [session for session in await self._store.sessions_of(user.id) if session.name == name]
        await self._end(named, by, "ended from another browser")

    async def end_others(self, signed_in: SignedIn, reason: str) -> int:
        """End all of somebody's sessions but the one they are in; return how many."""
        sessions = await self._store.sessions_of(signed_in.user.id)
        others = [one for one in sessions if one.id_sha256 != signed_in.session.id_sha256]
        return await self._end(others, signed_in.user.actor, reason)

    def ended(self, sessions: Sequence[Session]) -> None:
        """Close the sockets of sessions that a change of their owner has just ended in the store."""
        self._close([session.id_sha256 for session in sessions])

    @contextmanager
    def watching(self, session: Session, over: Callable[[], None]) -> Iterator[None]:
        """Have `over` called once a session is over; meanwhile it counts as used."""
        watchers = self._open[session.id_sha256]
        watchers.add(over)
        try:
            yield
        finally:
            watchers.discard(over)
            if not watchers:
                self._open.pop(session.id_sha256, None)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`: note what is used, close sockets whose session is over, forget sessions that are."""
        while not stop.is_set():
            try:
                await self.look()
            except (HoldfireError, OSError) as fault:
                log.warning("sessions_not_looked_at", extra={"error": str(fault)})
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def look(self) -> None:
        """Do once what `run` does every few seconds."""
        now = self._clock.now()
        self._seen |= dict.fromkeys(self._open, now)
        if now - self._noted_at >= SEEN_EVERY:
            self._noted_at = now
            due, self._seen = self._seen, {}
            await self._store.mark_seen(due)
            await self._store.prune_sessions(now, now - self._idle)
        if self._open:
            live = await self._store.live_sessions(now, now - self._idle - SEEN_EVERY)
            self._close([watched for watched in self._open if watched not in live])

    def form_token(self, cookie: str | None) -> str:
        """Return what the forms of a session carry, so that only its own pages can send them (OWASP ASVS 3.5.1).

        It follows from the session's id, which it does not give away; without a session it is the installation's. It is
        masked anew each time: how well a page packs, which others may see, says nothing about it.
        """
        mask = secrets.token_bytes(ID_BYTES)
        return urlsafe_b64encode(mask + _masked(self._form_secret(cookie), mask)).decode().rstrip("=")

    def is_form_token(self, cookie: str | None, token: str) -> bool:
        """Return whether a text is a token for the forms of a session."""
        try:
            both = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return False
        mask, rest = both[:ID_BYTES], both[ID_BYTES:]
        return len(rest) == ID_BYTES and hmac.compare_digest(_masked(rest, mask), self._form_secret(cookie))

    def _form_secret(self, cookie: str | None) -> bytes:
        return hmac.digest(cookie.encode() if cookie else self._secret_of_forms, FORM_TOKEN, "sha256")

    async def _end(self, sessions: Sequence[Session], by: Actor, reason: str) -> int:
        if not sessions:
            return 0
        owner = sessions[0].user_id
        after = {"sessions": len(sessions)}
        event = Event(EventType.SESSION_ENDED, self._clock.now(), by, f"user/{owner}", reason, after=after)
        ids = [session.id_sha256 for session in sessions]
        ended = await self._store.delete_sessions(ids, event)
        self._close(ids)
        return ended

    def _close(self, ids: Collection[bytes]) -> None:
        for each in ids:
            self._seen.pop(each, None)
            for over in self._open.get(each, ()):
                over()

    def _is_good(self, session: Session, user: User) -> bool:
        return user.disabled_at is None and not self._is_over(session, self._clock.now())

    def _is_over(self, session: Session, now: datetime) -> bool:
        seen_at = max(session.seen_at, self._seen.get(session.id_sha256, session.seen_at))
        return session.expires_at <= now or seen_at + self._idle < now


def cookie_in(cookies: Mapping[str, str], *, secure: bool = False) -> str | None:
    """Return the session id among a request's cookies, None without one. secure: only the one that needs TLS counts."""
    return cookies.get(SECURE_COOKIE) or (None if secure else cookies.get(PLAIN_COOKIE))


def _digest(cookie: str) -> bytes:
    return sha256(cookie.encode("utf-8", "surrogatepass")).digest()


def _masked(secret: bytes, mask: bytes) -> bytes:
    return bytes(each ^ other for each, other in zip(secret, mask, strict=True))
