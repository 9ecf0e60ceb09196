"""What a gate says, why, and what it must remember until the next time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from app.core.floor.metric import Metric
from app.core.gate.foresight import OutlookMemory


class Verdict(StrEnum):
    """The four states of a gate. `unknown` is answered as hold, with a reason of the data_* family."""

    SEND = "send"
    THROTTLE = "throttle"
    HOLD = "hold"
    UNKNOWN = "unknown"


class ReasonCode(StrEnum):
    """Why a send is held, or goes though its gate is not open, in a word that machines can match on.

    data_*: we cannot know; the rest: we know.
    """

    DATA_NO_POLICY = "data_no_policy"
    DATA_NO_QUEUES = "data_no_queues"
    DATA_MISSING = "data_missing"
    DATA_STALE = "data_stale"
    DATA_EVALUATION_LATE = "data_evaluation_late"
    DATA_STARTING = "data_starting"
    DATA_OUTLOOK_MISSING = "data_outlook_missing"
    DATA_OUTLOOK_STALE = "data_outlook_stale"
    BACKLOG_HIGH = "backlog_high"
    OLDEST_WAIT_HIGH = "oldest_wait_high"
    ABANDONMENT_HIGH = "abandonment_high"
    CONTACTS_IN_PROGRESS_HIGH = "contacts_in_progress_high"
    AGENTS_STAFFED_LOW = "agents_staffed_low"
    AGENTS_AVAILABLE_LOW = "agents_available_low"
    AGENTS_BUSY_HIGH = "agents_busy_high"
    OCCUPANCY_HIGH = "occupancy_high"
    SPEED_TO_ANSWER_HIGH = "speed_to_answer_high"
    SERVICE_LEVEL_LOW = "service_level_low"
    HANDLE_TIME_HIGH = "handle_time_high"
    PREDICTED_SERVICE_LEVEL_LOW = "predicted_service_level_low"
    PREDICTED_SPEED_TO_ANSWER_HIGH = "predicted_speed_to_answer_high"
    PREDICTED_ABANDONMENT_HIGH = "predicted_abandonment_high"
    PREDICTED_BACKLOG_HIGH = "predicted_backlog_high"
    OUTSIDE_SEND_WINDOW = "outside_send_window"
    AUDIENCE_ABOVE_WAVE_LIMIT = "audience_above_wave_limit"
    HEADROOM_SPENT = "headroom_spent"
    OVERRIDE_HOLD = "override_hold"
    OVERRIDE_ALLOW = "override_allow"
    EXEMPT_TRAFFIC_CLASS = "exempt_traffic_class"
    NOTICE_TOO_SHORT = "notice_too_short"
    BRIEFING_NOT_ACKNOWLEDGED = "briefing_not_acknowledged"
    CAMPAIGN_OF_OTHER_GATE = "campaign_of_other_gate"
    CAMPAIGN_NOT_STARTED = "campaign_not_started"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_ENDED = "campaign_ended"
    CAMPAIGN_AUDIENCE_SPENT = "campaign_audience_spent"
    CAMPAIGN_PROBING = "campaign_probing"
    CAMPAIGN_NO_OPEN_WAVE = "campaign_no_open_wave"
    CLIENT_RATE = "client_rate"
    PERMIT_PAUSED = "permit_paused"

    @property
    def is_data(self) -> bool:
        """Whether this says that something cannot be known."""
        return self.startswith("data_")


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause of a hold: what was seen, the limit it must meet, and since when. `binding` marks the deciding one.

    op is the relation that would let the send go (observed op limit), e.g. "<=" for a backlog.
    """

    code: ReasonCode
    message: str
    metric: Metric | None = None
    queue: str | None = None
    observed: float | None = None
    op: str | None = None
    limit: float | None = None
    unit: str | None = None
    window_seconds: float | None = None
    as_of: datetime | None = None
    since: datetime | None = None
    binding: bool = False


