"""The NoteStore port, on SQL."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, tuple_, update

from app.core.event import Actor, Event
from app.core.note import Note, NoteKind
from app.errors import NotFound
from app.store.engine import Database
from app.store.events import append_events
from app.store.gates import require_gate
from app.store.note_tables import NOTES

Step = Callable[[Note], tuple[Note, Event] | None]


class SqlNotes:
    """The NoteStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_note(self, note: Note, event: Event) -> None:
        await self._database.write(lambda connection: _add(connection, note, event))

    async def note(self, note_id: str) -> Note:
        return await self._database.read(lambda connection: _find(connection, note_id))

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
        column = NOTES.c
        wanted = [column.gate == gate, column.withdrawn_at.is_(None)]
        if kinds:
            wanted.append(column.kind.in_([kind.value for kind in kinds]))
        if start is not None:
            wanted.append(column.at >= start)
        if until is not None:
            wanted.append(column.at < until)
        if before is not None:
            wanted.append(tuple_(column.at, column.id) < before)
        query = select(NOTES).where(*wanted).order_by(column.at.desc(), column.id.desc()).limit(limit)
        return await self._database.read(lambda connection: [_note(row) for row in connection.execute(query)])

    async def withdraw_note(self, note_id: str, step: Step) -> Note:
        return await self._database.write(lambda connection: _withdraw(connection, note_id, step))


def _add(connection: Connection, note: Note, event: Event) -> None:
    require_gate(connection, note.gate)
    row = {name: getattr(note, name) for name in NOTES.columns.keys() if not name.startswith("author_")}  # noqa: SIM118  a column collection's own keys
    row |= {"kind": note.kind.value, "author_id": note.author.id, "author_name": note.author.name}
    connection.execute(insert(NOTES).values(row))
    append_events(connection, [event])


def _find(connection: Connection, note_id: str) -> Note:
    row = connection.execute(select(NOTES).where(NOTES.c.id == note_id)).first()
    if row is None:
        raise NotFound(f"there is no note {note_id!r}")
    return _note(row)


def _withdraw(connection: Connection, note_id: str, step: Step) -> Note:
    former = _find(connection, note_id)
    if (taken := step(former)) is None:
        return former
    after, event = taken
    connection.execute(update(NOTES).where(NOTES.c.id == note_id).values(withdrawn_at=after.withdrawn_at))
    append_events(connection, [event])
    return after


def _note(row: Row[Any]) -> Note:
    return Note(
        id=row.id,
        gate=row.gate,
        at=row.at,
        written_at=row.written_at,
        author=Actor(row.author_id, row.author_name),
        kind=NoteKind(row.kind),
        text=row.text,
        campaign=row.campaign,
        queue=row.queue,
        withdrawn_at=row.withdrawn_at,
    )
