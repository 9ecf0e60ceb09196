"""A note in a gate's log: what a person, or a program that deploys, wants everybody who looks at the day to know."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.core.event import Actor, Event, EventType
from app.core.floor.fields import name_fault, shown
from app.core.problem import InputRefused, Problem

MAX_TEXT = 500
JOINER = "\u200d"  # joins emoji; by itself it shows nothing and turns nothing around
SLACK = timedelta(minutes=5)  # clocks of those who write differ from ours


class NoteKind(StrEnum):
    """What a note tells of. People write notes; programs mark deploys, and incidents that are none of ours."""

    NOTE = "note"
    DEPLOY = "deploy"
    INCIDENT = "incident"


class NoteRefused(InputRefused):
    """A note cannot be written as it is; `problems` says where and why."""


@dataclass(frozen=True, slots=True)
class NoteDraft:
    """A note as somebody writes it. at None: it is about now. campaign, queue: what it is about, where it says so."""

    text: str
    kind: NoteKind = NoteKind.NOTE
    at: datetime | None = None
    campaign: str | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A note of a gate. at: the instant it is about; written_at: when it was written.

    withdrawn_at: when its author took it back, None while it stands. Its text stays in the audit log.
    """

    id: str
    gate: str
    at: datetime
    written_at: datetime
    author: Actor
    kind: NoteKind
    text: str
    campaign: str | None = None
    queue: str | None = None
    withdrawn_at: datetime | None = None


def note_of(draft: NoteDraft, note_id: str, gate: str, author: Actor, now: datetime) -> Note:
    """Return the note that a draft asks for, white space in its text made single. Raises NoteRefused."""
    text, at = " ".join(draft.text.split()), draft.at or now
    named = (("/campaign", draft.campaign), ("/queue", draft.queue))
    problems = [*_text_problems(text), *_time_problems(at, now)]
    problems += [Problem(where, fault) for where, name in named if name is not None and (fault := name_fault(name))]
    if problems:
        raise NoteRefused(problems)
    return Note(note_id, gate, at, now, author, draft.kind, text, draft.campaign, draft.queue)


def _text_problems(text: str) -> list[Problem]:
    if not text:
        return [Problem("/text", f"write something, at most {MAX_TEXT} characters")]
    if len(text) > MAX_TEXT:
        return [Problem("/text", f"it has {len(text)} characters; at most {MAX_TEXT} are allowed")]
    if not text.replace(JOINER, "").isprintable():
        return [Problem("/text", f"{shown(text)} contains a control or unprintable character; leave it out")]
    return []


def _time_problems(at: datetime, now: datetime) -> list[Problem]:
    if at - now > SLACK:
        return [Problem("/at", f"{at.isoformat()} is in the future; a note is about now or about what was")]
    return []


def written(note: Note) -> Event:
    """Return the event of a note that was just written."""
    return _event(EventType.NOTE_WRITTEN, note, note.author, note.written_at)


def withdrawn(note: Note, by: Actor, now: datetime) -> Event:
    """Return the event of a note that is taken back."""
    return _event(EventType.NOTE_WITHDRAWN, note, by, now)


def _event(kind: EventType, note: Note, by: Actor, at: datetime) -> Event:
    told: dict[str, object] = {
        "id": note.id,
        "kind": note.kind.value,
        "at": note.at.isoformat(),
        "text": note.text,
        "queue": note.queue,
    }
    before, after = (told, None) if kind is EventType.NOTE_WITHDRAWN else (None, told)
    return Event(kind, at, by, f"note/{note.id}", "", note.gate, note.campaign, before, after)
