"""Where records are written down for good when the stream itself keeps them for days only."""

from collections.abc import Sequence
from typing import Protocol

from app.ports.stream import StreamRecord


class RecordArchive(Protocol):
    """Records with their positions, in order, each once."""

    async def position(self) -> int:
        """Return the position up to which everything is written down, 0 at the beginning."""

    async def write(self, records: Sequence[StreamRecord]) -> None:
        """Write down those that are behind the position, and move it, as one. Raises NotDurable; then nothing was.

        Raises Invalid when the database refuses one of them for what it says.
        """
