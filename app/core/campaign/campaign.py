"""A campaign: what is to be sent, to how many, when, and how its release stands."""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.core.campaign.handover import Handover


class TrafficClass(StrEnum):
    """Why people get the mail: to sell (promotional), or because they need it (service)."""

    PROMOTIONAL = "promotional"
    SERVICE = "service"


class ReleaseMode(StrEnum):
    """How a campaign is released: when a person says so, when its gate lets it, in waves, or as its tool asks."""

    MANUAL = "manual"
    WHEN_READY = "when-ready"
    WAVES = "waves"
    BY_TOOL = "by-tool"  # the email tool asks for each permit itself; holdfire opens no waves


class CampaignState(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    WAITING = "waiting"  # its time has come; the gate, or a person, has not said go yet
    RELEASING = "releasing"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    GAVE_UP = "gave_up"


ENDED = frozenset({CampaignState.DONE, CampaignState.CANCELLED, CampaignState.GAVE_UP})


@dataclass(frozen=True, slots=True)
class Release:
    """How a campaign goes out. audience_per_wave and wave_gap_seconds belong to waves; None: as the gate allows."""

    mode: ReleaseMode = ReleaseMode.MANUAL
    audience_per_wave: int | None = None
    wave_gap_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign. id: chosen by its makers, lower-case, used wherever a campaign is named.

    announced_at: when it was scheduled with its present start, which is when the contact center had notice; None for
    a draft. earliest_start None: as soon as it is scheduled. give_up_at None: it waits for ever.
    paused_by: "gate" when it goes on by itself, else who paused it. revision grows by one with each change.
    queue_mix: (queue, share) of its contacts, shares above 0 with the sum 1; () while nobody has said.
    holdout_ratio, 0..0.5: the share of the audience that its tool leaves out, picked at random.
    sender: the tool that holdfire drives to send it; None: whoever sends it asks.
    """

    id: str
    title: str
    gate: str
    audience: int
    owner: str
    created_at: datetime
    kind: str = ""
    traffic_class: TrafficClass = TrafficClass.PROMOTIONAL
    contacts_per_1000: float | None = None
    earliest_start: datetime | None = None
    give_up_at: datetime | None = None
    release: Release = Release()
    state: CampaignState = CampaignState.DRAFT
    announced_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    paused_by: str | None = None
    reason: str = ""
    revision: int = 1
    queue_mix: tuple[tuple[str, float], ...] = ()
    holdout_ratio: float = 0.0
    sender: Handover | None = None

    @property
    def held_out(self) -> int:
        """How many of the audience are sent nothing, so that what the campaign causes can be told from the rest."""
        return held_out(self.audience, self.holdout_ratio)

    @property
    def recipients(self) -> int:
        """How many are sent to: the audience without those who are held out; at least 1."""
        return self.audience - self.held_out

    @property
    def full_wave(self) -> int:
        """How many a wave has when nothing slows it: as its release says, else everybody who is sent to."""
        return self.release.audience_per_wave or self.recipients

    @property
    def awaits_start(self) -> bool:
        """Whether a person has to start it: it is released by hand, and nobody has said go yet."""
        return self.release.mode is ReleaseMode.MANUAL and self.started_at is None and self.state not in ENDED

    def is_due(self, now: datetime) -> bool:
        """Return whether its time has come."""
        return self.earliest_start is None or now >= self.earliest_start

    def is_overdue(self, now: datetime) -> bool:
        """Return whether its deadline is over."""
        return self.give_up_at is not None and now >= self.give_up_at


PAUSED_BY_GATE = "gate"


def held_out(audience: int, holdout_ratio: float) -> int:
    """Return how many of an audience are held out: a share of at most a half, rounded down."""
    return math.floor(audience * holdout_ratio)
