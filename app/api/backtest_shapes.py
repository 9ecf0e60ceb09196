"""How a backtest is asked for and answered, for OpenAPI and for strict reading."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from app.api.deps import Instant
from app.api.schemas import Given, Shape
from app.core.floor.metric import Metric

MOST_BREACH_RULES = 20
Ratio = Annotated[float | None, Field(description="of the minutes within the send windows; null without any")]


class BacktestGiven(Given):
    """What to walk over what. Without policy and version: the policy in force."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "from": "2026-10-01T00:00:00Z",
                    "to": "2026-11-01T00:00:00Z",
                    "policy": {"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 12, "resume_below": 6}]},
                    "breach": [{"metric": "service_level_ratio", "window_seconds": 1800, "hold_below": 0.7}],
                }
            ]
        }
    )

    start: Annotated[Instant | None, Field(alias="from", description="start; default: 28 days before the end")] = None
    until: Annotated[Instant | None, Field(alias="to", description="end, excluded; default: now")] = None
    policy: Annotated[dict[str, Any] | None, Field(description="a policy document that need not be saved")] = None
    version: Annotated[int | None, Field(ge=1, le=2**31 - 1, description="a stored version instead")] = None
    breach: Annotated[
        list[dict[str, Any]] | None,
        Field(
            max_length=MOST_BREACH_RULES,
            description="what a real breach is, as rules of a policy; default: its own hold limits",
        ),
    ] = None


class Measures(Shape):
    """A policy's course in numbers."""

    open_ratio: Ratio
    held_ratio: Ratio
    unknown_ratio: Ratio
    holds: int = Field(description="unbroken stretches held by a rule, within the send windows")
    median_hold_seconds: float | None
    longest_hold_seconds: float | None
    flips_per_day: float | None = Field(description="changes between open and held, per day with any minute known")
    precision_ratio: float | None = Field(
        description="holds that a breach followed within 60 minutes, or that began in one, of all; null without a hold"
    )
    breaches: int = Field(description="breaches that began within the send windows")
    missed: int = Field(description="of these, those before whose first minute the gate was open")


class WeekHour(Shape):
    """One hour of the week in the policy's time zone."""

    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    hour: int
    minutes: int = Field(description="within the send windows")
    open_ratio: Ratio
    held_ratio: Ratio
    unknown_ratio: Ratio


class Shift(Measures):
    """The same with both limits of one rule a fifth lower or higher; those of a ratio stay within 0..1."""

    rule: int = Field(description="the rule's place in the policy, from 0")
    factor: float
    metric: Metric
    window_seconds: float | None
    hold_limit: float
    resume_limit: float


class QueueSeen(Shape):
    """A queue that the policy watches."""

    queue: str
    known_ratio: float = Field(description="share of all minutes in which all that is watched of it was known")


class Gap(Shape):
    """A stretch in which nothing that the policy watches could be seen."""

    start: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    until: str = Field(alias="to", json_schema_extra={"format": "date-time"})


class Backtest(Measures):
    """What a policy's gate would have said over a span, one look a minute."""

    gate: str
    policy_version: int | None = Field(description="null: a document that is not saved")
    time_zone: str
    start: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    until: str = Field(alias="to", json_schema_extra={"format": "date-time"})
    minutes: int
    window_minutes: int = Field(description="of these, within the send windows")
    flips_per_day_without_hysteresis: float | None = Field(description="with one limit per rule and no timers")
    week: list[WeekHour] = Field(description="all 168 hours, Monday's first")
    shifts: list[Shift]
    breach: list[dict[str, Any]] = Field(description="the rules that said what a breach is")
    queues: list[QueueSeen]
    unseen_minutes: int = Field(description="minutes without any data that the policy watches")
    gaps: list[Gap] = Field(description="the 20 longest stretches of these, in order of time")
    notes: list[str] = Field(description="what to know before relying on the figures")
