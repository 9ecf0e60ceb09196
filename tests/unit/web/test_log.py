"""The log of a gate's day: each kind of event as a line, notes between them, newest first."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.core.event import HOLDFIRE, Actor
from app.core.event import EventType as E
from app.core.note import Note, NoteKind
from app.ports.events import WrittenEvent
from app.web.now.log import TYPES, Telling, lines
from tests.support.builders import after, an_event

ANN = Actor("key1", "ann")
TOLD = Telling(after(3600), ZoneInfo("America/Chicago"), {"orders": "Orders"}, {"spring": "Spring sale"})


def written(kind: E, seq: int = 1, **members) -> WrittenEvent:
    return WrittenEvent(seq, an_event(kind, **members), "")


def line(kind: E, **members):
    (only,) = lines([written(kind, **members)], [], TOLD, lambda _: False, 5)
    return only


def a_note(seconds: float = 0, **members) -> Note:
    given: dict[str, Any] = {"id": "note_1", "author": ANN, "kind": NoteKind.NOTE, "text": "all quiet"} | members
    return Note(gate="default", at=after(seconds), written_at=after(seconds), **given)


@pytest.mark.parametrize(
    ("kind", "members", "what", "text"),
    [
        (E.DECISION_HOLD, {"reason": "orders: 14 waiting"}, "HOLD", "Orders: 14 waiting"),
        (E.FEED_STALE, {"reason": "orders: backlog is old"}, "Data lost", "Orders: backlog is old"),
        (E.FEED_RECOVERED, {}, "Data back", "Everything that the gate needs reports again"),
        (E.POLICY_SAVED, {"after": {"version": 3}, "reason": "calmer"}, "Policy", "Version 3 was saved: calmer"),
        (E.OVERRIDE_CREATED, {"after": {"effect": "hold"}, "reason": "x"}, "Override", "Hold set by hand: x"),
        (E.OVERRIDE_ENDED, {"before": {"effect": "allow"}}, "Override", "Allow ended by hand"),
        (E.PERMIT_GRANTED, {"after": {"allow": 500, "wave": None}}, "Send", "Up to 500 of Mail of no campaign may go"),
        (E.WAVE_OPENED, {"after": {"wave": 2, "allow": 20_000}}, "Wave", "opened: up to 20,000 may go"),
        (
            E.WAVE_COMPLETED,
            {"after": {"wave": 2, "sent": 9, "ending": "paused"}},
            "Wave",
            "stopped by its gate: 9 sent",
        ),
        (E.CAMPAIGN_PAUSED, {"campaign": "spring", "reason": "typo"}, "Campaign", "Spring sale was paused: typo"),
        (
            E.SENDER_NOT_PAUSED,
            {"campaign": "spring", "after": {"sender": "listmonk"}, "reason": "it goes on"},
            "Not paused",
            "listmonk sends Spring sale and must not; stop it by hand: it goes on",
        ),
        (
            E.BRIEFING_ACKNOWLEDGED,
            {"campaign": "spring", "after": {"by": "care", "name": "Dana"}},
            "Briefing",
            "Spring sale was acknowledged by Dana for care",
        ),
    ],
)
def test_each_event_is_a_sentence(kind, members, what, text):
    told = line(kind, **members)
    assert told.what == what
    assert told.text.endswith(text)


@pytest.mark.parametrize("kind", TYPES)
def test_every_event_of_the_log_can_be_told_whatever_it_carries(kind):
    told = line(kind, reason="why")
    assert told.text
    assert told.kind == "event"


def test_who_did_it_is_said_and_holdfire_itself_is_not():
    assert line(E.POLICY_SAVED, actor=ANN).who == "ann"
    assert line(E.POLICY_SAVED, actor=HOLDFIRE).who == ""


def test_a_waves_permits_are_told_of_by_the_wave():
    of_wave = written(E.PERMIT_GRANTED, after={"allow": 5, "wave": 1})
    assert lines([of_wave], [], TOLD, lambda _: False, 5) == []


def test_notes_stand_between_events_newest_first_and_only_the_newest_are_shown():
    events = [written(E.POLICY_SAVED, seq, at=after(60 * seq)) for seq in (3, 2, 1)]
    notes = [a_note(150, text="between", campaign="spring", queue="orders"), a_note(5, text="first")]
    shown = lines(events, notes, TOLD, lambda _: False, 4)
    assert [each.text for each in shown] == [*["Version ? was saved"], "between", *["Version ? was saved"] * 2]
    assert shown[1].about == "Spring sale, Orders"
    assert shown[0].at_text == "09:03:00"


def test_a_note_can_be_taken_back_by_who_may():
    mine, theirs = a_note(), a_note(text="theirs", id="note_2")
    shown = lines([], [mine, theirs], TOLD, lambda note: note.id == "note_1", 5)
    assert {each.text: each.note_id for each in shown} == {"all quiet": "note_1", "theirs": ""}


@pytest.mark.parametrize(("kind", "word"), [(NoteKind.DEPLOY, "Deploy"), (NoteKind.INCIDENT, "Incident")])
def test_what_programs_wrote_is_called_what_it_is(kind, word):
    assert lines([], [a_note(kind=kind)], TOLD, lambda _: False, 5)[0].what == word
