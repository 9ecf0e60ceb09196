"""Where chance comes from, and the shapes it takes: durations drawn from a named law."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt
from typing import Protocol


class Rng(Protocol):
    """A generator of random numbers; random.Random is one."""

    def random(self) -> float:
        """Return a number in [0, 1)."""

    def expovariate(self, lambd: float, /) -> float:
        """Return an exponential number of rate `lambd`."""

    def lognormvariate(self, mu: float, sigma: float, /) -> float:
        """Return a number whose logarithm is normal with mean `mu` and standard deviation `sigma`."""


# A name in, a fresh generator out, the same one for the same name. Every process of the floor draws from its own, so
# that a campaign added to a day leaves all other contacts of that day as they were.
Rngs = Callable[[str], Rng]


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Durations whose logarithm is normal: the law of real talk times. Both parameters are of the log of seconds."""

    log_mean: float
    log_sd: float

    @classmethod
    def of(cls, mean_seconds: float, cv: float) -> "LogNormal":
        """Return the law with that mean and coefficient of variation (standard deviation / mean)."""
        if mean_seconds <= 0 or cv < 0:
            raise ValueError(f"mean_seconds must be > 0 and cv >= 0, not {mean_seconds} and {cv}")
        variance = log(1 + cv * cv)
        return cls(log(mean_seconds) - variance / 2, sqrt(variance))

    def draw(self, rng: Rng) -> float:
        """Return one duration, seconds."""
        return rng.lognormvariate(self.log_mean, self.log_sd)


@dataclass(frozen=True, slots=True)
class Exponential:
    """Durations without memory: the law that queueing formulas assume."""

    mean_seconds: float

    def __post_init__(self) -> None:
        if self.mean_seconds <= 0:
            raise ValueError(f"mean_seconds must be > 0, not {self.mean_seconds}")

    def draw(self, rng: Rng) -> float:
        """Return one duration, seconds."""
        return rng.expovariate(1 / self.mean_seconds)


Duration = LogNormal | Exponential
