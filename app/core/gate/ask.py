"""An ask and its answer: what is known of who asks, and what they are told."""

from dataclasses import dataclass
from datetime import datetime

from app.core.campaign.campaign import CampaignState, TrafficClass
from app.core.gate.decision import Reason, Verdict
from app.core.gate.override import Override
from app.core.permit.permit import NOTHING_SPENT, Spent


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What an answer needs to know of a campaign. missing_acknowledgements None: there is no briefing at all.

    audience: how many are sent to, those held out not among them. wave_limit: the most that may be out at once, while
    it probes; None: no limit of its own. spent.outstanding is what its live permits may still send; sent is all it ever
    sent. awaits_start: somebody has to start it by hand first.
    """

    id: str
    gate: str
    audience: int
    state: CampaignState
    traffic_class: TrafficClass = TrafficClass.PROMOTIONAL
    announced_at: datetime | None = None
    earliest_start: datetime | None = None
    give_up_at: datetime | None = None
    paused_by: str | None = None
    missing_acknowledgements: tuple[str, ...] | None = None
    wave_limit: int | None = None
    spent: Spent = NOTHING_SPENT
    sent: int = 0
    awaits_start: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: may so many go (None: is the gate open), for this campaign.

    campaign is the name that was given; facts what is known of it, None for a name that no campaign has.
    """

    audience: int | None = None
    accept_partial: bool = False
    campaign: str | None = None
    facts: CampaignFacts | None = None

    @property
    def labels(self) -> dict[str, str]:
        """What overrides match on. Mail that is not known to be anything else counts as promotional."""
        traffic_class = self.facts.traffic_class if self.facts else TrafficClass.PROMOTIONAL
        named = {"campaign": self.campaign} if self.campaign else {}
        return named | {"traffic_class": traffic_class.value}


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer: verdict, how many may go (None: no limit and no number asked), reasons with the binding one first.

    reasons of a send: () where the gate lets it go by itself, else what lets it. override: the one that took part,
    None when none did. retry_at: the earliest instant worth asking again, None for a send.
    """

    verdict: Verdict
    allow: int | None
    reasons: tuple[Reason, ...]
    override: Override | None = None
    retry_at: datetime | None = None
