"""Screens on the wall: what each may show, and where they are kept."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.core.event import Event


@dataclass(frozen=True, slots=True)
class Display:
    """A screen that may show one gate without anybody being signed in; only its token's SHA-256 is kept.

    queues (): all that the gate watches. zone: an IANA name, None for the zone of the gate's policy. created_by is a
    name. seen_at: when it was last seen to show something, to the minute; None: never.
    """

    id: str
    name: str
    gate: str
    queues: tuple[str, ...]
    zone: str | None
    secret_sha256: bytes
    created_at: datetime
    created_by: str
    revoked_at: datetime | None = None
    seen_at: datetime | None = None


class DisplayStore(Protocol):
    """Screens, revoked ones too."""

    async def add_display(self, display: Display, event: Event) -> None:
        """Add a screen. Raises Invalid when its id or its token is there already."""

    async def displays(self) -> Sequence[Display]:
        """Return all screens, oldest first, revoked ones too."""

    async def revoke_display(self, display_id: str, at: datetime, event: Event) -> Display:
        """Mark a screen revoked (again: no change and no event) and return it. Raises NotFound."""

    async def mark_displays_seen(self, display_ids: Collection[str], at: datetime) -> None:
        """Note that screens were seen; unknown ids are left out."""
