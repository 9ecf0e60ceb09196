"""What schedules and opening hours look like over HTTP, coming and going."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.api.schemas import Shape, text_at
from app.core.gate.policy import WEEKDAYS
from app.core.gate.windows import is_zone
from app.core.staffing.columns import Role
from app.core.staffing.document import GAPS
from app.core.staffing.moments import DateOrder
from app.core.staffing.schedule import MOST_AGENTS, MOST_INTERVALS
from app.services.uploads import FileOptions

_DATE: dict[str, Any] = {"format": "date"}
_HOURS_EXAMPLE = {
    "time_zone": "America/Chicago",
    "weekly": [{"days": list(WEEKDAYS[:5]), "from": "08:00", "to": "20:00"}],
    "closed": ["2026-12-25"],
    "special": [{"date": "2026-12-24", "from": "08:00", "to": "13:00"}],
}


def a_zone(value: str) -> str:
    """Return the name of a time zone. Raises ValueError for one that is not known."""
    if not is_zone(value):
        raise ValueError('is no time zone; use an IANA name such as "America/Chicago" or "UTC"')
    return value


Zone = Annotated[str, AfterValidator(a_zone)]
Heading = Annotated[str | None, Field(min_length=1, max_length=200)]


class FileQuery(BaseModel):
    """How a CSV file is to be read. Whatever is left out is found out, or refused where it could be two things."""

    model_config = ConfigDict(extra="forbid")

    time_zone: Annotated[Zone | None, Field(description="of times without an offset; default: the queue's own")] = None
    date_order: Annotated[DateOrder | None, Field(description="whether 03/04/2026 is March (mdy) or April")] = None
    decimal: Annotated[Literal[".", ","] | None, Field(description="what marks the fraction of 12.5")] = None
    interval_minutes: Annotated[
        int | None, Field(ge=1, le=1440, description="how long an interval without an end is")
    ] = None
    gaps: Annotated[Literal["refuse", "closed"], Field(description="closed: nobody is there in gaps")] = "refuse"
    queue_value: Annotated[
        str | None, Field(max_length=200, description="what the file calls the queue; default: its name")
    ] = None
    start_column: Annotated[Heading, Field(description="heading of the date and time an interval begins")] = None
    date_column: Annotated[Heading, Field(description="heading of the date")] = None
    time_column: Annotated[Heading, Field(description="heading of the time an interval begins, or from-to")] = None
    end_column: Annotated[Heading, Field(description="heading of the time an interval ends")] = None
    agents_column: Annotated[Heading, Field(description="heading of the number of agents")] = None
    queue_column: Annotated[Heading, Field(description="heading of the queue, skill or work group")] = None
    dry_run: Annotated[bool, Field(description="say what would change, and change nothing")] = False

    def options(self) -> FileOptions:
        """Return what this says of the file."""
        named = {role: getattr(self, f"{role}_column") for role in Role}
        return FileOptions(
            columns={role: name for role, name in named.items() if name is not None},
            time_zone=self.time_zone,
            order=self.date_order,
            decimal=self.decimal,
            interval_minutes=self.interval_minutes,
            gaps_closed=self.gaps == "closed",
            queue_value=self.queue_value,
        )


class IntervalShape(Shape):
    """So many agents for a time; they may be fractional, as after shrinkage."""

    starts_at: str = text_at()
    ends_at: str = text_at()
    agents: float


class ScheduleStateShape(Shape):
    """How a queue's schedule stands: revision 0 when it never had one; nulls while no day is covered."""

    queue: str
    revision: int
    time_zone: str | None
    starts_at: str | None = text_at()
    ends_at: str | None = text_at()
    author: str | None
    saved_at: str | None = text_at()


class ScheduleStates(Shape):
    """The schedules of all queues that ever had one, by name."""

    items: list[ScheduleStateShape]


class ScheduleShape(Shape):
    """What is scheduled in a span, cut at its ends; on days that are not covered there is no interval."""

    queue: str
    revision: int
    time_zone: str | None
    start: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    until: str = Field(alias="to", json_schema_extra={"format": "date-time"})
    intervals: list[IntervalShape]


