"""A limit on how many different names may become label values, so that no input can flood the metrics."""

from prometheus_client import Counter


class Cap:
    """Admits the first `limit` names for good; counts each further name once."""

    def __init__(self, limit: int, dropped: Counter) -> None:
        self._limit, self._dropped = limit, dropped
        self._admitted: set[str] = set()
        self._refused: set[str] = set()

    def admits(self, name: str) -> bool:
        """Return whether the name may be a label value; the answer for a name never changes."""
        if name in self._admitted:
            return True
        if len(self._admitted) < self._limit:
            self._admitted.add(name)
            return True
        if name not in self._refused:
            self._refused.add(name)
            self._dropped.inc()
        return False
