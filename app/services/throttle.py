"""How often passwords may be tried, by account and by address: delays in memory that grow and decay.

Who signed in at an address before has tries of their own there: somebody else who guesses at their account from
elsewhere does not keep them out (OWASP ASVS 5.0.0, 6.1.1).
"""

import math
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from app.core.account.tries import (
    FREE_OF_ACCOUNT,
    FREE_OF_ADDRESS,
    Tries,
    counted,
    seconds_to_wait,
)
from app.errors import HoldfireError

MOST_KEPT = 50_000


class TooManyTries(HoldfireError):
    """Passwords were tried too often; `seconds` later there may be another try. Nothing was looked at."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many wrong passwords were tried; wait {_said(seconds)}, then try again")
        self.seconds = seconds


class Throttle:
    """Counts wrong passwords. An account is counted whether there is one or not, so nobody learns which."""

    def __init__(self) -> None:
        self._tries: OrderedDict[bytes, Tries] = OrderedDict()
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def begin(self, account: str, address: str, now: datetime) -> None:
        """Count a try that is about to be made, as wrong until `succeed`. Raises TooManyTries, which counts nothing."""
        limits = self._limits(account, address)
        wait = max(seconds_to_wait(self._tries.get(key), free, now) for key, free in limits)
        if wait > 0:
            raise TooManyTries(math.ceil(wait))
        for key, _ in limits:
            self._keep(key, counted(self._tries.get(key), now))

    def succeed(self, account: str, address: str) -> None:
        """Take back the try, and forget what was tried for this account here: it knows the address from now on."""
        (own, _), (place, _) = self._limits(account, address)
        self._tries.pop(own, None)
        if (tries := self._tries.get(place)) is not None:  # who has an account must not wash away tries at others
            self._tries[place] = replace(tries, count=tries.count - 1.0)
        known = _key(account, address)
        self._known[known] = None
        self._known.move_to_end(known)
        if len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)

    def forget(self, account: str) -> None:
        """Forget all that was tried for an account from where it is not known: its owner was let in another way."""
        self._tries.pop(_key(account), None)

    def _limits(self, account: str, address: str) -> tuple[tuple[bytes, int], ...]:
        known = _key(account, address)
        own = known if known in self._known else _key(account)
        return (own, FREE_OF_ACCOUNT), (_key("", address), FREE_OF_ADDRESS)

    def _keep(self, key: bytes, tries: Tries) -> None:
        self._tries[key] = tries
        self._tries.move_to_end(key)
        if len(self._tries) > MOST_KEPT:
            self._tries.popitem(last=False)


def _key(*parts: str) -> bytes:
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()


def _said(seconds: int) -> str:
    minutes = math.ceil(seconds / 60)
    return f"{seconds} s" if seconds < 60 else f"{minutes} min"  # noqa: PLR2004  a minute
