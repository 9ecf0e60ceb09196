"""The notes of a gate over HTTP: who may write, who may take back, and who hears of it."""

import pytest

from tests.support.whole import a_whole


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as made:
        yield made


async def test_a_note_is_written_read_and_in_the_audit_log(whole):
    async with whole.client("read", "campaigns") as client:
        made = await client.post("/api/v1/notes", json={"text": "mail is out", "campaign": "spring"})
        assert made.status_code == 201
        note = made.json()
        assert (await client.get(made.headers["location"])).json() == note
        assert (await client.get("/api/v1/notes")).json()["items"] == [note]
        (event,) = (await client.get("/api/v1/events", params={"type": "note.written"})).json()["items"]
    assert (note["text"], note["kind"], note["campaign"]) == ("mail is out", "note", "spring")
    assert (event["gate"], event["after"]["text"]) == ("default", "mail is out")
    assert event["actor"]["id"] == note["author"]["id"]


async def test_reading_is_not_writing(whole):
    async with whole.client("read") as client:
        assert (await client.post("/api/v1/notes", json={"text": "x"})).status_code == 403
        assert (await client.delete("/api/v1/notes/note_1")).status_code == 403


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"text": ""}, "/text"),
        ({"text": "x" * 501}, "/text"),
        ({}, "/text"),
        ({"text": "x", "kind": "party"}, "/kind"),
        ({"text": "x", "at": "2027-01-01T00:00:00Z"}, "/at"),
        ({"text": "x", "queue": "\x00"}, "/queue"),
        ({"text": "x", "colour": "red"}, "/colour"),
    ],
)
async def test_what_is_wrong_is_said_where(whole, body, pointer):
    async with whole.client("read", "campaigns") as client:
        refused = await client.post("/api/v1/notes", json=body)
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
        assert (await client.get("/api/v1/notes")).json()["items"] == []


async def test_only_its_author_or_an_admin_takes_a_note_back(whole):
    async with (
        whole.client("read", "campaigns") as ann,
        whole.client("campaigns") as bob,
        whole.client("admin") as root,
    ):
        first, second = [(await ann.post("/api/v1/notes", json={"text": text})).json()["id"] for text in ("one", "two")]
        refused = await bob.delete(f"/api/v1/notes/{first}")
        assert refused.status_code == 403
        assert "only its author" in refused.json()["detail"]
        taken = await ann.delete(f"/api/v1/notes/{first}")
        assert taken.json()["withdrawn_at"] is not None
        again = await ann.delete(f"/api/v1/notes/{first}")
        assert again.json() == taken.json()
        assert (await root.delete(f"/api/v1/notes/{second}")).status_code == 200
        assert (await ann.get("/api/v1/notes")).json()["items"] == []
        told = (await ann.get("/api/v1/events", params={"type": "note.withdrawn"})).json()["items"]
    assert [event["before"]["text"] for event in told] == ["two", "one"]


async def test_notes_of_a_kind_and_a_span_come_in_pages(whole):
    async with whole.client("read", "campaigns") as client:
        for minute in range(5):
            body = {"text": f"deploy {minute}", "kind": "deploy", "at": f"2026-11-21T14:0{minute}:00Z"}
            assert (await client.post("/api/v1/notes", json=body)).status_code == 201
        await client.post("/api/v1/notes", json={"text": "a note"})
        span = {"kind": "deploy", "from": "2026-11-21T14:01:00Z", "to": "2026-11-21T14:04:00Z", "limit": 2}
        first = (await client.get("/api/v1/notes", params=span)).json()
        rest = (await client.get("/api/v1/notes", params=span | {"cursor": first["next_cursor"]})).json()
    assert [note["text"] for note in first["items"] + rest["items"]] == ["deploy 3", "deploy 2", "deploy 1"]
    assert rest["next_cursor"] is None


async def test_a_note_of_a_gate_that_is_not_there_is_not_found(whole):
    async with whole.client("read", "campaigns") as client:
        assert (await client.post("/api/v1/notes", json={"text": "x", "gate": "nowhere"})).status_code == 404


async def test_who_watches_a_gates_notes_is_told_that_they_changed(whole):
    async with whole.client("campaigns") as client:
        before = whole.services.notes.changes("default")
        await client.post("/api/v1/notes", json={"text": "x"})
        assert whole.services.notes.changes("default") == before + 1
        assert whole.services.notes.changes("emea") == 0
