"""Links that let somebody in once: to set holdfire up, to join, to choose a new password. Kept by their hashes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from app.core.access import Role


class Purpose(StrEnum):
    """What a link is for; also the first part of its path."""

    SETUP = "setup"
    JOIN = "join"
    RESET = "reset"


GOOD_FOR: Mapping[Purpose, timedelta] = {
    Purpose.SETUP: timedelta(hours=1),
    Purpose.JOIN: timedelta(days=7),
    Purpose.RESET: timedelta(hours=24),
}


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that was handed out and not used yet.

    email and role: who is invited, as what; empty for setting up. user_id: whose password a reset is for. made_by: the
    name of who made it.
    """

    id: str
    token_sha256: bytes
    purpose: Purpose
    role: Role
    made_by: str
    created_at: datetime
    expires_at: datetime
    email: str = ""
    user_id: str | None = None

    def is_good(self, purpose: Purpose, now: datetime) -> bool:
        """Return whether it may be used for that now."""
        return self.purpose is purpose and now < self.expires_at


def token_digest(token: str) -> bytes:
    """Return what is kept of a token: 256 random bits need no slow hash (OWASP ASVS 5.0.0, 6.5.2)."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def link_path(purpose: Purpose, token: str) -> str:
    """Return the path of a link, to be put behind the address at which people open holdfire."""
    return f"/{purpose}/{token}"
