"""A policy's members as fields of a form: their names there, their place in the document, their units. Pure tables."""

from dataclasses import dataclass
from enum import StrEnum

from app.core.campaign.campaign import TrafficClass
from app.core.gate.policy import WEEKDAYS, Mode
from app.core.gate.rule import OnMissing

DAY_NAMES = dict(zip(WEEKDAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))


class Kind(StrEnum):
    """How a member is typed: a number as it is, a ratio in per cent, a limit in its metric's unit, a word, words."""

    NUMBER = "number"
    PERCENT = "percent"
    LIMIT = "limit"
    WORD = "word"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Member:
    """One member. path: where it stands in the document, or in its rule; usual: what counts where nothing is typed."""

    name: str
    path: tuple[str, ...]
    label: str
    unit: str = ""
    kind: Kind = Kind.NUMBER
    usual: str = ""
    choices: tuple[tuple[str, str], ...] = ()


GATE = (
    Member("queues", ("queues",), "Queues that are watched", kind=Kind.WORDS),
    Member("time-zone", ("time_zone",), "Time zone of the center", kind=Kind.WORD, usual="UTC"),
    Member(
        "mode",
        ("mode",),
        "Mode",
        kind=Kind.WORD,
        usual="enforce",
        choices=((Mode.ENFORCE, "enforce: callers obey"), (Mode.SHADOW, "shadow: only watches, callers are told send")),
    ),
    Member("stale-after", ("stale_after_seconds",), "Data are too old after", "s", usual="120"),
    Member("wave-cap", ("max_audience_per_wave",), "Recipients out at once, at most", usual="no limit"),
    Member("hour-cap", ("max_audience_per_hour",), "Recipients in an hour, at most", usual="no limit"),
    Member("notice", ("notice_minutes",), "Notice before the first mail", "min", usual="0"),
    Member(
        "briefing",
        ("briefing",),
        "Briefing",
        kind=Kind.WORD,
        usual="optional",
        choices=(("optional", "optional"), ("required", "required: somebody must acknowledge it")),
    ),
    Member("override-cap", ("max_override_minutes",), "Overrides last, at most", "min", usual="480"),
    Member(
        "exempt",
        ("exempt_traffic_classes",),
        "Never held by this gate",
        kind=Kind.WORDS,
        choices=tuple((each.value, each.value) for each in TrafficClass),
    ),
)
OUTLOOK = (
    Member(
        "outlook-service-level", ("outlook", "service_level_ratio"), "Service level, at least", "%", kind=Kind.PERCENT
    ),
    Member("outlook-within", ("outlook", "service_level_seconds"), "answered within", "s", usual="20"),
    Member("outlook-speed", ("outlook", "speed_to_answer_seconds"), "Speed to answer, at most", "s"),
    Member("outlook-abandonment", ("outlook", "abandonment_ratio"), "Abandonment, at most", "%", kind=Kind.PERCENT),
    Member("outlook-backlog", ("outlook", "backlog"), "Backlog, at most", "contacts"),
    Member("outlook-window", ("outlook", "window_seconds"), "in each window of", "s", usual="900"),
    Member(
        "outlook-chance",
        ("outlook", "max_breach_probability"),
        "Chance of a breach that is accepted",
        "%",
        kind=Kind.PERCENT,
        usual="10",
    ),
    Member("outlook-horizon", ("outlook", "horizon_minutes"), "Looks ahead", "min", usual="180"),
)
WINDOWED = ("window", "samples")  # fields that only a rule on an average or a ratio has
RULE = (
    Member("metric", ("metric",), "Metric", kind=Kind.WORD),
    Member("hold", ("hold_above", "hold_below"), "Hold", kind=Kind.LIMIT),
    Member("resume", ("resume_below", "resume_above"), "Resume", kind=Kind.LIMIT, usual="the hold limit"),
    Member("hold-for", ("hold_for_seconds",), "Hold after", "s", usual="0"),
    Member("resume-for", ("resume_for_seconds",), "Resume after", "s", usual="0"),
    Member("window", ("window_seconds",), "Over the last", "s", usual="300"),
    Member("samples", ("min_samples",), "From so many contacts on", "contacts", usual="0"),
    Member(
        "missing",
        ("on_missing",),
        "While never reported",
        kind=Kind.WORD,
        usual="unknown",
        choices=((OnMissing.UNKNOWN, "unknown, so it holds"), (OnMissing.IGNORE, "ignored")),
    ),
)
