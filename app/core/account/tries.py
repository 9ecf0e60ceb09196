"""How long to wait before another password is tried, after some were wrong (OWASP ASVS 5.0.0, 6.1.1 and 6.3.1).

Each wrong one beyond those that are free doubles the wait; being left alone halves the count each hour. So nobody is
ever locked out for good, and whoever guesses all day gets some two hundred guesses.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST_SECONDS = 900.0
HALF_LIFE = timedelta(hours=1)
FREE_OF_ACCOUNT, FREE_OF_ADDRESS = 5, 30  # many people may share an address


@dataclass(frozen=True, slots=True)
class Tries:
    """How many wrong passwords count at `at`, the instant of the last one."""

    count: float
    at: datetime


def counted(tries: Tries | None, now: datetime) -> Tries:
    """Return the tries with one more."""
    return Tries(1.0 + (_left(tries, now) if tries else 0.0), now)


def seconds_to_wait(tries: Tries | None, free: int, now: datetime) -> float:
    """Return how long until the next try may be made; 0 for now."""
    if tries is None or (beyond := tries.count - free) < 0:
        return 0.0
    pause = min(LONGEST_SECONDS, math.pow(2.0, min(beyond, 20.0)))
    return max(0.0, pause - (now - tries.at).total_seconds())


def _left(tries: Tries, now: datetime) -> float:
    return tries.count * math.pow(0.5, max(0.0, (now - tries.at) / HALF_LIFE))