class CheckStatus(StrEnum):
    """How one rule stands on one queue."""

    PASS = "pass"
    HOLDING = "holding"
    PENDING = "pending"  # the limit is passed, hold_for has not run out yet
    RECOVERING = "recovering"  # good again, resume_for has not run out yet
    TOO_FEW = "too_few"  # fewer contacts than min_samples: not judged
    IGNORED = "ignored"  # never reported, and the rule says to ignore that
    MISSING = "missing"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Check:
    """How one rule stands on one queue now: the why-panel's row, whether it passes or not.

    margin is how far the value is on the good side of the hold limit, in the metric's unit; negative when past it.
    """

    metric: Metric | None
    queue: str | None
    status: CheckStatus
    value: float | None = None
    op: str | None = None
    limit: float | None = None
    resume_limit: float | None = None
    margin: float | None = None
    unit: str | None = None
    window_seconds: float | None = None
    samples: int | None = None
    as_of: datetime | None = None
    since: datetime | None = None
    clears_at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RuleMemory:
    """What one rule remembers about one queue: whether it holds, since when, and which timer runs since when.

    pending_since: the running timer's start, moved on by every gap so that now - pending_since is what has counted.
    frozen_at: where the timer stands still, because the data is missing or stale. seen_at: the last look at which
    the timer ran; a look much later finds a gap. Each is None when there is nothing of the kind.
    """

    holding: bool = False
    changed_at: datetime | None = None
    pending_since: datetime | None = None
    frozen_at: datetime | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GateMemory:
    """All that `decide` carries from one call to the next. rules is keyed by (rule key, queue).

    outlook: that the gate holds because of its outlook; None: it does not.

    told, told_since: what everybody was told last, and since when, where overrides make it differ from verdict and
    since; None where they do not. `decide` neither reads nor keeps these.
    """

    verdict: Verdict | None = None
    since: datetime | None = None
    rules: Mapping[tuple[str, str], RuleMemory] = field(default_factory=dict)
    told: Verdict | None = None
    told_since: datetime | None = None
    outlook: OutlookMemory | None = None


class Explanation(Protocol):
    """What can still say why, after the decision was taken. It holds values only, so it says the same at any time."""

    def reasons(self) -> tuple[Reason, ...]:
        """Return the causes of a hold or of not knowing, the binding one first; () for a send."""

    def checks(self) -> tuple[Check, ...]:
        """Return how every rule stands on every queue."""

    def queues_looked_at(self) -> int:
        """Return how many queues have checks, at the cost of none of them."""


class _Explained:
    """Gives a Decision its reasons and checks when somebody first looks at them."""

    __slots__ = ("_explanation",)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name not in ("reasons", "checks"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            value = getattr(self._explanation, name)()
            object.__setattr__(self, name, value)
            return value


@dataclass(frozen=True, slots=True)
class Decision(_Explained):
    """What the gate says at `at`: the verdict, its reasons (binding first), and every rule's standing.

    reasons is never empty for hold and unknown. since: when this verdict began. data_as_of: the oldest of the newest
    data the decision needed, None without any. retry_at: earliest instant worth asking again, None for send.
    valid_until: the instant from which this answer must not be used any more.
    next_review_at: when the verdict could change without new data (a timer, a window's edge, staleness).

    A value like any other frozen dataclass. One made by `explained_by` builds its reasons and checks when they are
    first looked at, from the values it was decided by: a gate decides every second and is read far less often.
    """

    verdict: Verdict
    at: datetime
    since: datetime
    reasons: tuple[Reason, ...]
    checks: tuple[Check, ...]
    mode: str
    data_as_of: datetime | None
    valid_until: datetime
    retry_at: datetime | None
    next_review_at: datetime | None

    @classmethod
    def explained_by(
        cls,
        explanation: Explanation,
        *,
        verdict: Verdict,
        at: datetime,
        since: datetime,
        mode: str,
        data_as_of: datetime | None,
        valid_until: datetime,
        retry_at: datetime | None,
        next_review_at: datetime | None,
    ) -> "Decision":
        """Return a decision whose reasons and checks come from `explanation`, once they are asked for."""
        decision = object.__new__(cls)
        put = object.__setattr__
        put(decision, "_explanation", explanation)
        put(decision, "verdict", verdict)
        put(decision, "at", at)
        put(decision, "since", since)
        put(decision, "mode", mode)
        put(decision, "data_as_of", data_as_of)
        put(decision, "valid_until", valid_until)
        put(decision, "retry_at", retry_at)
        put(decision, "next_review_at", next_review_at)
        return decision

    def queues_looked_at(self) -> int:
        """Return how many queues have checks. A decision that can explain itself need not build them for that."""
        explanation: Explanation | None = getattr(self, "_explanation", None)
        if explanation is not None:
            return explanation.queues_looked_at()
        return len({check.queue for check in self.checks if check.queue})
