from dataclasses import replace

import pytest

from app.core.event import Actor, EventType
from app.core.note import Note, NoteKind
from app.errors import NotFound
from tests.support.builders import NOW, after, an_event

NOTE = Note("note_1", "default", NOW, after(5), Actor("key1", "ann"), NoteKind.NOTE, "the hotline is quiet")
DEPLOY = replace(NOTE, id="note_2", at=after(60), kind=NoteKind.DEPLOY, text="4.2", campaign="spring", queue="orders")


@pytest.fixture
def notes(store):
    return store.notes


async def test_a_note_is_read_back_whole_with_its_event(notes, store):
    told = an_event(EventType.NOTE_WRITTEN, subject="note/note_2")
    await notes.add_note(DEPLOY, told)
    assert await notes.note("note_2") == DEPLOY
    (written,) = await store.events.events(subject="note/note_2")
    assert written.event == told


async def test_a_note_of_a_gate_that_does_not_exist_is_not_kept(notes):
    with pytest.raises(NotFound, match="'nowhere'"):
        await notes.add_note(replace(NOTE, gate="nowhere"), an_event())
    with pytest.raises(NotFound, match="'note_1'"):
        await notes.note("note_1")


async def test_lists_are_newest_first_by_gate_kind_and_span_in_pages(notes, store):
    await store.gates.create_gate("emea", NOW, an_event())
    added = [replace(NOTE, id=f"note_{n}", at=after(n // 2)) for n in range(1, 6)]
    for each in [*added, replace(NOTE, id="note_x", gate="emea")]:
        await notes.add_note(each, an_event())
    newest = sorted(added, key=lambda each: (each.at, each.id), reverse=True)
    first = await notes.notes("default", limit=3)
    second = await notes.notes("default", before=(first[-1].at, first[-1].id), limit=3)
    assert [*first, *second] == newest
    assert [each.id for each in await notes.notes("emea")] == ["note_x"]
    await notes.add_note(replace(DEPLOY, id="note_d"), an_event())
    assert [each.id for each in await notes.notes("default", kinds=[NoteKind.DEPLOY])] == ["note_d"]
    within = await notes.notes("default", start=after(1), until=after(2))
    assert {each.id for each in within} == {"note_2", "note_3"}


async def test_a_withdrawn_note_is_listed_no_longer_and_still_read(notes, store):
    await notes.add_note(NOTE, an_event())
    told = an_event(EventType.NOTE_WITHDRAWN, subject="note/note_1")
    taken = await notes.withdraw_note("note_1", lambda note: (replace(note, withdrawn_at=after(9)), told))
    assert taken == replace(NOTE, withdrawn_at=after(9))
    assert await notes.notes("default") == []
    assert await notes.note("note_1") == taken
    assert len(await store.events.events(subject="note/note_1")) == 1


async def test_a_step_that_leaves_it_alone_writes_nothing_and_one_that_raises_changes_nothing(notes, store):
    await notes.add_note(NOTE, an_event())
    before = len(await store.events.events())
    assert await notes.withdraw_note("note_1", lambda _: None) == NOTE

    def refuse(_):
        raise ValueError("not yours")

    with pytest.raises(ValueError, match="not yours"):
        await notes.withdraw_note("note_1", refuse)
    with pytest.raises(NotFound):
        await notes.withdraw_note("note_9", lambda _: None)
    assert await notes.notes("default") == [NOTE]
    assert len(await store.events.events()) == before


async def test_notes_go_with_their_gate(notes, store):
    await notes.add_note(NOTE, an_event())
    await store.gates.delete_gate("default", an_event())
    with pytest.raises(NotFound):
        await notes.note("note_1")
