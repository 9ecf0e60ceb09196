"""Where campaigns, their briefings and their calendar feeds' tokens are kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.core.campaign.briefing import Acknowledgement, Briefing, Image
from app.core.campaign.campaign import Campaign, CampaignState
from app.core.event import Event


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave of a campaign: its number (1, 2, ...), the permit it goes under, and what became of it.

    ended_at None: it is open. ending says how it ended: "used", "expired", "paused", ...
    """

    campaign: str
    number: int
    permit_id: str
    allowed: int
    opened_at: datetime
    is_probe: bool = False
    sent: int = 0
    ended_at: datetime | None = None
    ending: str = ""


class CampaignStore(Protocol):
    """Campaigns and their waves."""

    async def add_campaign(self, campaign: Campaign, event: Event) -> None:
        """Add one. Raises Conflict when its id is taken, NotFound for an unknown gate."""

    async def campaign(self, campaign_id: str) -> Campaign:
        """Return one. Raises NotFound."""

    async def campaigns(
        self,
        *,
        gate: str | None = None,
        states: Sequence[CampaignState] = (),
        start: datetime | None = None,
        until: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Campaign]:
        """Return campaigns newest first by (created_at, id); start and until bound earliest_start where given."""

    async def save_campaign(self, campaign: Campaign, events: Sequence[Event], *, expected: int) -> None:
        """Replace one; its pace stays. Raises NotFound, or Conflict unless `expected` is its present revision."""

    async def delete_campaign(self, campaign_id: str, event: Event, *, expected: int) -> None:
        """Delete one with its briefing; its events stay. Raises NotFound or Conflict."""

    async def add_wave(self, wave: Wave, event: Event) -> None:
        """Write down an opened wave."""

    async def save_wave(self, wave: Wave, event: Event | None) -> None:
        """Replace sent, ended_at and ending of a wave."""

    async def waves(self, campaign_id: str) -> Sequence[Wave]:
        """Return all waves of a campaign in their order."""

    async def save_pace(self, campaign_id: str, pace: str) -> None:
        """Keep what the release of a campaign remembers between waves, as JSON text."""

    async def paces(self) -> dict[str, str]:
        """Return what was kept of every campaign that has not ended."""


class BriefingStore(Protocol):
    """Briefings with images and acknowledgements. Each change runs in one transaction with its event.

    What a change returns is the briefing as that transaction left it, whole.
    """

    async def briefing(self, campaign_id: str) -> Briefing | None:
        """Return a campaign's briefing whole, None when it has none. Raises NotFound for an unknown campaign."""

    async def briefings(self, campaign_ids: Sequence[str]) -> dict[str, Briefing]:
        """Return the briefings of those campaigns that have one."""

    async def save_briefing(self, briefing: Briefing, event: Event, *, expected: int) -> Briefing:
        """Add or replace a briefing's words; images and acknowledgements stay as they are kept.

        Raises NotFound for an unknown campaign, Conflict unless `expected` is its present version (0: none).
        """

    async def add_image(self, campaign_id: str, image: Image, content: bytes, event: Event, *, most: int) -> Briefing:
        """Add an image. Raises NotFound without a briefing, Conflict for an id that is there or `most` images."""

    async def image(self, campaign_id: str, image_id: str) -> tuple[Image, bytes]:
        """Return an image and its bytes. Raises NotFound."""

    async def remove_image(self, campaign_id: str, image_id: str, event: Event) -> Briefing:
        """Take an image away. Raises NotFound."""

    async def acknowledge(
        self, campaign_id: str, step: Callable[[Briefing], tuple[Acknowledgement, Event] | None]
    ) -> Briefing:
        """Add the acknowledgement that step makes of the present briefing, if any. Raises NotFound without one.

        What step raises ends the transaction and reaches the caller.
        """


@dataclass(frozen=True, slots=True)
class FeedToken:
    """Lets one calendar program read the campaigns without a key; only the token's SHA-256 is kept."""

    id: str
    name: str
    secret_sha256: bytes
    created_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


class FeedTokenStore(Protocol):
    """Tokens of calendar feeds."""

    async def add_feed_token(self, token: FeedToken, event: Event) -> None:
        """Add a token."""

    async def feed_tokens(self) -> Sequence[FeedToken]:
        """Return all tokens, oldest first, revoked ones too."""

    async def feed_token(self, secret_sha256: bytes) -> FeedToken | None:
        """Return the token with that digest, None when there is none."""

    async def revoke_feed_token(self, token_id: str, at: datetime, event: Event) -> FeedToken:
        """Mark a token revoked. Raises NotFound."""

    async def use_feed_token(self, token_id: str, at: datetime) -> None:
        """Note when a token was last used."""
