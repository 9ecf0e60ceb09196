"""One tile per queue: its few numbers, each with provenance, neutral unless a limit is broken. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.view import FloorView, Reading
from app.core.gate.decision import Check, CheckStatus
from app.web.format import NO_BREAK, NONE, clock_time, duration, iso, measure
from app.web.now.checks import FINE, OPS, STATUSES, worst_of
from app.web.now.sparkline import Sparkline

CELLS = (Metric.OLDEST_WAIT_SECONDS, Metric.SPEED_TO_ANSWER_SECONDS, Metric.SERVICE_LEVEL_RATIO)
CHIPS = {CheckStatus.PASS: "within limits", CheckStatus.TOO_FEW: "too few to judge", None: "no rule"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of a tile. state: neutral, throttle, hold or unknown; limit is printed where it is broken.

    amount is the bare number, 0 where there is none: to compare queues by, never to print.

    The rest is what its card says: what the metric means, over which window, from which source, as of when.
    """

    label: str
    value: str
    amount: float
    state: str
    limit: str
    meaning: str
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
    """What tiles are made from: the floor and the gate's checks as of `now`, and what counts as too old."""

    view: FloorView
    checks: Sequence[Check]
    now: datetime
    stale_after_seconds: float
    zone: ZoneInfo

    def gravest(self, queue: str, metric: Metric) -> Check | None:
        """Return the worst standing of any rule on a queue's metric, None when no rule looks at it."""
        own = [check for check in self.checks if check.queue == queue and check.metric is metric]
        return min(own, key=lambda check: STATUSES[check.status][2], default=None)


def tile(sight: Sight, queue: str, title: str, trend: Sparkline | None) -> Tile:
    """Return a queue's tile. What is older than stale_after_seconds is marked so, whatever it says."""
    backlog, *cells = [_cell(sight, queue, metric) for metric in (Metric.BACKLOG, *CELLS)]
    heard = sight.view.last_heard_at(queue)
    age = None if heard is None else max(0.0, (sight.now - heard).total_seconds())
    stale = age is None or age > sight.stale_after_seconds
    worst = worst_of(sight.checks, queue)
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
    return _filled(sight, definition.title, value, reading, check)


def _agents(sight: Sight, queue: str) -> Cell:
    """Return available of staffed agents as one cell; either may be unknown."""
    available = sight.view.reading(queue, Metric.AGENTS_AVAILABLE)
    staffed = sight.view.reading(queue, Metric.AGENTS_STAFFED)
    check = sight.gravest(queue, Metric.AGENTS_AVAILABLE) or sight.gravest(queue, Metric.AGENTS_STAFFED)
    free, all_of_them = (measure(reading.value if reading else None, "agents") for reading in (available, staffed))
    value = NONE if available is None and staffed is None else f"{free} of {all_of_them}"
    return _filled(sight, "Agents free", value, available or staffed, check)


def _filled(sight: Sight, label: str, value: str, reading: Reading | None, check: Check | None) -> Cell:
    state = STATUSES[check.status][0] if check and check.status not in FINE else "neutral"
    broken = state in {"hold", "throttle"}
    stale = reading is not None and reading.age_seconds(sight.now) > sight.stale_after_seconds
    return Cell(
        label=label,
        value=value,
        amount=(reading.value if reading else None) or 0.0,
        state="unknown" if stale else state,
        limit=_limit(check) if check and broken and not stale else "",
        meaning=DEFINITIONS[reading.metric].meaning if reading else "no source has reported it",
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
