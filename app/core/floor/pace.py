"""How fast a source brings data, and how late: over its last minutes."""

from collections import deque
from datetime import datetime
from statistics import median

STEP_SECONDS = 10
SPAN_SECONDS = 300
LAGS = 30
NOTICED_SECONDS = 1.0


class Pace:
    """Counts in steps of ten seconds over five minutes, and how long the last batches were on their way."""

    __slots__ = ("_lags", "_steps")

    def __init__(self) -> None:
        self._steps: deque[tuple[int, int]] = deque(maxlen=SPAN_SECONDS // STEP_SECONDS + 1)
        self._lags: deque[float] = deque(maxlen=LAGS)

    def add(self, count: int, observed_at: datetime, at: datetime) -> None:
        """Note a batch that came at `at`, its newest item from observed_at by the source's clock."""
        step = int(at.timestamp()) // STEP_SECONDS
        if self._steps and self._steps[-1][0] == step:
            count += self._steps.pop()[1]
        self._steps.append((step, count))
        self._lags.append((at - observed_at).total_seconds())

    def per_minute(self, now: datetime) -> float:
        """Return how many items came per minute, over the last five minutes."""
        since = (int(now.timestamp()) - SPAN_SECONDS) // STEP_SECONDS
        return sum(count for step, count in self._steps if step > since) * 60 / SPAN_SECONDS

    @property
    def lag_seconds(self) -> float | None:
        """How long after its instant a batch comes, usually; None before the first."""
        return median(self._lags) if self._lags else None

    @property
    def clock_ahead_seconds(self) -> float | None:
        """How far the source's clock is ahead of ours, at least: it spoke of what had not been yet. None: not known."""
        ahead = -min(self._lags, default=0.0)
        return ahead if ahead >= NOTICED_SECONDS else None
