"""What the outlook tells a gate: whether a limit is likely to break anyway, and how much may be sent before one does.

Computed beside the gate (core/forecast), used by it while it is fresh. Where a policy has an `outlook`, the gate holds
while a limit is more likely to break than the policy accepts though nothing more is sent; it resumes once two outlooks
in a row say otherwise. An outlook that is missing, too old, or says that it cannot know leaves the gate unknown, and
never ends a hold.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from app.core.floor.metric import Metric
from app.core.forecast.limits import OutlookLimits

STALE_AFTER_SECONDS = 120.0
MAX_AHEAD = timedelta(seconds=5)
ASK_SOONEST, ASK_LATEST = timedelta(seconds=60), timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Predicted:
    """A limit that is likely to break: of which metric and queue, when, what is expected there, and how likely.

    expected None: nobody is there to answer, so no value can be given; or it is a backlog, which breaks at any instant
    of the span.
    """

    metric: Metric
    queue: str
    starts_at: datetime
    ends_at: datetime
    expected: float | None
    limit: float
    probability: float


class Portion(NamedTuple):
    """So many may be sent from then on."""

    starts_at: datetime
    audience: int


class Reinforcement(NamedTuple):
    """With so many more agents, so many could be sent now."""

    agents: int
    audience: int


@dataclass(frozen=True, slots=True)
class Room:
    """What may be sent now by one campaign, or by mail of no known campaign.

    audience: the largest safe send. contacts_per_1000: the mean that was reckoned with. forbids: the limit that
    forbids more; None where no more was asked about. next_portions: what may follow, in order of time, if the first is
    sent now; where nothing may go now, the first that may. reinforcements: fewest agents first.
    """

    audience: int
    contacts_per_1000: float
    forbids: Predicted | None = None
    next_portions: tuple[Portion, ...] = ()
    reinforcements: tuple[Reinforcement, ...] = ()


class Elsewhere(NamedTuple):
    """What goes through other gates and comes to this gate's queues, too.

    given: what other gates had given away by then, ever. contacts_per_1000: the highest contact rate among their mail.
    """

    given: int
    contacts_per_1000: float


@dataclass(frozen=True, slots=True)
class Foresight:
    """One outlook as the gate uses it.

    at: the instant it looks from. breach_probability: of any limit, if nothing more is sent than what is given away
    already; breaks: the limit that is likeliest to. given: what the gate had given away by then, ever. rooms: by
    campaign, "" for mail of no known campaign. unknown: why nothing can be said; "" where all of this can.
    good_for_seconds: how long it may be used; less than the two minutes by the age of the floor it started from, longer
    only where a demonstration's clock runs fast.
    elsewhere: None where nothing comes to this gate's queues that goes through others.
    """

    at: datetime
    given: int = 0
    breach_probability: float = 1.0
    breaks: Predicted | None = None
    rooms: tuple[tuple[str, Room], ...] = ()
    unknown: str = ""
    good_for_seconds: float = STALE_AFTER_SECONDS
    elsewhere: Elsewhere | None = None

    @property
    def stale_at(self) -> datetime:
        """The instant from which it is too old."""
        return self.at + timedelta(seconds=self.good_for_seconds)

    def room(self, campaign: str | None) -> Room | None:
        """Return what a campaign may send; one that was not reckoned with is treated like mail of no campaign."""
        rooms = dict(self.rooms)
        return rooms.get(campaign or "") or rooms.get("")

    def most_contacts_per_1000(self) -> float:
        """Return the highest contact rate among all that was reckoned with."""
        return max((room.contacts_per_1000 for _, room in self.rooms), default=0.0)

    def least_limited(self, default: int) -> int:
        """Return the least audience above 0 that a limit leaves to anybody; the default where none binds anybody."""
        limited = (room.audience for _, room in self.rooms if room.forbids is not None and room.audience > 0)
        return min(limited, default=default)


class OutlookMemory(NamedTuple):
    """That a gate holds because of its outlook: since when, and the first good outlook since; None: none yet."""

    changed_at: datetime
    good_at: datetime | None = None


class Standing(Enum):
    """How a policy's outlook stands."""

    OPEN = "open"
    HOLDING = "holding"
    RECOVERING = "recovering"  # one good outlook; the next one decides
    MISSING = "missing"
    STALE = "stale"
    UNKNOWN = "unknown"


BLIND = frozenset({Standing.MISSING, Standing.STALE, Standing.UNKNOWN})
HELD = frozenset({Standing.HOLDING, Standing.RECOVERING})


def judge(
    limits: OutlookLimits, foresight: Foresight | None, before: OutlookMemory | None, now: datetime
) -> tuple[Standing, OutlookMemory | None]:
    """Return how a policy's outlook stands at `now`, and what to remember of it; None: it does not hold."""
    if foresight is None:
        return Standing.MISSING, before
    if now >= foresight.stale_at or foresight.at - now > MAX_AHEAD:
        return Standing.STALE, before
    if foresight.unknown:
        return Standing.UNKNOWN, before
    if not foresight.breach_probability <= limits.max_breach_probability:  # NaN is not within limits
        return Standing.HOLDING, OutlookMemory(now if before is None else before.changed_at)
    if before is None or (before.good_at is not None and foresight.at > before.good_at):
        return Standing.OPEN, None
    return Standing.RECOVERING, before if before.good_at is not None else before._replace(good_at=foresight.at)


def ask_again(foresight: Foresight | None, campaign: str | None, now: datetime) -> datetime:
    """Return when asking again is worth while: when something may go, but soon enough to see the outlook improve."""
    room = foresight.room(campaign) if foresight else None
    coming = [portion.starts_at for portion in room.next_portions if portion.starts_at > now] if room else []
    return min(max(coming[0], now + ASK_SOONEST), now + ASK_LATEST) if coming else now + ASK_SOONEST
