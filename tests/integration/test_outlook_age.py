"""A floor that is reported seldom: the outlook made from it lives no longer than what it was made from."""

import pytest

from app.services.replaying import replay
from tests.support.builders import an_observation
from tests.support.looking import AGENTS, VOICE, a_seeing_whole, look, report


@pytest.fixture
async def whole(tmp_path):
    async with a_seeing_whole(tmp_path) as opened:
        yield opened


async def asked(whole):
    """Return the verdict for a small send, and the first reason."""
    async with whole.client() as client:
        body = (await client.get("/api/v1/readiness", params={"audience": 100})).json()
    return body["decision"], body["reasons"][0]["message"] if body["reasons"] else ""


async def test_an_outlook_from_readings_of_100_seconds_ago_is_good_for_20_more(whole):
    whole.clock.move(100)
    made = await look(whole)
    assert made.good_for_seconds == 20
    await report(whole, seconds=19)
    assert await asked(whole) == ("send", "")
    await report(whole)
    said = "the outlook is 20 s old, limit 20 s, because the floor it started from was older"
    assert await asked(whole) == ("hold", said)


async def test_the_oldest_reading_of_any_queue_of_the_gate_counts(tmp_path):
    async with a_seeing_whole(tmp_path) as whole:
        await whole.tell(an_observation(VOICE, whole.clock.now(), "wfm", agents_staffed=AGENTS))
        whole.clock.move(70)
        await whole.tell(an_observation(VOICE, whole.clock.now(), backlog=0, agents_busy=20))
        assert (await look(whole)).good_for_seconds == 50


async def test_readings_that_the_policy_trusts_for_ten_minutes_leave_an_outlook_its_two(tmp_path):
    async with a_seeing_whole(tmp_path, stale_after_seconds=600) as whole:
        whole.clock.move(300)
        assert (await look(whole)).good_for_seconds == 120
        whole.clock.move(250)
        assert (await look(whole)).good_for_seconds == 50


async def test_a_decision_by_an_outlook_of_less_than_two_minutes_is_made_again_alike(whole):
    whole.clock.move(100)
    await look(whole)
    for seconds in (1, 30):
        await report(whole, seconds=seconds)
        await asked(whole)
    await whole.services.asks.write()
    rows = await whole.services.decisions.page(gate="default", kind="asked")
    assert [(row.verdict, replay(row).same) for row in rows] == [("unknown", True), ("send", True)]
