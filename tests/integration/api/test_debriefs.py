"""Debriefs over HTTP, in a whole holdfire."""

import pytest

from tests.support.campaigning import announce
from tests.support.debriefing import FIRST, a_past, a_sent_campaign
from tests.support.whole import a_whole

PATH = "/api/v1/campaigns/spring/debrief"


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path, now=FIRST) as opened:
        yield opened


async def test_it_needs_a_campaign_of_which_something_was_sent(whole):
    async with whole.client("read") as client:
        assert (await client.get(PATH)).status_code == 404
        await announce(whole)
        unsent = await client.get(PATH)
        assert unsent.status_code == 409
        assert "nothing of campaign 'spring' was sent yet" in unsent.json()["detail"]
        assert (await client.get(f"{PATH}/replay")).status_code == 404


async def test_only_who_may_read_may_read_it(whole):
    async with whole.client("campaigns") as client:
        assert (await client.get(PATH)).status_code == 403
    async with whole.client() as client:
        assert (await client.get(PATH)).status_code == 401


async def test_it_is_read_while_it_runs_with_what_is_not_known_as_null(whole):
    await a_sent_campaign(whole)
    await whole.evaluate(600)
    async with whole.client("read") as client:
        found = await client.get(PATH)
    assert found.status_code == 200
    body = found.json()
    assert (body["state"], body["sent"]["messages"], body["campaign"]["title"]) == ("running", 50_000, "Spring sale")
    assert (body["contacts"]["headline"], body["floor"]["at_once"]) == (None, None)
    assert any("less than 3 days of history" in doubt for doubt in body["unknown"])


async def test_a_final_one_is_replayed_to_the_same(whole):
    await a_past(whole, FIRST)
    await a_sent_campaign(whole)
    await whole.evaluate(73 * 3600)
    await whole.services.debriefs.look()
    async with whole.client("read") as client:
        found, replayed = await client.get(PATH), await client.get(f"{PATH}/replay")
    assert found.json()["state"] == "final"
    assert replayed.json() == {"is_same": True, "debrief": found.json()}
