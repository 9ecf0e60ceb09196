"""Screens on the wall, as every store keeps them."""

from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy import select

from app.core.event import Actor, Event, EventType
from app.errors import Invalid, NotFound
from app.ports.displays import Display
from app.store.event_tables import EVENTS
from tests.support.builders import NOW, after

SCREEN = Display("dsp_b", "Floor 2", "default", ("orders",), "Europe/Berlin", sha256(b"one").digest(), NOW, "ann")
OTHER = Display("dsp_a", "Lobby", "emea", (), None, sha256(b"two").digest(), after(1), "ann")
MADE = Event(EventType.DISPLAY_CREATED, NOW, Actor("abc", "ann"), "display/dsp_b")
GONE = Event(EventType.DISPLAY_REVOKED, NOW, Actor("abc", "ann"), "display/dsp_b")


async def events(store) -> list[str]:
    query = select(EVENTS.c.type).where(EVENTS.c.type.startswith("display.")).order_by(EVENTS.c.seq)
    return list(await store.database.read(lambda connection: connection.execute(query).scalars().all()))


async def test_screens_are_listed_oldest_first_with_all_they_show(store):
    for screen in (OTHER, SCREEN):
        await store.displays.add_display(screen, MADE)
    assert await store.displays.displays() == [SCREEN, OTHER]
    assert await events(store) == ["display.created"] * 2


async def test_a_token_opens_one_screen(store):
    await store.displays.add_display(SCREEN, MADE)
    with pytest.raises(Invalid):
        await store.displays.add_display(replace(OTHER, secret_sha256=SCREEN.secret_sha256), MADE)
    assert await store.displays.displays() == [SCREEN]
    assert await events(store) == ["display.created"]


async def test_a_revoked_screen_stays_listed_and_is_revoked_once(store):
    await store.displays.add_display(SCREEN, MADE)
    revoked = replace(SCREEN, revoked_at=after(5))
    assert await store.displays.revoke_display("dsp_b", after(5), GONE) == revoked
    assert await store.displays.revoke_display("dsp_b", after(9), GONE) == revoked
    assert await store.displays.displays() == [revoked]
    assert await events(store) == ["display.created", "display.revoked"]


async def test_revoking_an_unknown_screen_is_not_found(store):
    with pytest.raises(NotFound, match="'dsp_x'"):
        await store.displays.revoke_display("dsp_x", NOW, GONE)
    assert await events(store) == []


async def test_when_it_was_seen_is_kept_of_those_that_are_there(store):
    for screen in (SCREEN, OTHER):
        await store.displays.add_display(screen, MADE)
    await store.displays.mark_displays_seen({"dsp_b", "dsp_x"}, after(7))
    assert await store.displays.displays() == [replace(SCREEN, seen_at=after(7)), OTHER]


async def test_a_screen_outlives_its_gate(store):
    await store.displays.add_display(SCREEN, MADE)
    deleted = Event(EventType.GATE_DELETED, NOW, Actor("abc", "ann"), "gate/default")
    await store.gates.delete_gate("default", deleted)
    assert await store.displays.displays() == [SCREEN]
