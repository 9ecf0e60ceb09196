"""A gate's overrides as a page prints them: in force, to come, and past. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.gate.override import Effect, Matcher, Override, OverrideState
from app.web.exports import Sheet
from app.web.format import count, duration, iso
from app.web.instants import moment
from app.web.now.views import Instant

SHEET = Sheet(
    "overrides",
    (
        "id", "effect", "state", "starts_at", "ends_at", "by", "reason", "for", "even_without_data", "created_at",
        "answers", "last_used_at",
    ),
)  # fmt: skip
WORDS = {Effect.HOLD: "Held by hand", Effect.ALLOW: "Allowed by hand"}
MARKS = {Effect.HOLD: "hold", Effect.ALLOW: "send"}
_LABELS = {"campaign": "campaign", "traffic_class": "traffic class"}


@dataclass(frozen=True, slots=True)
class OverrideRow:
    """One override. mark: the shape beside it; left: how long until it ends, or begins; reach: what it is for.

    lasted: from its beginning to its end, empty for one that was taken back before it began. used: in how many answers
    it took part.
    """

    id: str
    effect: Effect
    mark: str
    word: str
    starts_at: Instant
    ends_at: Instant
    left: str
    lasted: str
    by: str
    reason: str
    reach: str
    even_without_data: bool
    used: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A gate's overrides by where they stand in time: those in force end soonest first, past ones newest first."""

    active: tuple[OverrideRow, ...]
    coming: tuple[OverrideRow, ...]
    past: tuple[OverrideRow, ...]


def standing(open_ones: Sequence[Override], listed: Sequence[Override], now: datetime, zone: ZoneInfo) -> Standing:
    """Return what stands where. open_ones: all that have not ended; listed: a page of all, of which the past count."""
    by_state: dict[OverrideState, list[Override]] = {state: [] for state in OverrideState}
    for each in open_ones:
        by_state[each.state(now)].append(each)
    active = sorted(by_state[OverrideState.ACTIVE], key=lambda each: each.ends_at)
    coming = sorted(by_state[OverrideState.PENDING], key=lambda each: each.starts_at)
    past = [each for each in listed if each.state(now) is OverrideState.EXPIRED]
    return Standing(*(tuple(row(each, now, zone) for each in part) for part in (active, coming, past)))


def row(override: Override, now: datetime, zone: ZoneInfo) -> OverrideRow:
    """Return one override as it is printed."""
    edge = override.starts_at if override.state(now) is OverrideState.PENDING else override.ends_at
    return OverrideRow(
        id=override.id,
        effect=override.effect,
        mark=MARKS[override.effect],
        word=WORDS[override.effect],
        starts_at=_instant(override.starts_at, zone),
        ends_at=_instant(override.ends_at, zone),
        left=duration(max(0.0, (edge - now).total_seconds() // 1)),
        lasted=duration(seconds) if (seconds := (override.ends_at - override.starts_at).total_seconds()) > 0 else "",
        by=override.created_by,
        reason=override.comment,
        reach=reach(override.matchers),
        even_without_data=override.even_without_data,
        used=count(override.used_count, "answer") if override.used_count else "no answer",
    )


def reach(matchers: Sequence[Matcher]) -> str:
    """Return which sends an override is for: `all sends`, or `campaign spring`, `traffic class not service`."""
    return " and ".join(map(_told, matchers)) or "all sends"


def sheet_row(override: Override, now: datetime) -> tuple[object, ...]:
    """Return an override as a row of SHEET."""
    return (
        override.id,
        override.effect.value,
        override.state(now).value,
        override.starts_at,
        override.ends_at,
        override.created_by,
        override.comment,
        reach(override.matchers),
        override.even_without_data,
        override.created_at,
        override.used_count,
        override.last_used_at,
    )


def _told(matcher: Matcher) -> str:
    value = f"like {matcher.value}" if matcher.is_regex else matcher.value or "none"
    return f"{_LABELS.get(matcher.name, matcher.name)} {'' if matcher.is_equal else 'not '}{value}"


def _instant(at: datetime, zone: ZoneInfo) -> Instant:
    return Instant(iso(at), moment(at, zone))
