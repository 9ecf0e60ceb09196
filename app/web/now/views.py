"""What the board shows, finished for printing: frozen view-models, built from one publication. Pure.

Templates loop and print; every choice of word, order and state is made here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from app.core.floor.targets import QueueTargets
from app.core.floor.view import FloorView
from app.core.gate.policy import Mode
from app.services.published import GateState, Published
from app.services.shapes import summary
from app.web.format import clock_time, duration, iso, retitled, zone_name
from app.web.now.checks import CheckRow, Panel, check_rows, checks_in_words
from app.web.now.flights import NOTHING, Flights
from app.web.now.sparkline import Sparkline
from app.web.now.tiles import Sight, Tile, by_queue, tile

DEFAULT_STALE_AFTER = 120.0
ROWS_IN_SIGHT = TILES_IN_SIGHT = 12


@dataclass(frozen=True, slots=True)
class Instant:
    """A time for people and machines: `iso` for the datetime attribute, `text` in the center's zone."""

    iso: str
    text: str


@dataclass(frozen=True, slots=True)
class GateLink:
    """One gate of the switcher."""

    name: str
    state: str
    present: bool


@dataclass(frozen=True, slots=True)
class VerdictView:
    """The banner. word is the gate's own verdict, in shadow mode, too; told then says what callers get.

    reason says in a line why; coming in another when it will go, or how much may go now.
    """

    state: str
    word: str
    reason: str
    coming: str
    since: Instant
    since_for: str
    review: Instant | None
    data_as_of: Instant | None
    data_age: str
    data_stale: bool
    data_limit: str
    gate: str
    mode: str
    shadow: bool
    policy_version: int


@dataclass(frozen=True, slots=True)
class Board:
    """Everything between the header and the charts.

    hidden_rows: how many checks, all of them fine, are out of sight until asked for; more_queues: how many queues.
    log: grows when there is something new in the gate's log.
    """

    gate: str
    now: Instant
    zone: str
    stale_after_seconds: float
    gates: tuple[GateLink, ...]
    verdict: VerdictView
    checks_in_words: str
    rows: tuple[CheckRow, ...]
    hidden_rows: int
    tiles: tuple[Tile, ...]
    more_queues: int
    unwatched: tuple[str, ...]
    empty: bool
    going: Flights = NOTHING
    log: int = 0


def zone_of(state: GateState) -> ZoneInfo:
    """Return the center's zone as the gate's policy has it; UTC for a gate without one."""
    return ZoneInfo(state.policy.time_zone if state.policy else "UTC")


def stale_after_of(state: GateState) -> float:
    """Return how old data may be, in seconds, for the gate to go by it."""
    return state.policy.stale_after_seconds if state.policy else DEFAULT_STALE_AFTER


def watched_queues(state: GateState, view: FloorView) -> tuple[str, ...]:
    """Return the queues that the gate's policy watches, sorted; all of them for a gate without a policy."""
    patterns = state.policy.queues if state.policy else ("*",)
    return tuple(queue for queue in view.queues() if any(fnmatchcase(queue, pattern) for pattern in patterns))


def queues_in_sight(sight: Sight, watched: Sequence[str]) -> tuple[str, ...]:
    """Return the queues that have a tile: all in their order, of very many those to look at first, in that order."""
    if len(watched) <= TILES_IN_SIGHT:
        return tuple(watched)
    return tuple(sorted(watched, key=sight.place)[:TILES_IN_SIGHT])


def sight_of(state: GateState, view: FloorView, now: datetime) -> Sight:
    """Return what a gate's tiles are made from."""
    return Sight(view, by_queue(state.decision.checks), now, stale_after_of(state), zone_of(state))


def titles_of(targets: Mapping[str, QueueTargets]) -> dict[str, str]:
    """Return what queues are called that have a title of their own."""
    return {queue: own.title for queue, own in targets.items() if own.title}


def panel_of(state: GateState, titles: Mapping[str, str], now: datetime) -> Panel:
    """Return what the rows of a gate's why-panel are made from."""
    return Panel(state.decision, state.policy.rules if state.policy else (), titles, now, zone_of(state))


@dataclass(frozen=True, slots=True)
class Beside:
    """What a board shows that the publication does not say: from history, from permits and campaigns, from the log.

    trends: the drawn backlog of each queue, where there is one.
    """

    trends: Mapping[str, Sparkline] = field(default_factory=dict)
    going: Flights = NOTHING
    coming: str = ""
    log: int = 0


ALONE = Beside()


def board(
    published: Published,
    state: GateState,
    now: datetime,
    targets: Mapping[str, QueueTargets],
    beside: Beside = ALONE,
) -> Board:
    """Return a gate's board as of `now`."""
    zone, view = zone_of(state), published.view
    watched, titles = watched_queues(state, view), titles_of(targets)
    rows = check_rows(panel_of(state, titles, now), ROWS_IN_SIGHT)
    verdict = _verdict(state, titles, now, zone, beside.coming)
    sight = sight_of(state, view, now)
    seen = queues_in_sight(sight, watched)
    return Board(
        gate=state.gate,
        now=_instant(now, zone),
        zone=zone_name(now, zone),
        stale_after_seconds=stale_after_of(state),
        gates=_links(published, state),
        verdict=verdict,
        checks_in_words=checks_in_words(state.decision),
        rows=tuple(rows),
        hidden_rows=max(0, len(state.decision.checks) - len(rows)),
        tiles=tuple(tile(sight, queue, titles.get(queue, queue), beside.trends.get(queue)) for queue in seen),
        more_queues=len(watched) - len(seen),
        unwatched=tuple(titles.get(queue, queue) for queue in view.queues() if queue not in watched),
        empty=not view.queues(),
        going=beside.going,
        log=beside.log,
    )


def _links(published: Published, state: GateState) -> tuple[GateLink, ...]:
    return tuple(
        GateLink(name, state.decision.verdict if name == state.gate else other.decision.verdict, name == state.gate)
        for name, other in sorted(published.gates.items())
    )


def _verdict(state: GateState, titles: Mapping[str, str], now: datetime, zone: ZoneInfo, coming: str) -> VerdictView:
    decision, stale_after = state.decision, stale_after_of(state)
    review = decision.next_review_at or decision.retry_at
    age = None if decision.data_as_of is None else max(0.0, (now - decision.data_as_of).total_seconds())
    return VerdictView(
        state=decision.verdict,
        word=decision.verdict.upper(),
        reason=retitled(summary(decision), titles),
        coming=coming,
        since=_instant(decision.since, zone, now),
        since_for=duration(max(0.0, (now - decision.since).total_seconds() // 1)),
        review=_instant(review, zone, now) if review and review > now else None,
        data_as_of=_instant(decision.data_as_of, zone, now) if decision.data_as_of else None,
        data_age=duration(None if age is None else age // 1),
        data_stale=age is not None and age > stale_after,
        data_limit=duration(stale_after),
        gate=state.gate,
        mode=decision.mode,
        shadow=decision.mode == Mode.SHADOW,
        policy_version=state.policy_version,
    )


def _instant(at: datetime, zone: ZoneInfo, today: datetime | None = None) -> Instant:
    return Instant(iso(at), clock_time(at, zone, today=today))
