"""The hub: one frame for all who watch the same, the latest one only, soon after a change and never long after."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from starlette.types import Message

from app.live import hub as hub_module
from app.live.hub import Hub, Seat
from app.services.live_view import LiveView
from tests.support.api import Api, an_api
from tests.support.builders import an_observation

POLICY = {"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10, "resume_below": 5}]}


@asynccontextmanager
async def running(api: Api) -> AsyncIterator[Hub]:
    hub, stop = Hub(api.services), asyncio.Event()
    task = asyncio.create_task(hub.run(stop))
    try:
        yield hub
    finally:
        stop.set()
        await task


@pytest.fixture
async def api() -> Api:
    """A gate over one quiet queue."""
    made = await an_api()
    await made.services.gates.create("default")
    await made.services.gates.save("default", POLICY, author="test", reason="", expected=0)
    await report(made, 1)
    return made


async def report(api: Api, backlog: int) -> None:
    at = api.clock.now()
    await api.services.ingest.observations([an_observation(observed_at=at, backlog=backlog)])
    await api.evaluate(1)


async def taken(seat: Seat) -> Message | None:
    news = asyncio.Event()
    seat.on_news(news.set)
    async with asyncio.timeout(10):
        await news.wait()
    return seat.take()


async def frame_of(seat: Seat) -> dict[str, Any]:
    message = await taken(seat)
    assert message is not None
    frame: dict[str, Any] = json.loads(message["text"])
    return frame


async def joined(hub: Hub, gate: str = "default", **view) -> Seat:
    found = await hub.join(gate, **view)
    assert found is not None
    return found[1]


async def test_the_first_frame_is_whole(api: Api):
    async with running(api) as hub:
        frame = await frame_of(await joined(hub))
    assert {"type", "seq", "at", "build", "gate", "decision", "checks", "queues", "permits", "gates"} <= frame.keys()
    assert (frame["type"], frame["gate"], frame["permits"]) == ("snapshot", "default", [])
    assert frame["decision"]["decision"] == "send"
    assert frame["queues"][0]["metrics"]["backlog"]["value"] == 1
    assert frame["checks"][0]["status"] == "pass"


async def test_a_change_comes_with_a_higher_number(api: Api):
    async with running(api) as hub:
        seat = await joined(hub)
        first = await frame_of(seat)
        await report(api, 14)
        second = await frame_of(seat)
    assert second["seq"] > first["seq"]
    assert second["decision"]["decision"] == "hold"


async def test_who_does_not_take_a_frame_finds_only_the_latest(api: Api):
    async with running(api) as hub:
        lazy, eager = await joined(hub), await joined(hub)
        await frame_of(eager)
        for backlog in (2, 14):
            await report(api, backlog)
            while (await frame_of(eager))["queues"][0]["metrics"]["backlog"]["value"] != backlog:
                pass
        assert (await frame_of(lazy))["decision"]["decision"] == "hold"


async def test_watchers_of_one_gate_share_one_encoded_frame(api: Api):
    async with running(api) as hub:
        seats = [await joined(hub) for _ in range(3)]
        for seat in seats:
            await taken(seat)
        await report(api, 14)
        frames = [await taken(seat) for seat in seats]
    assert frames[0] is frames[1] is frames[2]


async def test_mere_passing_of_time_is_no_news_but_silence_never_lasts(api: Api, monkeypatch):
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 0.6)
    monkeypatch.setattr(hub_module, "MIN_INTERVAL_SECONDS", 0.05)
    loop = asyncio.get_running_loop()
    async with running(api) as hub:
        seat = await joined(hub)
        await frame_of(seat)
        await frame_of(seat)
        started = loop.time()
        await api.evaluate(1)
        await frame_of(seat)
        assert 0.4 < loop.time() - started < 5


async def test_frames_come_at_most_ten_times_a_second(api: Api):
    async with running(api) as hub:
        seat = await joined(hub)
        started, frames = asyncio.get_running_loop().time(), 0
        while asyncio.get_running_loop().time() - started < 1:
            await report(api, frames % 9 + 1)
            await frame_of(seat)
            frames += 1
    assert frames <= 12


async def test_a_gate_that_is_not_there_has_no_seat(api: Api):
    async with running(api) as hub:
        assert await hub.join("nowhere") is None
        assert hub.connections == 0


async def test_watchers_are_counted_and_let_go(api: Api):
    async with running(api) as hub:
        topic, seat = await hub.join("default") or pytest.fail("the gate is there")
        assert hub.connections == 1
        hub.leave(topic, seat)
        assert hub.connections == 0


async def test_a_gate_deleted_while_watched_ends_the_watching(api: Api):
    async with running(api) as hub:
        seat = await joined(hub)
        await frame_of(seat)
        await api.services.gates.delete("default")
        await api.evaluate(1)
        assert await taken(seat) is None


async def test_at_the_end_every_watcher_is_told(api: Api):
    async with running(api) as hub:
        seat = await joined(hub)
        await frame_of(seat)
    assert await taken(seat) is None
    assert seat.closed


async def test_a_view_of_ones_own_travels_under_the_same_head(api: Api):
    async def view(_services, state, _published):
        return {"html": f"<p>{state.decision.verdict}</p>"}

    async with running(api) as hub:
        frame = await frame_of(await joined(hub, view=LiveView(view)))
    assert frame["html"] == "<p>send</p>"
    assert "queues" not in frame
    assert frame["at"]


async def test_a_large_view_travels_packed_once_for_all(api: Api):
    async def view(*_):
        return {"html": "<p>nobody waits</p>" * 1_000}

    async with running(api) as hub:
        messages = [await taken(await joined(hub, view=LiveView(view, packed=True))) for _ in range(2)]
    bodies = [message["bytes"] for message in messages if message]
    assert [json.loads(gzip.decompress(body))["html"][:17] for body in bodies] == ["<p>nobody waits</"] * 2
    assert all(len(body) < 1_000 for body in bodies)


async def test_a_view_that_fails_takes_no_other_watcher_along(api: Api):
    calls = []

    async def broken(*_):
        calls.append(1)
        if len(calls) > 1:
            raise RuntimeError("a view of ours is broken")
        return {}

    async with running(api) as hub:
        await joined(hub, view=LiveView(broken))
        seat = await joined(hub)
        await frame_of(seat)
        await report(api, 14)
        assert (await frame_of(seat))["decision"]["decision"] == "hold"
    assert len(calls) > 1


async def test_many_watchers_are_served_a_few_at_a_time_so_that_others_have_their_turn(api: Api):
    watchers, seen = 5 * hub_module.SEATS_AT_ONCE, []
    turns = [0]

    async def watch(seat: Seat) -> None:
        seen.append(await taken(seat))

    async def take_turns() -> None:
        while len(seen) < watchers:
            await asyncio.sleep(0)
            turns.append(len(seen))

    async with running(api) as hub, asyncio.timeout(20):
        seats = [await joined(hub) for _ in range(watchers)]
        for seat in seats:
            await taken(seat)
        async with asyncio.TaskGroup() as tasks:
            for seat in seats:
                tasks.create_task(watch(seat))
            tasks.create_task(take_turns())
            await report(api, 14)
    assert len({id(frame) for frame in seen}) == 1
    assert max(later - earlier for earlier, later in pairwise(turns)) <= hub_module.SEATS_AT_ONCE


async def test_those_who_come_at_once_are_given_one_frame_and_who_comes_after_a_change_a_new_one(api: Api, monkeypatch):
    monkeypatch.setattr(hub_module, "MIN_INTERVAL_SECONDS", 3_600)
    hub = Hub(api.services)
    first, second = [await taken(await joined(hub)) for _ in range(2)]
    await report(api, 14)
    third = await frame_of(await joined(hub))
    assert first is second
    assert third["decision"]["decision"] == "hold"
    assert third["seq"] == 2


async def test_what_was_given_to_who_came_is_forgotten_with_the_last_watcher(api: Api, monkeypatch):
    monkeypatch.setattr(hub_module, "MIN_INTERVAL_SECONDS", 3_600)
    hub = Hub(api.services)
    topic, seat = await hub.join("default") or pytest.fail("the gate is there")
    before = await taken(seat)
    hub.leave(topic, seat)
    assert await taken(await joined(hub)) is not before