class DayTotalShape(Shape):
    """What a day comes to."""

    intervals: int
    agent_hours: float
    most_agents: float


class DayChangeShape(Shape):
    """What became of a local day; null: not covered."""

    day: str = Field(json_schema_extra=_DATE)
    changed: bool
    before: DayTotalShape | None
    after: DayTotalShape | None


class UnderstoodShape(Shape):
    """How a file was read. left_out: numbers of lines that are totals."""

    separator: str
    header_line: int
    columns: dict[str, str]
    date_order: DateOrder | None
    interval_minutes: int | None
    lines: int
    left_out: list[int]


class ScheduleChangeShape(Shape):
    """What was changed, or would be (saved false): each day that was given."""

    queue: str
    revision: int
    time_zone: str
    saved: bool
    days: list[DayChangeShape]
    understood: UnderstoodShape | None


class ScheduleChanges(Shape):
    """What was changed of each queue."""

    items: list[ScheduleChangeShape]


class HoursShape(Shape):
    """The hours that count for a queue: its own, those of all queues, or none: then it is always open, as known."""

    queue: str | None = Field(description="null: all queues without their own")
    applies: Literal["own", "all_queues", "none"]
    revision: int = Field(description="of the queue's own hours; 0: it has none")
    hours: dict[str, Any] | None
    author: str | None
    saved_at: str | None = text_at()


def staffing_schemas() -> dict[str, Any]:
    """Return the schemas of what is sent, for OpenAPI."""
    return {"ScheduleDocument": _schedule_schema(), "OpeningHours": _hours_schema()}


def _schedule_schema() -> dict[str, Any]:
    at = {"type": "string", "format": "date-time", "description": "on a whole minute"}
    agents = {"type": "number", "minimum": 0, "maximum": MOST_AGENTS}
    interval = {"starts_at": at, "ends_at": at, "agents": agents}
    example = {"starts_at": "2026-11-23T14:00:00Z", "ends_at": "2026-11-23T14:30:00Z", "agents": 12.5}
    return {
        "type": "object",
        "title": "ScheduleDocument",
        "description": "Agents by interval. The local days they lie on are replaced whole.",
        "required": ["intervals"],
        "additionalProperties": False,
        "properties": {
            "time_zone": {"type": "string", "description": "in which days are; default: the queue's own, or UTC"},
            "gaps": {"enum": list(GAPS), "description": "closed: nobody is there where a day has a gap"},
            "intervals": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_INTERVALS,
                "description": "in any order; they may not overlap",
                "items": {"type": "object", "required": list(interval), "properties": interval},
            },
        },
        "examples": [{"time_zone": "America/Chicago", "intervals": [example]}],
    }


def _hours_schema() -> dict[str, Any]:
    clock = {"type": "string", "examples": ["08:00"]}
    days = {"type": "array", "minItems": 1, "items": {"enum": list(WEEKDAYS)}}
    date = {"type": "string", "format": "date"}
    window = {
        "type": "object",
        "required": ["days", "from", "to"],
        "properties": {"days": days, "from": clock, "to": clock},
    }
    special = {
        "type": "object",
        "required": ["date", "from", "to"],
        "properties": {"date": date, "from": clock, "to": clock},
    }
    return {
        "type": "object",
        "title": "OpeningHours",
        "description": "When customers are let in, on the wall clock of a time zone.",
        "required": ["time_zone", "weekly"],
        "additionalProperties": False,
        "properties": {
            "time_zone": {"type": "string", "description": "IANA name", "examples": ["America/Chicago"]},
            "weekly": {"type": "array", "minItems": 1, "items": window, "description": "hours by weekday"},
            "closed": {"type": "array", "minItems": 1, "items": date, "description": "dates without any hours"},
            "special": {"type": "array", "minItems": 1, "items": special, "description": "dates with other hours"},
        },
        "examples": [_HOURS_EXAMPLE],
    }
