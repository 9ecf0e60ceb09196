"""Where it is kept who is signed in with a browser."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: the SHA-256 of its cookie's random id, and the key whose holder it is."""

    id_sha256: bytes
    key_id: str
    created_at: datetime
    expires_at: datetime


class SessionStore(Protocol):
    """Who is signed in. Ids are kept hashed: reading the database lets nobody in."""

    async def add_session(self, session: Session) -> None:
        """Add a session."""

    async def session(self, id_sha256: bytes) -> Session | None:
        """Return a session, also one past its expiry; None when there is none."""

    async def delete_session(self, id_sha256: bytes) -> None:
        """Delete a session; no error when it is gone already."""

    async def prune_sessions(self, expired_before: datetime) -> int:
        """Delete sessions that expired before that; return how many."""
