from dataclasses import replace

import pytest

from app.core.event import Actor, EventType
from app.core.note import MAX_TEXT, NoteDraft, NoteKind, NoteRefused, note_of, withdrawn, written
from tests.support.builders import NOW, after

ANN = Actor("key1", "ann")


def a_note(text="all quiet", **members):
    return note_of(NoteDraft(text, **members), "note_1", "default", ANN, NOW)


def test_a_note_is_about_now_unless_it_says_when():
    assert a_note().at == NOW
    assert a_note(at=after(-3600)).at == after(-3600)


def test_white_space_is_made_single_so_that_a_note_stays_one_line():
    assert a_note("  two\n\tlines ").text == "two lines"


@pytest.mark.parametrize("text", ["x" * MAX_TEXT, "Schöne Grüße", "\N{WOMAN}\u200d\N{PERSONAL COMPUTER} at work"])
def test_what_people_write_is_taken(text):
    assert a_note(text).text == text


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"text": "  "}, "/text"),
        ({"text": "x" * (MAX_TEXT + 1)}, "/text"),
        ({"text": "bell\x07"}, "/text"),
        ({"text": "turned \u202e around"}, "/text"),
        ({"text": "soon", "at": after(301)}, "/at"),
        ({"text": "x", "queue": ""}, "/queue"),
        ({"text": "x", "campaign": " spring"}, "/campaign"),
    ],
)
def test_what_cannot_be_shown_is_refused_where_it_is_wrong(members, pointer):
    with pytest.raises(NoteRefused) as refused:
        a_note(**members)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


def test_its_events_say_who_wrote_what_and_who_took_it_back():
    note = a_note("shop 4.2 is live", kind=NoteKind.DEPLOY, campaign="spring")
    told = written(note)
    assert (told.type, told.actor, told.gate, told.campaign) == (EventType.NOTE_WRITTEN, ANN, "default", "spring")
    assert told.after is not None
    assert told.after["text"] == "shop 4.2 is live"
    back = withdrawn(replace(note, withdrawn_at=after(5)), Actor("key2", "bob"), after(5))
    assert (back.type, back.actor.name, back.at, back.after) == (EventType.NOTE_WITHDRAWN, "bob", after(5), None)
