"""The quota of one account and region, which all of its instances and all of its owner's programs share.

Amazon Connect answers about 5 such questions a second per account and region, whoever asks. So all sources of a process
that ask the same account and region go through one turnstile, and when one is told to slow down, all do.
"""

import time
from collections.abc import Callable

from workers.systems.faults import RateLimited

REQUESTS_PER_SECOND = 2.0
LONGEST_WAIT_SECONDS = 5.0
PENALTY_SECONDS = 2.0


class Turnstile:
    """Says when the next question may be asked: evenly spaced, and not while the account is told to wait."""

    def __init__(self, requests_per_second: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._spacing, self._monotonic = 1 / requests_per_second, monotonic
        self._free_at = monotonic()

    def slow_to(self, requests_per_second: float) -> None:
        """Ask no more often than that."""
        self._spacing = max(self._spacing, 1 / requests_per_second)

    def reserve(self) -> float:
        """Return in how many seconds to ask; that place is taken then. Raises RateLimited when it is too far away."""
        now = self._monotonic()
        wait = max(0.0, self._free_at - now)
        if wait > LONGEST_WAIT_SECONDS:
            raise RateLimited("the account's quota of questions is used up for now", wait)
        self._free_at = now + wait + self._spacing
        return wait

    def hold_off(self, seconds: float) -> None:
        """Let nobody ask for so long, 2 s at least."""
        self._free_at = max(self._free_at, self._monotonic() + max(seconds, PENALTY_SECONDS))


_TURNSTILES: dict[tuple[str, str, str], Turnstile] = {}


def turnstile(account: str, region: str, endpoint: str, requests_per_second: float) -> Turnstile:
    """Return the one turnstile of an account and region; the slowest of those who share it sets the pace."""
    key = (account, region, endpoint)
    found = _TURNSTILES.get(key)
    if found is None:
        found = _TURNSTILES[key] = Turnstile(requests_per_second)
    found.slow_to(requests_per_second)
    return found
