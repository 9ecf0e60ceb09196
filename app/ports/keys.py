"""API keys: what they let their holders do, and where they are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.core.client_profile import PLAIN, ClientProfile
from app.core.event import Event


class Scope(str):
    """One of: ingest, readiness, permits, campaigns, policies, read, admin."""

    __slots__ = ()


SCOPES: tuple[Scope, ...] = tuple(
    Scope(name) for name in ("ingest", "readiness", "permits", "campaigns", "policies", "read", "admin")
)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret: only the secret's SHA-256 is kept. expires_at or revoked_at None: not so.

    profile: how its holder is answered.
    """

    id: str
    name: str
    scopes: frozenset[str]
    secret_sha256: bytes
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    profile: ClientProfile = PLAIN


class KeyStore(Protocol):
    """API keys."""

    async def keys(self) -> Sequence[ApiKey]:
        """Return all keys, revoked ones too, oldest first."""

    async def add_key(self, key: ApiKey, event: Event) -> None:
        """Add a key. Raises Conflict when its id is taken."""

    async def revoke_key(self, key_id: str, at: datetime, event: Event) -> ApiKey:
        """Mark a key revoked (again: no change and no event) and return it. Raises NotFound."""

    async def save_profile(self, key_id: str, profile: ClientProfile, event: Event) -> ApiKey:
        """Replace a key's profile (by the same: no change and no event) and return the key. Raises NotFound."""
