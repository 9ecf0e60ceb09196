"""Where the lines of the scoreboard are kept, and what campaigns were worth."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from app.core.campaign.value import CampaignValue
from app.core.event import Event


class KeptScore(NamedTuple):
    """One campaign's line, JSON-ready. is_final: of its final debrief; before that it is made anew again and again."""

    campaign: str
    began_at: datetime
    is_final: bool
    score: Mapping[str, object]


class ScoreStore(Protocol):
    """One line per campaign that was sent."""

    async def put_scores(self, scores: Sequence[KeptScore]) -> None:
        """Keep some, each in place of its campaign's last; a final one is never replaced by one that is not."""

    async def scores(self, start: datetime, until: datetime) -> Sequence[Mapping[str, object]]:
        """Return those of campaigns that began in [start, until), in that order."""

    async def unscored(self, limit: int) -> Sequence[str]:
        """Return campaigns that have a final debrief and no final line, at most so many."""


class ValueStore(Protocol):
    """What campaigns were worth: every revision is kept."""

    async def value(self, campaign_id: str) -> CampaignValue | None:
        """Return a campaign's newest figures, None while nobody has reported any."""

    async def values(self, campaign_ids: Collection[str]) -> Mapping[str, CampaignValue]:
        """Return the newest figures of those of the campaigns that have some."""

    async def value_revisions(self, campaign_id: str) -> Sequence[CampaignValue]:
        """Return all revisions, newest first."""

    async def save_values(self, values: Sequence[CampaignValue], events: Sequence[Event]) -> None:
        """Add revisions, all or none, each one above its campaign's newest (the first is 1), with their events.

        Raises Conflict where another one came first, NotFound for an unknown campaign.
        """
