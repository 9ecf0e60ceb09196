"""What a screen on the wall shows of its gate: the verdict, why, until when, and a few numbers. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.floor.targets import QueueTargets
from app.core.floor.view import FloorView
from app.core.gate.decision import Check, Decision, Verdict
from app.core.gate.policy import Mode
from app.services.published import GateState
from app.services.shapes import summary
from app.web.format import NO_BREAK, clock_time, duration, hour_and_minute, iso, retitled
from app.web.now.checks import FINE
from app.web.now.views import DEFAULT_STALE_AFTER, Instant, stale_after_of, titles_of, watched_queues, zone_of
from app.web.wall.numbers import Floor, Number, numbers

_BREAKS = re.compile(r"(?<=\d) (?=(?:s|min|h|d|%)(?:\W|$))|(?<=[≤≥]) (?=\d)")
NOTHING_WATCHED = "No queue that this screen shows has reported yet."


@dataclass(frozen=True, slots=True)
class Wall:
    """A screen. coming: when it will go, or how much may go now; shadow: what it says holds nobody.

    data_as_of: the oldest of the data behind the verdict, None without any. lasting: for how long it has said so.
    zone: the IANA name, zone_name as it is called now. empty: why there are no numbers, empty where there are.
    """

    gate: str
    state: str
    word: str
    reason: str
    coming: str
    shadow: bool
    since: Instant
    lasting: str
    now: Instant
    zone: str
    zone_name: str
    data_as_of: Instant | None
    data_age: str
    stale_after_seconds: float
    numbers: tuple[Number, ...]
    empty: str


def zone_for(state: GateState, zone: str | None) -> ZoneInfo:
    """Return the zone of a screen's clock: its own, or else the gate's."""
    return ZoneInfo(zone) if zone else zone_of(state)


def wall(
    state: GateState,
    view: FloorView,
    now: datetime,
    targets: Mapping[str, QueueTargets],
    *,
    queues: Sequence[str] = (),
    zone: str | None = None,
    coming: str = "",
) -> Wall:
    """Return what a screen shows of a gate as of `now`. queues (): all that the gate watches; zone None: the gate's."""
    decision, local = state.decision, zone_for(state, zone)
    floor = _floor(state, view, now, targets, queues)
    age = None if decision.data_as_of is None else max(0.0, (now - decision.data_as_of).total_seconds())
    shown = numbers(floor, _binding(decision))
    return Wall(
        gate=state.gate,
        state=decision.verdict,
        word=decision.verdict.upper(),
        reason=unbroken(retitled(summary(decision), titles_of(targets))),
        coming=unbroken(coming),
        shadow=decision.mode == Mode.SHADOW,
        since=Instant(iso(decision.since), _minute(decision.since, local, now)),
        lasting=duration(max(0.0, (now - decision.since).total_seconds() // 1)),
        now=Instant(iso(now), hour_and_minute(now, local)),
        zone=local.key,
        zone_name=now.astimezone(local).tzname() or local.key,
        data_as_of=None if age is None else Instant(iso(decision.data_as_of), ""),
        data_age=duration(None if age is None else age // 1),
        stale_after_seconds=stale_after_of(state),
        numbers=shown,
        empty="" if shown else NOTHING_WATCHED,
    )


def unbroken(sentence: str) -> str:
    """Return a sentence in which no line ends between a number and its unit, or behind a sign: `limit ≤ 10 s`."""
    return _BREAKS.sub(NO_BREAK, sentence)


def _minute(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Return an instant as `14:05`, on another day than now's as `Mon 16 Nov 14:05`."""
    same_day = at.astimezone(zone).date() == now.astimezone(zone).date()
    return hour_and_minute(at, zone) if same_day else clock_time(at, zone, today=now)


def _floor(
    state: GateState,
    view: FloorView,
    now: datetime,
    targets: Mapping[str, QueueTargets],
    queues: Sequence[str],
) -> Floor:
    watched = watched_queues(state, view)
    return Floor(
        view=view,
        queues=[queue for queue in watched if not queues or queue in queues],
        targets=targets,
        checks=state.decision.checks,
        outlook=state.policy.outlook if state.policy else None,
        stale_after_seconds=stale_after_of(state),
        now=now,
    )


def _binding(decision: Decision) -> Check | None:
    """Return the check that decides, None where something else does."""
    reason = next((each for each in decision.reasons if each.binding), None)
    if reason is None or reason.metric is None:
        return None
    same = (each for each in decision.checks if (each.metric, each.queue) == (reason.metric, reason.queue))
    return next((each for each in same if each.status not in FINE), None)


def no_gate(gate: str, now: datetime, zone: str | None) -> Wall:
    """Return what a screen shows whose gate is not there: nothing may be relied on."""
    local = ZoneInfo(zone or "UTC")
    return Wall(
        gate=gate,
        state=Verdict.UNKNOWN,
        word=Verdict.UNKNOWN.upper(),
        reason=f"There is no gate “{gate}” any more.",
        coming="This screen looks again by itself.",
        shadow=False,
        since=Instant(iso(now), hour_and_minute(now, local)),
        lasting="",
        now=Instant(iso(now), hour_and_minute(now, local)),
        zone=local.key,
        zone_name=now.astimezone(local).tzname() or local.key,
        data_as_of=None,
        data_age="",
        stale_after_seconds=DEFAULT_STALE_AFTER,
        numbers=(),
        empty=NOTHING_WATCHED,
    )
