"""Notes in a gate's log: written, read, and taken back by who wrote them."""

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from app.core.event import Actor, Event
from app.core.note import Note, NoteDraft, NoteKind, NoteRefused, note_of, withdrawn, written
from app.errors import Conflict, Invalid, NotFound
from app.ports.clock import Clock
from app.ports.notes import NoteStore


class NotYours(Conflict):
    """Who asks did not write the note."""


class Notes:
    """All notes. on_change runs after a change is durable."""

    def __init__(self, store: NoteStore, clock: Clock, on_change: Callable[[], None] = lambda: None) -> None:
        self._store, self._clock, self._on_change = store, clock, on_change
        self._changes: Counter[str] = Counter()

    def changes(self, gate: str) -> int:
        """Return how often this process has changed a gate's notes: whoever looks at them looks again when it grows."""
        return self._changes[gate]

    async def write(self, gate: str, draft: NoteDraft, actor: Actor) -> Note:
        """Return a new note of a gate. Raises Invalid with all that is wrong with it, NotFound for an unknown gate."""
        try:
            note = note_of(draft, f"note_{secrets.token_hex(8)}", gate, actor, self._clock.now())
        except NoteRefused as refused:
            raise Invalid("the note was refused; nothing was written", refused.problems) from refused
        await self._store.add_note(note, written(note))
        self._changed(gate)
        return note

    async def find(self, note_id: str) -> Note:
        """Return one, withdrawn or not. Raises NotFound."""
        return await self._store.note(note_id)

    async def page(
        self,
        gate: str,
        *,
        kinds: Sequence[NoteKind] = (),
        start: datetime | None = None,
        until: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Note]:
        """Return a gate's notes that stand, newest first by (at, id), about instants in [start, until)."""
        return await self._store.notes(gate, kinds=kinds, start=start, until=until, before=before, limit=limit)

    async def withdraw(self, note_id: str, actor: Actor, *, of_anybody: bool = False, gate: str | None = None) -> Note:
        """Return the note, taken back: it is shown no longer, and stays in the audit log. Again changes nothing.

        of_anybody: also one that somebody else wrote. gate: of this gate only. Raises NotFound, NotYours.
        """
        now = self._clock.now()

        def step(note: Note) -> tuple[Note, Event] | None:
            if gate is not None and note.gate != gate:
                raise NotFound(f"gate {gate!r} has no note {note_id!r}")
            if note.author.id != actor.id and not of_anybody:
                raise NotYours(f"note {note_id!r} was written by {note.author.name}; only its author can withdraw it")
            return (
                None
                if note.withdrawn_at is not None
                else (replace(note, withdrawn_at=now), withdrawn(note, actor, now))
            )

        note = await self._store.withdraw_note(note_id, step)
        self._changed(note.gate)
        return note

    def _changed(self, gate: str) -> None:
        self._changes[gate] += 1
        self._on_change()
