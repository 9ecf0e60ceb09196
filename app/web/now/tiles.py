"""One tile per queue: its few numbers, each with provenance, neutral unless a limit is broken. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.view import FloorView, Reading
from app.core.gate.decision import Check, CheckStatus
from app.web.format import NO_BREAK, NONE, clock_time, duration, iso, measure
from app.web.now.checks import FINE, OPS, STATUSES
from app.web.now.sparkline import Sparkline

CELLS = (Metric.OLDEST_WAIT_SECONDS, Metric.SPEED_TO_ANSWER_SECONDS, Metric.SERVICE_LEVEL_RATIO)
FINE_PLACE = min(STATUSES[status][2] for status in FINE)
CHIPS = {CheckStatus.PASS: "within limits", CheckStatus.TOO_FEW: "too few to judge", None: "no rule"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of a tile. state: neutral, throttle, hold or unknown; limit: what it must meet, empty without a rule.

    amount is the bare number, 0 where there is none: to compare queues by, never to print.

    The rest is what its card says: over which window, from which source, as of when; what the metric means is said
    once for all queues, by its name.
    """

    metric: str
    label: str
    value: str
    amount: float
    state: str
    limit: str
    window: str
    source: str
    as_of: str
    as_of_text: str
    stale: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """One queue. state and word as in the why-panel, shape the mark beside the word: a tile within limits is neutral.

    stale: nothing of it is recent enough to be believed.
    """

    queue: str
    title: str
    state: str
    shape: str
    word: str
    backlog: Cell
    cells: tuple[Cell, ...]
    trend: Sparkline | None
    trend_text: str
    as_of: str
    age: str
    stale: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """What tiles are made from: the floor and the gate's checks by queue as of `now`, and what counts as too old."""

    view: FloorView
    checks: Mapping[str, Sequence[Check]]
    now: datetime
    stale_after_seconds: float
    zone: ZoneInfo

    def gravest(self, queue: str, metric: Metric) -> Check | None:
        """Return the worst standing of any rule on a queue's metric, None when no rule looks at it."""
        own = [check for check in self.checks.get(queue, ()) if check.metric is metric]
        return min(own, key=lambda check: STATUSES[check.status][2], default=None)

    def worst(self, queue: str) -> CheckStatus | None:
        """Return the gravest status among a queue's checks, None when no rule looks at it."""
        own = [check.status for check in self.checks.get(queue, ())]
        return min(own, key=lambda status: STATUSES[status][2], default=None)

    def place(self, queue: str) -> tuple[int, float, str]:
        """Return where a queue stands among others, the one to look at first before all."""
        worst, backlog = self.worst(queue), self.view.reading(queue, Metric.BACKLOG)
        gravity = STATUSES[worst][2] if worst else len(STATUSES)
        return min(gravity, FINE_PLACE), -((backlog.value if backlog else None) or 0.0), queue


def by_queue(checks: Sequence[Check]) -> dict[str, list[Check]]:
    """Return checks by their queue; those of no queue are left out."""
    found: dict[str, list[Check]] = {}
    for check in checks:
        if check.queue is not None:
            found.setdefault(check.queue, []).append(check)
    return found


def tile(sight: Sight, queue: str, title: str, trend: Sparkline | None) -> Tile:
    """Return a queue's tile. What is older than stale_after_seconds is marked so, whatever it says."""
    backlog, *cells = [_cell(sight, queue, metric) for metric in (Metric.BACKLOG, *CELLS)]
    heard = sight.view.last_heard_at(queue)
    age = None if heard is None else max(0.0, (sight.now - heard).total_seconds())
    stale = age is None or age > sight.stale_after_seconds
    worst = sight.worst(queue)
    state, word, _ = STATUSES[worst] if worst else ("neutral", "", 0)
    return Tile(
        queue=queue,
        title=title,
        state="unknown" if stale else "neutral" if worst is None or worst in FINE else state,
        shape="unknown" if stale else state,
        word="stale" if stale else CHIPS.get(worst, word),
        backlog=backlog,
        cells=(*cells, _agents(sight, queue)),
        trend=trend,
        trend_text=_trend_text(trend, sight.gravest(queue, Metric.BACKLOG)),
        as_of=iso(heard),
        age=duration(None if age is None else age // 1),
        stale=stale,
    )


def _cell(sight: Sight, queue: str, metric: Metric) -> Cell:
    definition, check = DEFINITIONS[metric], sight.gravest(queue, metric)
    reading = sight.view.reading(queue, metric, check.window_seconds if check else None)
    value = measure(reading.value if reading else None, definition.unit)
    return _filled(sight, (metric, definition.title), value, reading, check)


def _agents(sight: Sight, queue: str) -> Cell:
    """Return available of staffed agents as one cell; either may be unknown."""
    available = sight.view.reading(queue, Metric.AGENTS_AVAILABLE)
    staffed = sight.view.reading(queue, Metric.AGENTS_STAFFED)
    check = sight.gravest(queue, Metric.AGENTS_AVAILABLE) or sight.gravest(queue, Metric.AGENTS_STAFFED)
    free, all_of_them = (measure(reading.value if reading else None, "agents") for reading in (available, staffed))
    value = NONE if available is None and staffed is None else f"{free} of {all_of_them}"
    named = Metric.AGENTS_AVAILABLE, "Agents free"
    return _filled(sight, named, value, available or staffed, check)


def _filled(sight: Sight, named: tuple[Metric, str], value: str, reading: Reading | None, check: Check | None) -> Cell:
    metric, label = named
    state = STATUSES[check.status][0] if check and check.status not in FINE else "neutral"
    stale = reading is not None and reading.age_seconds(sight.now) > sight.stale_after_seconds
    return Cell(
        metric=metric.value,
        label=label,
        value=value,
        amount=(reading.value if reading else None) or 0.0,
        state="unknown" if stale else state,
        limit=_limit(check) if check and check.limit is not None and not stale else "",
        window=_window(reading),
        source=reading.source if reading else "",
        as_of=iso(reading.observed_at if reading else None),
        as_of_text=clock_time(reading.observed_at if reading else None, sight.zone, today=sight.now),
        stale=stale,
    )


def _limit(check: Check) -> str:
    """Return the limit a value has to meet now: the stricter one while it recovers."""
    recovering = check.status is CheckStatus.RECOVERING
    limit = check.resume_limit if recovering else check.limit
    return f"{'resume' if recovering else 'limit'} {OPS.get(check.op or '', '')}{NO_BREAK}{measure(limit, check.unit)}"


def _window(reading: Reading | None) -> str:
    if reading is None:
        return "never reported"
    if reading.window_seconds is None:
        return "at this instant" if not DEFINITIONS[reading.metric].windowed else "window not said by the source"
    samples = "" if reading.samples is None else f", {reading.samples:,} contacts"
    return f"last {duration(reading.window_seconds)}{samples}"


def _trend_text(trend: Sparkline | None, check: Check | None) -> str:
    if trend is None or not trend.points or trend.low is None or trend.high is None:
        return "Backlog: no history in the last 30 minutes"
    limit = "" if check is None or check.limit is None else f"; limit {measure(check.limit, check.unit)}"
    low, high = measure(trend.low, "contacts"), measure(trend.high, "contacts")
    return f"Backlog over the last 30 minutes: {low} to {high}{limit}"
