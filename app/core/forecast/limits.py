"""What a predicted floor is held to."""

from dataclasses import dataclass

DEFAULT_MAX_BREACH_PROBABILITY = 0.10
DEFAULT_HORIZON_MINUTES = 180
DEFAULT_WINDOW_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class OutlookLimits:
    """The limits that every window of every queue must keep until the horizon, each None where there is none.

    service_level_ratio: answered within service_level_seconds / offered, at least; speed_to_answer_seconds of those
    answered, at most; abandonment_ratio: abandoned / offered, at most; backlog: more must not wait at any instant.
    The first three hold for each window of window_seconds, from now on side by side. A send is safe while the
    probability that any limit breaks is at most max_breach_probability.
    """

    service_level_ratio: float | None = None
    service_level_seconds: float = 20.0
    speed_to_answer_seconds: float | None = None
    abandonment_ratio: float | None = None
    backlog: float | None = None
    window_seconds: float = DEFAULT_WINDOW_SECONDS
    max_breach_probability: float = DEFAULT_MAX_BREACH_PROBABILITY
    horizon_minutes: int = DEFAULT_HORIZON_MINUTES
