"""Screens over the API, and the service behind them: made, seen, taken down."""

import asyncio

import pytest

from app.core.event import Actor
from app.errors import Invalid
from app.services.displays import SEEN_EVERY, DisplayPlan, wall_path
from tests.support.builders import an_event
from tests.support.whole import a_whole

DISPLAYS = "/api/v1/displays"
ANN = Actor("usr_ann", "Ann")


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as opened:
        yield opened


@pytest.fixture
async def admin(whole):
    async with whole.client("admin") as client:
        yield client


async def a_screen(admin, **members):
    made = await admin.post(DISPLAYS, json={"name": "Floor 2"} | members)
    assert made.status_code == 201, made.text
    return made.json()


async def test_a_screens_address_is_told_once_and_only_a_digest_is_kept(whole, admin):
    made = await a_screen(admin, queues=["orders-voice"], zone="Europe/Berlin")
    assert made["url"] == f"http://holdfire{wall_path(made['token'])}"
    assert (made["gate"], made["queues"], made["zone"]) == ("default", ["orders-voice"], "Europe/Berlin")
    secret = made["token"].removeprefix("hfd_")
    for path in (DISPLAYS, f"{DISPLAYS}/{made['id']}", "/api/v1/events"):
        assert secret not in (await admin.get(path)).text
    (display,) = await whole.store.displays.displays()
    assert secret.encode() not in repr(display).encode()
    assert whole.services.displays.authenticate(made["token"]) == display


async def test_making_and_taking_down_are_in_the_audit_log(admin):
    made = await a_screen(admin)
    for _ in range(2):
        assert (await admin.delete(f"{DISPLAYS}/{made['id']}")).status_code == 204
    events = (await admin.get("/api/v1/events")).json()["items"]
    told = [(each["type"], each["subject"]) for each in events if each["type"].startswith("display.")]
    assert sorted(told) == [(f"display.{what}", f"display/{made['id']}") for what in ("created", "revoked")]
    (item,) = (await admin.get(DISPLAYS)).json()["items"]
    assert item["revoked_at"] is not None


async def test_what_cannot_be_shown_is_refused_with_where_and_why(admin):
    bad = {"name": " ", "gate": "nowhere", "queues": ["orders", ""], "zone": "Mars/Olympus"}
    answer = await admin.post(DISPLAYS, json=bad)
    assert answer.status_code == 422
    errors = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert set(errors) == {"/name", "/gate", "/queues/1", "/zone"}
    assert "known: default" in errors["/gate"]
    assert "'Mars/Olympus'" in errors["/zone"]
    assert (await admin.get(DISPLAYS)).json() == {"items": []}


async def test_screens_are_for_admins(whole):
    async with whole.client("read", "policies") as client:
        assert (await client.get(DISPLAYS)).status_code == 403
        assert (await client.post(DISPLAYS, json={"name": "Floor 2"})).status_code == 403


@pytest.mark.parametrize("text", ["", "hfd_", "hfd_" + "a" * 40, "hf_live_abcdefgh_" + "a" * 46])
async def test_what_is_no_screens_token_opens_none(whole, text):
    await whole.services.displays.create(DisplayPlan("Floor 2", "default"), ANN)
    assert whole.services.displays.authenticate(text) is None


async def test_taking_a_screen_down_ends_who_watches_it_and_nobody_else(whole):
    displays = whole.services.displays
    display, token = await displays.create(DisplayPlan("Floor 2", "default"), ANN)
    other, _ = await displays.create(DisplayPlan("Lobby", "default"), ANN)
    over, again, others = (asyncio.Event() for _ in range(3))
    places = (displays.watching(display, over.set), displays.watching(display, again.set))
    with places[0], places[1], displays.watching(other, others.set):
        assert (displays.showing(display.id), displays.showing(other.id)) == (2, 1)
        await displays.revoke(display.id, ANN)
        assert (over.is_set(), again.is_set(), others.is_set()) == (True, True, False)
    assert displays.showing(display.id) == 0
    assert displays.authenticate(token) is None


async def test_a_screen_taken_down_while_all_are_read_anew_stays_down(whole, monkeypatch):
    displays, read = whole.services.displays, whole.store.displays.displays
    display, token = await displays.create(DisplayPlan("Floor 2", "default"), ANN)

    async def slowly():
        monkeypatch.setattr(displays._store, "displays", read)
        found = await read()
        await displays.revoke(display.id, ANN)
        return found

    monkeypatch.setattr(displays._store, "displays", slowly)
    await displays.load()
    assert displays.authenticate(token) is None


async def test_who_was_let_in_just_before_a_screen_was_taken_down_sees_nothing(whole):
    displays = whole.services.displays
    display, _ = await displays.create(DisplayPlan("Floor 2", "default"), ANN)
    await displays.revoke(display.id, ANN)
    over = asyncio.Event()
    with displays.watching(display, over.set):
        assert await asyncio.wait_for(over.wait(), 10)


async def test_what_another_process_took_down_ends_with_the_next_look(tmp_path):
    async with a_whole(tmp_path) as whole:
        displays = whole.services.displays
        display, token = await displays.create(DisplayPlan("Floor 2", "default"), ANN)
        over = asyncio.Event()
        with displays.watching(display, over.set):
            await displays.load()
            assert not over.is_set()
            await whole.store.displays.revoke_display(display.id, whole.clock.now(), an_event())
            assert displays.authenticate(token) is not None
            await displays.load()
            assert over.is_set()
        assert displays.authenticate(token) is None


async def test_a_screen_is_known_after_a_restart(tmp_path):
    async with a_whole(tmp_path) as whole:
        display, token = await whole.services.displays.create(DisplayPlan("Floor 2", "default"), ANN)
    async with a_whole(tmp_path) as whole:
        assert whole.services.displays.authenticate(token) == display


async def test_when_a_screen_was_seen_is_noted_at_most_once_a_minute(whole):
    displays = whole.services.displays
    display, token = await displays.create(DisplayPlan("Floor 2", "default"), ANN)

    async def seen():
        await displays.note_seen()
        return (await displays.find(display.id)).seen_at

    assert await seen() is None
    displays.authenticate(token)
    first = whole.clock.now()
    assert await seen() == first
    displays.authenticate(token)
    whole.clock.move(SEEN_EVERY.total_seconds() - 1)
    assert await seen() == first
    whole.clock.move(1)
    assert await seen() == whole.clock.now()


async def test_a_name_is_one_line_of_at_most_sixty_characters(whole):
    for name in ("two\nlines", "x" * 61):
        with pytest.raises(Invalid) as refused:
            await whole.services.displays.create(DisplayPlan(name, "default"), ANN)
        assert [problem.pointer for problem in refused.value.problems] == ["/name"]
