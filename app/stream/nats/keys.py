"""The keys that were seen last: by them a payload that is sent again is found out, without asking any database.

Kept are numbers, not the keys themselves: some 100 bytes each. Two keys share a number with a probability of one in
2**64, salted anew in each process.
"""

from collections.abc import Hashable, Iterable, Sequence

from app.ports.stream import Payload
from app.stream.nats.codec import key_of

REMEMBERED_KEYS = 500_000
"""At least so many of the newest keys are remembered, at most twice as many: 100 MB."""


class RecentKeys:
    """The newest keys, in two sets: when the younger is full the older is dropped."""

    def __init__(self, least: int = REMEMBERED_KEYS) -> None:
        self.least = least
        self._younger: set[int] = set()
        self._older: set[int] = set()

    def __len__(self) -> int:
        return len(self._younger) + len(self._older)

    def add(self, keys: Iterable[Hashable]) -> None:
        """Remember keys."""
        self.add_numbers(map(hash, keys))

    def add_numbers(self, numbers: Iterable[int]) -> None:
        """Remember keys by the numbers that `fresh` noted."""
        self._younger.update(numbers)
        if len(self._younger) >= self.least:
            self._older, self._younger = self._younger, set()

    def fresh(self, payloads: Sequence[Payload], beside: set[int]) -> Sequence[Payload]:
        """Return the payloads neither remembered nor in `beside`, of each key the first; it is noted there."""
        keys = list(map(hash, map(key_of, payloads)))
        given = set(keys)
        if len(given) == len(keys) and self._knows_none(given) and given.isdisjoint(beside):
            beside |= given
            return payloads
        return [payload for payload, key in zip(payloads, keys, strict=True) if self._is_fresh(key, beside)]

    def _knows_none(self, keys: set[int]) -> bool:
        return self._younger.isdisjoint(keys) and self._older.isdisjoint(keys)

    def _is_fresh(self, key: int, beside: set[int]) -> bool:
        if key in self._younger or key in self._older or key in beside:
            return False
        beside.add(key)
        return True
