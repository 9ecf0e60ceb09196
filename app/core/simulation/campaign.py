"""What a campaign does to a floor: how many of those mailed get in touch, and when."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf, isclose

from app.core.forecast.lag import LogLogisticLag
from app.core.simulation.plan import Span
from app.core.simulation.randomness import Rng

_DEFERRED_MEAN_SECONDS = 45 * 60.0


@dataclass(frozen=True, slots=True)
class Campaign:
    """An email to `audience` people, of whom contacts_per_1000 in 1,000 get in touch, on average.

    queue_shares: how these split over queues; must sum to 1. delivery_seconds: how long the mailing takes to go out.
    deferral_ratio: the share of those finding the center closed who come back after it opens; the others never do.
    """

    name: str
    audience: int
    contacts_per_1000: float
    queue_shares: Mapping[str, float]
    delivery_seconds: float = 0.0
    deferral_ratio: float = 0.7
    lag: LogLogisticLag = field(default_factory=LogLogisticLag)

    def __post_init__(self) -> None:
        if self.audience < 0 or self.contacts_per_1000 < 0 or self.delivery_seconds < 0:
            raise ValueError("audience, contacts_per_1000 and delivery_seconds must be >= 0")
        if not isclose(sum(self.queue_shares.values()), 1):
            raise ValueError(f"queue_shares must sum to 1, not {sum(self.queue_shares.values())}")

    def contacts(
        self, start: float, rng: Rng, opening: Callable[[str, float], float | None]
    ) -> Iterator[tuple[str, float]]:
        """Yield (queue, arrival in seconds) of each contact caused by sending at `start`, in no order.

        opening(queue, at) is the first open instant of that queue from `at` on, None when it never opens again.
        """
        mean = self.audience * self.contacts_per_1000 / 1000
        for _ in range(_poisson(mean, rng)):
            queue = self._queue(rng.random())
            delivered = start + rng.random() * self.delivery_seconds
            arrival = self._arrival(queue, delivered, rng, opening)
            if arrival is not None:
                yield queue, arrival

    def respondents(self, rng: Rng) -> Iterator[float]:
        """Yield the places in the list, 0 <= place < audience and in order, of those who are going to get in touch."""
        per_person = self.contacts_per_1000 / 1000
        place = rng.expovariate(per_person) if per_person else inf
        while place < self.audience:
            yield place
            place += rng.expovariate(per_person)

    def contact(
        self, delivered: float, rng: Rng, opening: Callable[[str, float], float | None]
    ) -> tuple[str, float] | None:
        """Return (queue, arrival in seconds) of one respondent who got the email at `delivered`; None: stays away.

        rng is that respondent's own, opening as for `contacts`.
        """
        queue = self._queue(rng.random())
        arrival = self._arrival(queue, delivered, rng, opening)
        return None if arrival is None else (queue, arrival)

    def _arrival(
        self, queue: str, delivered: float, rng: Rng, opening: Callable[[str, float], float | None]
    ) -> float | None:
        lag = self.lag.lag_seconds(rng.random())
        arrival = self._when_open(delivered + lag, rng.random(), rng, opening, queue)
        return arrival if lag <= self.lag.horizon_seconds else None

    def _queue(self, point: float) -> str:
        for name, share in self.queue_shares.items():
            point -= share
            if point < 0:
                return name
        return next(reversed(list(self.queue_shares)))

    def _when_open(
        self, at: float, luck: float, rng: Rng, opening: Callable[[str, float], float | None], queue: str
    ) -> float | None:
        opens = opening(queue, at)
        if opens is None or opens <= at:
            return opens
        if luck >= self.deferral_ratio:
            return None
        return opens + rng.expovariate(1 / _DEFERRED_MEAN_SECONDS)


def first_open(spans: tuple[Span, ...], period: float | None, at: float) -> float | None:
    """Return the first instant >= at inside one of the spans, which repeat every `period` seconds; None: never again.

    No spans means always open. Spans are in order of time.
    """
    if not spans:
        return at
    laps = (0.0,) if period is None else (at // period * period, at // period * period + period)
    candidates = (max(at, lap + span.start) for lap in laps for span in spans if at < lap + span.end)
    return next(candidates, None)


def _poisson(mean: float, rng: Rng) -> int:
    count, mass = 0, rng.expovariate(1.0)
    while mass < mean:
        count, mass = count + 1, mass + rng.expovariate(1.0)
    return count
