"""What the board shows, finished for printing: frozen view-models, built from one publication. Pure.

Templates loop and print; every choice of word, order and state is made here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from app.core.floor.targets import QueueTargets
from app.core.floor.view import FloorView
from app.core.gate.policy import Mode
from app.services.published import GateState, Published
from app.services.shapes import summary
from app.web.format import clock_time, count, duration, iso, retitled, zone_name
from app.web.now.checks import CheckRow, Panel, check_rows
from app.web.now.flights import NOTHING, Flights
from app.web.now.sparkline import Sparkline
from app.web.now.tiles import Sight, Tile, tile

DEFAULT_STALE_AFTER = 120.0
ROWS_IN_SIGHT = 12


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
    """The banner. word is the gate's own verdict, in shadow mode, too; told then says what callers get."""

    state: str
    word: str
    reason: str
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
    """Everything between the header and the chart. hidden_rows are passing checks, out of sight until asked for."""

    gate: str
    now: Instant
    zone: str
    title: str
    stale_after_seconds: float
    gates: tuple[GateLink, ...]
    verdict: VerdictView
    checks_in_words: str
    rows: tuple[CheckRow, ...]
    hidden_rows: tuple[CheckRow, ...]
    tiles: tuple[Tile, ...]
    unwatched: tuple[str, ...]
    empty: bool
    going: Flights = NOTHING

    @property
    def announcement(self) -> str:
        """What a screen reader hears when the verdict changes."""
        return f"{self.verdict.word}: {self.verdict.reason}"


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


def board(
    published: Published,
    state: GateState,
    now: datetime,
    targets: Mapping[str, QueueTargets],
    trends: Mapping[str, Sparkline],
    *,
    going: Flights = NOTHING,
) -> Board:
    """Return a gate's board as of `now`.

    trends: the drawn backlog of each queue, where there is one. going: what is on its way through the gate.
    """
    zone, view = zone_of(state), published.view
    stale_after = stale_after_of(state)
    watched = watched_queues(state, view)
    titles = {queue: own.title or queue for queue, own in targets.items()}
    rows = check_rows(Panel(state.decision, state.policy.rules if state.policy else (), titles, now, zone))
    in_sight = max(ROWS_IN_SIGHT, sum(not row.fine for row in rows))
    verdict = _verdict(state, titles, now, zone)
    sight = Sight(view, state.decision.checks, now, stale_after, zone)
    return Board(
        gate=state.gate,
        now=_instant(now, zone),
        zone=zone_name(now, zone),
        title=f"{verdict.word} · {state.gate} – holdfire",  # noqa: RUF001 -- a dash between title and name
        stale_after_seconds=stale_after,
        gates=_links(published, state),
        verdict=verdict,
        checks_in_words=_checks_in_words(rows),
        rows=tuple(rows[:in_sight]),
        hidden_rows=tuple(rows[in_sight:]),
        tiles=tuple(tile(sight, queue, titles.get(queue, queue), trends.get(queue)) for queue in watched),
        unwatched=tuple(titles.get(queue, queue) for queue in view.queues() if queue not in watched),
        empty=not view.queues(),
        going=going,
    )


def _links(published: Published, state: GateState) -> tuple[GateLink, ...]:
    return tuple(
        GateLink(name, state.decision.verdict if name == state.gate else other.decision.verdict, name == state.gate)
        for name, other in sorted(published.gates.items())
    )


def _verdict(state: GateState, titles: Mapping[str, str], now: datetime, zone: ZoneInfo) -> VerdictView:
    decision, stale_after = state.decision, stale_after_of(state)
    review = decision.next_review_at or decision.retry_at
    age = None if decision.data_as_of is None else max(0.0, (now - decision.data_as_of).total_seconds())
    return VerdictView(
        state=decision.verdict,
        word=decision.verdict.upper(),
        reason=retitled(summary(decision), titles),
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


def _checks_in_words(rows: Sequence[CheckRow]) -> str:
    bad = sum(not row.fine for row in rows)
    return count(len(rows), "check") + (f", {bad} not passing" if bad else ", all passing")
