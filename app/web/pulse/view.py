"""What every page shows of one gate, live: its verdict in a word, what decides it, and who overrides any. Pure.

Much smaller than the board: it is on every page that anybody has open.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.gate.override import Effect, Override, OverrideState
from app.services.published import GateState, Published
from app.services.shapes import summary
from app.web.format import clock_time, duration, hour_and_minute, iso, retitled, whole_minute, zone_name
from app.web.now.views import Instant, stale_after_of, zone_of


@dataclass(frozen=True, slots=True)
class Overriding:
    """An override that applies now. narrowed: it applies to some asks only, so the verdict does not follow it.

    elsewhere: it is another gate's than the one that the pulse is about. until: to the minute, rounded up as in the
    verdict's sentence, and the form of its text; ends_at: exactly, as RFC 3339 UTC.
    """

    id: str
    gate: str
    effect: str
    by: str
    comment: str
    until: Instant
    form: str
    ends_at: str
    left: str
    narrowed: bool
    elsewhere: bool


@dataclass(frozen=True, slots=True)
class Pulse:
    """A gate in the frame of a page. about: what the verdict is about, its deciding queue or else its gate.

    announcement: what a screen reader hears when the verdict changes. zone: the center's, by its IANA name; zone_name
    as it is called now. data_as_of: the oldest of the data behind the verdict as RFC 3339 UTC, empty without any.
    """

    gate: str
    state: str
    word: str
    about: str
    announcement: str
    now: Instant
    zone: str
    zone_name: str
    data_as_of: str
    stale_after_seconds: float
    overriding: tuple[Overriding, ...]


def pulse(published: Published, state: GateState, now: datetime, titles: Mapping[str, str]) -> Pulse:
    """Return a gate's pulse as of `now`; titles: what queues are called that have a title of their own."""
    decision, zone = state.decision, zone_of(state)
    word = decision.verdict.upper()
    return Pulse(
        gate=state.gate,
        state=decision.verdict,
        word=word,
        about=_about(published, state, titles),
        announcement=f"{word}: {retitled(summary(decision), titles)}",
        now=Instant(iso(now), clock_time(now, zone)),
        zone=zone.key,
        zone_name=zone_name(now, zone),
        data_as_of=iso(decision.data_as_of),
        stale_after_seconds=stale_after_of(state),
        overriding=tuple(_overriding(published, state, now, zone)),
    )


def _about(published: Published, state: GateState, titles: Mapping[str, str]) -> str:
    """Return the deciding queue's title, behind the gate's name where there are several gates.

    Where a person decided, or anything else that is about no queue, it is the gate's name alone.
    """
    queue = state.decision.reasons[0].queue if state.decision.reasons else None
    parts = [state.gate] if len(published.gates) > 1 or queue is None else []
    return ": ".join([*parts, *([titles.get(queue, queue)] if queue else [])])


def _overriding(published: Published, state: GateState, now: datetime, zone: ZoneInfo) -> list[Overriding]:
    """Return the overrides in force of every gate, this one's first: who sends asks any of them."""
    gates = {**published.gates, state.gate: state}.values()
    active = [each for gate in gates for each in gate.overrides if each.state(now) is OverrideState.ACTIVE]
    ordered = sorted(active, key=lambda each: (each.gate != state.gate, each.ends_at))
    return [_shown(each, state.gate, now, zone) for each in ordered]


def _shown(override: Override, gate: str, now: datetime, zone: ZoneInfo) -> Overriding:
    end = whole_minute(override.ends_at)
    is_today = end.astimezone(zone).date() == now.astimezone(zone).date()
    text = hour_and_minute(end, zone) if is_today else clock_time(end, zone, today=now)
    return Overriding(
        id=override.id,
        gate=override.gate,
        effect="hold" if override.effect is Effect.HOLD else "send",
        by=override.created_by,
        comment=override.comment,
        until=Instant(iso(end), text),
        form="minute" if is_today else "moment",
        ends_at=iso(override.ends_at),
        left=f"{duration((override.ends_at - now).total_seconds() // 1)} left",
        narrowed=bool(override.matchers),
        elsewhere=override.gate != gate,
    )
