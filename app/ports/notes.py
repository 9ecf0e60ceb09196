"""Where notes are kept."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from app.core.event import Event
from app.core.note import Note, NoteKind


class NoteStore(Protocol):
    """Notes of gates, kept for ever, withdrawn ones too. They go with their gate when that is deleted."""

    async def add_note(self, note: Note, event: Event) -> None:
        """Add one with its event. Raises NotFound for an unknown gate."""

    async def note(self, note_id: str) -> Note:
        """Return one. Raises NotFound."""

    async def notes(
        self,
        gate: str,
        *,
        kinds: Sequence[NoteKind] = (),
        start: datetime | None = None,
        until: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Note]:
        """Return a gate's notes that stand, newest first by (at, id), about instants in [start, until).

        kinds (): of any. before: where a page ended.
        """

    async def withdraw_note(self, note_id: str, step: Callable[[Note], tuple[Note, Event] | None]) -> Note:
        """Set withdrawn_at to what step makes of it, with its event, in one transaction; return the note as it then is.

        step returns None to leave it alone, and may run again when a transaction is repeated; what it raises is raised
        here, and nothing is changed. Raises NotFound.
        """
