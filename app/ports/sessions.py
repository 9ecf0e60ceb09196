"""Where it is kept who is signed in with a browser."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.core.event import Event
from app.ports.users import User


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: the SHA-256 of its cookie's random id, whose it is, and what browser it said it was.

    seen_at: when it was used last, to the minute. expires_at: when it ends, whatever is done in it.
    """

    id_sha256: bytes
    user_id: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    browser: str = ""

    @property
    def name(self) -> str:
        """What it is called among its owner's others; says nothing of the cookie."""
        return self.id_sha256.hex()[:16]


class SessionStore(Protocol):
    """Who is signed in. Ids are kept hashed: reading the database lets nobody in."""

    async def form_secret(self, new: bytes) -> bytes:
        """Return the secret of this installation's forms; a new one is kept where there is none yet."""

    async def add_session(self, session: Session, event: Event | None, *, replaces: bytes | None = None) -> None:
        """Add a session in the place of another one, if there is one; note when its owner signed in.

        event None: somebody signed in before, and goes on under another id.
        """

    async def session(self, id_sha256: bytes) -> tuple[Session, User] | None:
        """Return a session, also one past its time, and whose it is; None when there is none."""

    async def sessions_of(self, user_id: str) -> Sequence[Session]:
        """Return somebody's sessions, the one used last first."""

    async def live_sessions(self, now: datetime, idle_since: datetime) -> frozenset[bytes]:
        """Return the ids of all sessions that are good: not over, used since, and of people who are not disabled."""

    async def mark_seen(self, seen: Mapping[bytes, datetime]) -> None:
        """Note when sessions were used last; those that are gone stay so."""

    async def delete_sessions(self, ids: Collection[bytes], event: Event | None) -> int:
        """Delete sessions and return how many were there; the event is written if any was."""

    async def prune_sessions(self, expired_before: datetime, idle_since: datetime) -> int:
        """Delete sessions that expired before, or were not used since; return how many."""
