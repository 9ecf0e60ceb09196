"""Rolling windows over contacts' Counts: per-second buckets, and one running total per length of window.

Theory of operation: a window of W seconds at `edge` covers (edge - W, edge]. The edge is a whole second and only moves
forward. A step adds the buckets that come in and takes off those that leave; a leap sums anew. A late contribution, or
one taken back, goes into its bucket and into each total that covers it. Seconds at or before edge - keep are forgotten.
"""

from app.core.floor.counts import NOTHING, Counts
from app.core.floor.instants import LONG_AGO

_MOST_LENGTHS = 16


class Windows:
    """The windows of one queue. keep_seconds grows to the longest length ever asked for."""

    __slots__ = ("_buckets", "_forgotten", "_totals", "edge", "keep_seconds")

    def __init__(self, keep_seconds: int) -> None:
        self.keep_seconds = keep_seconds
        self.edge = LONG_AGO
        self._forgotten = LONG_AGO
        self._buckets: dict[int, Counts] = {}
        self._totals: dict[int, Counts] = {}

    def add(self, second: int, counts: Counts) -> None:
        """Count a contribution (or take one back: negative) in a second; forgotten seconds take none."""
        if second <= self._forgotten:
            return
        self._buckets[second] = self._buckets.get(second, NOTHING) + counts
        if second <= self.edge:
            age = self.edge - second
            for length in self._totals:
                if age < length:
                    self._totals[length] += counts

    def advance(self, edge: int) -> bool:
        """Move the edge forward (an earlier one changes nothing); return whether any total or cover may differ."""
        if edge <= self.edge:
            return False
        forgotten = max(self._forgotten, edge - self.keep_seconds)
        changed = forgotten == self._forgotten
        for length, total in self._totals.items():
            moved = self._moved(length, total, edge)
            changed = changed or moved != total
            self._totals[length] = moved
        self.edge = edge
        self._forget(forgotten)
        return changed

    def total(self, length: int) -> Counts:
        """Return the sum over the last `length` seconds, as far back as they are kept."""
        total = self._totals.get(length)
        return self._open(length) if total is None else total

    def next_change(self, until: int) -> int:
        """Return the first later edge, at most `until`, at which a total may differ although nothing was added."""
        if len(self._totals) >= _MOST_LENGTHS:  # lengths take turns: what is not kept cannot be foreseen
            return self.edge + 1
        for edge in range(self.edge + 1, until):
            if edge in self._buckets or any(edge - length in self._buckets for length in self._totals):
                return edge
        return until

    def covered_seconds(self, length: int) -> int:
        """Return how much of a window of that length is kept: less only just after a longer one was asked for."""
        return min(length, self.edge - self._forgotten)

    def _open(self, length: int) -> Counts:
        if len(self._totals) >= _MOST_LENGTHS:
            del self._totals[next(iter(self._totals))]
        self.keep_seconds = max(self.keep_seconds, length)
        total = self._totals[length] = self._sum(self.edge - length, self.edge)
        return total

    def _moved(self, length: int, total: Counts, edge: int) -> Counts:
        """Return a total as it is at a later edge: by the buckets that come in and leave, or summed anew."""
        buckets, steps = self._buckets, edge - self.edge
        if steps == 1:
            coming, leaving = buckets.get(edge, NOTHING), buckets.get(edge - length, NOTHING)
        elif steps < min(length, len(buckets)):
            coming, leaving = self._sum(self.edge, edge), self._sum(self.edge - length, edge - length)
        else:
            return self._sum(edge - length, edge)
        return total + coming - leaving if coming or leaving else total

    def _sum(self, after: int, until: int) -> Counts:
        """Return the sum over (after, until], by the shorter way: second by second, or bucket by bucket."""
        buckets = self._buckets
        if until - after <= len(buckets):
            return sum(buckets.get(second, NOTHING) for second in range(after + 1, until + 1))
        return sum(counts for second, counts in buckets.items() if after < second <= until)

    def _forget(self, until: int) -> None:
        if until - self._forgotten <= len(self._buckets):
            for second in range(self._forgotten + 1, until + 1):
                self._buckets.pop(second, None)
        else:
            self._buckets = {second: counts for second, counts in self._buckets.items() if second > until}
        self._forgotten = until
