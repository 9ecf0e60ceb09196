"""How many contacts arrive at which time of the day."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Rates:
    """Contacts per second, constant within each step, counted from the simulation's start.

    After the last step comes silence, or the first step again where repeats is set.
    """

    per_second: tuple[float, ...]
    step_seconds: float = 60.0
    repeats: bool = False

    def __post_init__(self) -> None:
        if not self.per_second or min(self.per_second) < 0:
            raise ValueError("per_second must hold at least one rate, and none below 0")
        if self.step_seconds <= 0:
            raise ValueError(f"step_seconds must be > 0, not {self.step_seconds}")

    @classmethod
    def through(
        cls, knots: Sequence[tuple[float, float]], *, length_seconds: float, step_seconds: float = 60.0
    ) -> "Rates":
        """Return rates along straight lines through knots of (seconds after the start, contacts per hour), repeated.

        Before the first knot and after the last one nobody calls. Each step takes the rate at its middle.
        """
        if any(later <= earlier for (earlier, _), (later, _) in pairwise(knots)):
            raise ValueError("knots must be in order of time, no two at the same one")
        steps = round(length_seconds / step_seconds)
        middles = ((step + 0.5) * step_seconds for step in range(steps))
        return cls(tuple(_on_line(knots, at) / 3600 for at in middles), step_seconds, repeats=True)

    def next_arrival(self, after: float, mass: float) -> float | None:
        """Return when the integral of the rate from `after` on reaches `mass`; None when it never does.

        With `mass` exponential of mean 1, repeated calls give a Poisson process with exactly these rates.
        """
        rates, step, count = self.per_second, self.step_seconds, len(self.per_second)
        if self.repeats and not any(rates):
            return None
        index = int(after // step)
        while self.repeats or index < count:
            rate, end = rates[index % count], (index + 1) * step
            if rate * (end - after) > mass:
                return after + mass / rate
            mass -= rate * (end - after)
            after, index = end, index + 1
        return None


def _on_line(knots: Sequence[tuple[float, float]], at: float) -> float:
    after = bisect_right(knots, (at, float("inf")))
    if after in (0, len(knots)):
        return 0.0
    (left, low), (right, high) = knots[after - 1], knots[after]
    return low + (high - low) * (at - left) / (right - left)
