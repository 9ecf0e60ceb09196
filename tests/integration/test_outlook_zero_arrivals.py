"""A source that reports that nobody comes, while people do: no outlook believes it."""

from datetime import timedelta

import pytest

from app.core.debrief.window import STEP
from app.store.flows import add_flows
from tests.support.debriefing import a_flow
from tests.support.looking import VOICE, a_seeing_whole, look, report

HOUR = 12  # steps


@pytest.fixture
async def whole(tmp_path):
    async with a_seeing_whole(tmp_path) as opened:
        yield opened


async def nobody_comes(whole, *, answered: float) -> None:
    """Let a source count nobody who comes in for an hour, and so many who are answered in each 5 minutes."""
    begin = whole.clock.now().replace(minute=0, second=0)
    flows = [
        a_flow(VOICE, begin + place * STEP, 0)._replace(counted_seconds=300.0, answered=answered)
        for place in range(HOUR)
    ]
    await whole.store.database.write(lambda connection: add_flows(connection, flows))
    whole.clock.move((begin + timedelta(hours=1, minutes=1) - whole.clock.now()).total_seconds())


def ahead(made) -> float:
    """Return the contacts that an outlook expects in each 5 minutes of the next hour."""
    return float(made.gathered.known.queues[0].expected[:HOUR].mean())


async def test_zeros_while_contacts_are_answered_do_not_pull_the_level_down(whole):
    before = ahead(await look(whole))
    await nobody_comes(whole, answered=15)
    await report(whole)
    assert ahead(await look(whole)) == pytest.approx(before, rel=0.1)


async def test_zeros_in_which_nobody_is_answered_are_believed_as_long_as_nobody_waits(whole):
    before = ahead(await look(whole))
    await nobody_comes(whole, answered=0)
    await report(whole, oldest_wait_seconds=0)
    assert ahead(await look(whole)) < 0.7 * before


async def test_an_outlook_is_unknown_while_people_wait_who_came_when_nobody_did(whole):
    await nobody_comes(whole, answered=0)
    await report(whole, backlog=8, oldest_wait_seconds=420)
    made = await look(whole)
    assert made.unknown == (
        "orders-voice: nobody is reported to have come in from 15:00 to 16:00 UTC, yet 8 wait, the first of whom came "
        "then; its source does not count who comes in"
    )
    async with whole.client() as client:
        answer = await client.get("/api/v1/readiness", params={"audience": 100})
    assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (503, "data_outlook_missing")
    await report(whole, seconds=20)
    assert (await look(whole)).unknown == ""
