"""What a process has unpacked already, the oldest use forgotten first."""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from functools import cache

from app.store.packs import Columns

KEPT_BYTES = 384 * 1024 * 1024

Digests = Mapping[int, int]  # of each day's pack


class KeptColumns:
    """Columns by what they are of, as long as the packs that they came from are the same ones; never above the most."""

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[Hashable, tuple[Digests, Columns]] = OrderedDict()

    def get(self, key: Hashable, digests: Digests) -> Columns | None:
        """Return what is kept of these very packs."""
        known, columns = self._kept.get(key, (None, None))
        if known != digests:
            return None
        self._kept.move_to_end(key)
        return columns

    def put(self, key: Hashable, digests: Digests, columns: Columns) -> None:
        """Keep columns, and forget others for them; what is larger than all that may be kept is not."""
        self._kept.pop(key, None)
        self._kept[key] = digests, columns
        while self.size_bytes > self._most:
            self._kept.popitem(last=False)

    @property
    def size_bytes(self) -> int:
        """How much memory all that is kept takes."""
        return sum(columns.size_bytes for _, columns in self._kept.values())


@cache
def kept_columns() -> KeptColumns:
    """Return what this process keeps: readings come and go, and the next one is glad of what the last one unpacked."""
    return KeptColumns()
