"""Tricks a gate with an outlook must not fall for: whatever is asked, comes back or changes, room is given once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.event import Actor
from app.core.floor.metric import Metric
from app.core.gate.foresight import Elsewhere, Foresight, Predicted, Room
from app.core.permit.permit import PermitState, Spent
from app.core.permit.request import PermitRequest
from app.ports.keys import ApiKey
from tests.support.builders import NOW, after
from tests.support.looking import VOICE, a_seeing_whole, look_later
from tests.support.whole import a_whole

ANN = Actor("key1", "ann")
KEY = ApiKey("key1", "ann", frozenset({"permits"}), b"", NOW)
BREAKS = Predicted(Metric.BACKLOG, "orders-voice", after(0), after(900), None, 20.0, 0.3)
OUTLOOK = {"backlog": 20, "horizon_minutes": 30}


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as whole:
        await whole.policy(outlook=OUTLOOK)
        yield whole


async def foretell(whole, gate="default", **members):
    """Let a gate have an outlook as of now: 1,000 may go, whoever sends them, unless told otherwise."""
    await whole.evaluate()
    state = whole.services.evaluator.published.gates[gate]
    room = Room(1_000, 10.0, BREAKS)
    said = Foresight(whole.clock.now(), given=state.spent.given, breach_probability=0.02, rooms=(("", room),))
    whole.services.foresights.put(gate, state.policy_version, replace(said, **members))
    await whole.evaluate()


async def taken(whole, audience, gate="default", **asked):
    """Return how many were given of those that were asked for; 0: none."""
    answer = await whole.services.permits.take(KEY, PermitRequest(audience, gate, accept_partial=True, **asked))
    return (0, None) if answer.permit is None else (answer.permit.allowed, answer.permit.id)


@pytest.mark.parametrize("end", ["release", "revoke"])
async def test_what_comes_back_after_an_outlook_makes_no_room_before_the_next(whole, end):
    await foretell(whole)
    _, first = await taken(whole, 900)
    await foretell(whole)
    await getattr(whole.services.permits, end)(first, ANN, "not needed")
    assert (await taken(whole, 1_000))[0] == 1_000
    assert (await taken(whole, 1_000))[0] == 0
    await foretell(whole)
    assert (await taken(whole, 400))[0] == 400


async def test_a_permit_that_took_all_the_room_there_was_may_be_used(whole):
    await foretell(whole)
    allowed, permit_id = await taken(whole, 1_000)
    await foretell(whole, rooms=(("", Room(0, 10.0, BREAKS)),))
    await whole.services.permits.follow()
    permit = await whole.services.permits.find(permit_id)
    assert (allowed, permit.state, whole.services.permits.must_stop(permit)) == (1_000, PermitState.ACTIVE, False)
    assert (await taken(whole, 1))[0] == 0
    await foretell(whole, breach_probability=0.3, breaks=BREAKS)
    await whole.services.permits.follow()
    assert (await whole.services.permits.find(permit_id)).state is PermitState.PAUSED


async def test_two_gates_never_give_the_room_of_one_queue_twice(whole):
    await whole.services.gates.create("loyalty")
    await whole.policy("loyalty", outlook=OUTLOOK)
    for gate in ("default", "loyalty"):
        spent = whole.services.permits.spent(gate, whole.clock.now())
        await foretell(whole, gate, elsewhere=Elsewhere(spent.given_elsewhere, 10.0))
    given = await asyncio.gather(*(taken(whole, 400, gate) for gate in ("default", "loyalty") * 4))
    assert sum(allowed for allowed, _ in given) == 1_000
    assert whole.services.permits.spent("never-asked", whole.clock.now()) == Spent(given_elsewhere=1_000)


async def test_an_outlook_before_a_long_weekend_looks_at_the_opening_after_it(tmp_path):
    """Saturday, 15:00; the hours say that customers are let in until 15:30, and again on Tuesday at 08:00."""
    async with a_seeing_whole(tmp_path) as whole:
        days = [{"days": ["sat"], "from": "08:00", "to": "15:30"}, {"days": ["tue"], "from": "08:00", "to": "20:00"}]
        async with whole.client() as client:
            saved = await client.put(f"/api/v1/queues/{VOICE}/hours", json={"time_zone": "UTC", "weekly": days})
        assert saved.status_code == 200
        made = await look_later(whole)
        assert made.gathered is not None
        (queue,) = made.gathered.known.queues
        opening = int((after(0).replace(hour=8) + timedelta(days=3) - made.at) / timedelta(minutes=1)) + 1
        assert queue.is_open[:29].all()
        assert not queue.is_open[31:opening].any()
        assert len(queue.is_open) == opening + 60  # a horizon more
        assert made.foreseen is not None
        assert made.unknown == ""
