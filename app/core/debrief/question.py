"""All that a debrief is made from: plain values, so that it can be handed to another process, kept, and asked again."""

from dataclasses import dataclass
from datetime import datetime

from app.core.debrief.tagging import Tally
from app.core.floor.metric import Metric
from app.core.forecast.calendar import Calendar

STEP_SECONDS = 300
STEP_MINUTES = STEP_SECONDS // 60
COMPLAINTS = ("complaint", "complaints")
Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """The campaign. expected_per_1000: contacts per 1,000 that were to be expected before; expected_from says why.

    recipients: who was to be sent to; held_out: how many of the audience were to be left out at random.
    """

    id: str
    title: str
    kind: str
    gate: str
    state: str
    audience: int
    recipients: int
    held_out: int
    expected_per_1000: float
    expected_from: str


@dataclass(frozen=True, slots=True)
class Send:
    """So many messages went out in the minute that begins at `at` (aware UTC)."""

    at: datetime
    messages: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """One value per step of five minutes from start on; None where it is not known."""

    start: datetime
    values: Values


@dataclass(frozen=True, slots=True)
class Measured:
    """What the queue's own figures were, per five minutes of the window: None where nothing was measured.

    reached of judged contacts were within the target; answered ones waited wait_seconds in sum; backlog is the mean.
    """

    judged: Values
    reached: Values
    answered: Values
    wait_seconds: Values
    backlog: Values


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """One queue. came_in: contacts offered per step, over the weeks before and the window; it ends with the window.

    lifted: contacts that other campaigns brought in the same steps. share: the part of this campaign's contacts that
    was expected here. agents: per step of the window. busy and waiting: as the window began. A None among them, or a
    handle time that is None, leaves the floor of this queue unknown; patience None: nobody was seen to give up.
    """

    queue: str
    calendar: Calendar
    came_in: Timeline
    lifted: tuple[float, ...]
    share: float
    agents: Values
    handle_seconds: float | None
    patience_seconds: float | None
    busy: int | None
    waiting: int | None
    target_seconds: float
    measured: Measured


@dataclass(frozen=True, slots=True)
class WaveFact:
    """A wave as it went. ending "": it is open."""

    number: int
    opened_at: datetime
    ended_at: datetime | None
    allowed: int
    sent: int
    is_probe: bool
    ending: str


@dataclass(frozen=True, slots=True)
class OverrideFact:
    """An override of the campaign's gate that stood while it was sent, and how many answers it touched."""

    id: str
    effect: str
    starts_at: datetime
    ends_at: datetime
    by: str
    comment: str
    used: int


@dataclass(frozen=True, slots=True)
class Release:
    """How it was let go.

    permits were given, for `permitted` messages in all; pauses: how often its gate stopped it; refusals: asks of its
    senders that were held.
    """

    permits: int
    permitted: int
    pauses: int
    refusals: int
    waves: tuple[WaveFact, ...]
    overrides: tuple[OverrideFact, ...]


@dataclass(frozen=True, slots=True)
class Before:
    """What went before its first message.

    announced_at: when the contact center had notice of it. wanted_at: when it would have gone, had its gate let it;
    granted_at: when the first permit was given; None: not known. notice_minutes: what the policy of that time asks for,
    None without one. is_briefed: whether everybody who had to had acknowledged its briefing by then; None: nobody wrote
    one, and nobody asked for one.
    """

    announced_at: datetime | None
    wanted_at: datetime | None
    granted_at: datetime | None
    notice_minutes: float | None
    is_briefed: bool | None


@dataclass(frozen=True, slots=True)
class Limit:
    """What a policy lets a metric be: at most `value`, or at least where is_least."""

    metric: Metric
    value: float
    is_least: bool


@dataclass(frozen=True, slots=True)
class Spread:
    """What was expected per step, and its 10 and 90 % points; None where there was nothing to have a value."""

    mean: Values
    low: Values
    high: Values


@dataclass(frozen=True, slots=True)
class QueuePrediction:
    """What was predicted of one queue, per step: contacts offered, and the metrics."""

    queue: str
    offered: Values
    service_level_ratio: Spread
    speed_to_answer_seconds: Spread
    backlog: Spread


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the outlook at the time of the release says of what was then sent.

    made_at: when that outlook was made, before the first message; steps count from then. messages: those of the
    campaign that went out within its horizon. per_1000: what was believed of its contacts, with 10 and 90 % points.
    breach_probability: that any limit of the policy's outlook breaks within the horizon. queues: those that the
    campaign's contacts come to, at most eight.
    """

    made_at: datetime
    step_seconds: int
    messages: int
    per_1000: float
    per_1000_low: float
    per_1000_high: float
    breach_probability: float
    queues: tuple[QueuePrediction, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A campaign to be debriefed as of `at`. sends: what went out, in order, at least one; outstanding: may still go.

    queues: those of its gate. tallies: of contacts that named it; held_out_tallies: of people who were held out.
    bin_shares: of the learned lag, () for the published one. others: campaigns that were sent at the same time.
    unaccounted: messages that nobody ever reported, though they were permitted; is_assumed_sent: they are the sends,
    because nothing was ever reported. limits: of the policy that stood as it was let go; predicted: None where no
    outlook was kept from before. complaint_reasons: the reason tags that are complaints, in lower case.
    """

    subject: Subject
    at: datetime
    is_final: bool
    time_zone: str
    sends: tuple[Send, ...]
    outstanding: int
    release: Release
    queues: tuple[QueueFacts, ...]
    tallies: tuple[Tally, ...] = ()
    held_out_tallies: tuple[Tally, ...] = ()
    bin_shares: tuple[float, ...] = ()
    others: tuple[str, ...] = ()
    unaccounted: int = 0
    is_assumed_sent: bool = False
    before: Before | None = None
    limits: tuple[Limit, ...] = ()
    predicted: Prediction | None = None
    complaint_reasons: tuple[str, ...] = COMPLAINTS
