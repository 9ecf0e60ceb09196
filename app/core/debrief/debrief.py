"""A debrief: what a campaign did to the contact center, and what of that is not known. Its members are its JSON."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.core.debrief.question import Before, Limit, Prediction, Release, Subject, Values


class State(StrEnum):
    """How far a debrief is: as of now while contacts still come, or for good."""

    RUNNING = "running"
    FINAL = "final"


class Method(StrEnum):
    """What an estimate rests on."""

    HOLD_OUT = "hold_out"  # people picked at random who were sent nothing
    TAGGED = "tagged"  # contacts that name the campaign
    JOINT = "joint"  # when its contacts should have come, with the level of the day
    FROZEN = "frozen"  # the forecast that stood when the first message went


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many contacts the campaign brought in the window, with a 90 % interval; the same per 1,000 delivered.

    is_distinguishable: zero is not in the interval. detection_limit: a lift up to this size could not be told from
    none; null where that makes no sense.
    """

    method: Method
    contacts: float
    low: float
    high: float
    per_1000: float
    per_1000_low: float
    per_1000_high: float
    is_distinguishable: bool
    detection_limit: float | None
    said: str


@dataclass(frozen=True, slots=True)
class Count:
    """So many contacts that named the campaign; name "" where nobody said."""

    name: str
    contacts: int


@dataclass(frozen=True, slots=True)
class Tagged:
    """Contacts that named the campaign, from its first message on: in all, and by queue, channel and reason tag.

    said: in a sentence. Without any, nothing is known by tag: no contact event named the campaign.
    """

    contacts: int
    in_window: int
    queues: tuple[Count, ...]
    channels: tuple[Count, ...]
    reasons: tuple[Count, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Contacts:
    """What it brought. headline is one of the others, the one to go by; each is null where it cannot be told.

    in_all: expected by the end, 72 hours after the last message, from the headline; null without one.
    """

    headline: Estimate | None
    hold_out: Estimate | None
    tagged: Estimate | None
    joint: Estimate | None
    frozen: Estimate | None
    in_all: float | None
    said: str


@dataclass(frozen=True, slots=True)
class Course:
    """The floor per five minutes of the window, all queues together; null where it has no value.

    service_level_ratio is of contacts that arrived in the step, speed_to_answer_seconds of those of them answered.
    """

    offered: Values
    service_level_ratio: Values
    speed_to_answer_seconds: Values
    backlog: Values


@dataclass(frozen=True, slots=True)
class QueueLift:
    """What came to one queue: offered in the window, forecast without the campaign, the estimate, and those tagged.

    course: as measured, for the queues of which something was predicted; null for the others.
    """

    queue: str
    offered: int | None
    forecast: float | None
    estimate: Estimate | None
    tagged: int
    basis: str
    course: Course | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The floor over the whole window: ratios over all contacts, and the highest backlog of any five minutes."""

    offered: float | None
    service_level_ratio: float | None
    speed_to_answer_seconds: float | None
    peak_backlog: float | None


@dataclass(frozen=True, slots=True)
class Telling:
    """One way it went, or could have gone: its course, and its figures over the whole window."""

    course: Course
    figures: Figures


@dataclass(frozen=True, slots=True)
class Floor:
    """What the floor was, and what it would have been.

    measured: as the sources said. as_sent: calculated for what was sent when it was, which shows how well the
    calculation fits; at_once: had everything gone with the first message; nothing: had nothing gone. Each of the last
    three is null where it cannot be calculated. Calculated figures are expected values. queues: those calculated.
    """

    measured: Telling
    as_sent: Telling | None
    at_once: Telling | None
    nothing: Telling | None
    queues: tuple[str, ...]
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slam:
    """For how many minutes of the window some queue was past a limit of its gate's policy.

    measured_minutes: as the sources said. at_once_minutes and nothing_minutes: what was measured, changed by what all
    at once, or nothing sent, would have changed by calculation. avoided_minutes: at_once less measured; below 0 where
    it was worse than all at once. Each is null where it cannot be told; said: in a sentence, also why not.
    """

    measured_minutes: float | None
    at_once_minutes: float | None
    nothing_minutes: float | None
    avoided_minutes: float | None
    limits: tuple[Limit, ...]
    queues: tuple[str, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What went out: messages reported as sent, and what may still go under live permits."""

    messages: int
    outstanding: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is compared with its forecast: [start, until), in steps of step_seconds."""

    start: datetime
    until: datetime
    step_seconds: int


@dataclass(frozen=True, slots=True)
class Debrief:
    """What one campaign did. unknown: what cannot be said, and why; at: as of when. summary: in a few sentences.

    before, predicted, slam: null in debriefs that were made before holdfire could tell.
    """

    campaign: Subject
    state: State
    at: datetime
    time_zone: str
    sent: Sent
    window: Window
    summary: tuple[str, ...]
    contacts: Contacts
    tagged: Tagged
    queues: tuple[QueueLift, ...]
    floor: Floor
    release: Release
    unknown: tuple[str, ...]
    before: Before | None = None
    predicted: Prediction | None = None
    slam: Slam | None = None
