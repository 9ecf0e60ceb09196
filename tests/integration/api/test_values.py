"""What campaigns were worth, over HTTP: reported, corrected, read with all that was reported before."""

import pytest

from tests.support.campaigning import draft
from tests.support.whole import a_whole

PATH = "/api/v1/campaigns/spring/value"
WORTH = {"new": 1200, "lost": 310, "kept": 90, "value_per_customer": 42.5, "currency": "EUR"}


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as made:
        await draft(made)
        yield made


async def test_figures_are_reported_read_and_in_the_audit_log(whole):
    async with whole.client("read", "campaigns") as client:
        before = await client.get(PATH)
        assert (before.json()["revision"], before.json()["new"], before.headers["etag"]) == (0, None, '"0"')
        made = await client.put(PATH, json=WORTH)
        assert made.status_code == 200
        assert made.headers["etag"] == '"1"'
        shape = made.json()
        assert (await client.get(PATH)).json() == shape
        (event,) = (await client.get("/api/v1/events", params={"type": "campaign.valued"})).json()["items"]
    assert {name: shape[name] for name in WORTH} == WORTH
    assert (shape["net_customers"], shape["net"], shape["source"], shape["revision"]) == (980, 41_650.0, "api", 1)
    assert (event["campaign"], event["after"]["new"], event["before"]) == ("spring", 1200, None)
    assert event["actor"]["id"] == shape["by"]["id"]


async def test_who_changes_figures_must_have_read_them(whole):
    async with whole.client("read", "campaigns") as client:
        await client.put(PATH, json=WORTH)
        assert (await client.put(PATH, json={"new": 1})).status_code == 428
        assert (await client.put(PATH, json={"new": 1}, headers={"If-Match": '"7"'})).status_code == 412
        changed = await client.put(PATH, json={"new": 1}, headers={"If-Match": '"1"'})
        assert (changed.status_code, changed.json()["revision"], changed.json()["lost"]) == (200, 2, None)
        items = (await client.get(f"{PATH}/revisions")).json()["items"]
    assert [(each["revision"], each["new"]) for each in items] == [(2, 1), (1, 1200)]


async def test_the_same_again_is_no_new_report(whole):
    async with whole.client("read", "campaigns") as client:
        await client.put(PATH, json=WORTH)
        again = await client.put(PATH, json=WORTH, headers={"If-Match": '"1"'})
        assert (again.status_code, again.json()["revision"]) == (200, 1)
        events = (await client.get("/api/v1/events", params={"type": "campaign.valued"})).json()["items"]
    assert len(events) == 1


async def test_figures_can_be_taken_back(whole):
    async with whole.client("read", "campaigns") as client:
        await client.put(PATH, json=WORTH)
        taken = await client.put(PATH, json={}, headers={"If-Match": '"1"'})
    assert [taken.json()[name] for name in ("new", "net", "currency")] == [None, None, None]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"new": -1}, ["/new"]),
        ({"new": 1.5, "kept": "x"}, ["/new", "/kept"]),
        ({"net_value": 12}, ["/currency"]),
        ({"value_per_customer": 1, "currency": "euros"}, ["/currency"]),
        ({"colour": 1}, ["/colour"]),
    ],
)
async def test_what_is_wrong_is_said_where_and_nothing_is_kept(whole, body, pointers):
    async with whole.client("read", "campaigns") as client:
        refused = await client.put(PATH, json=body)
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json()["errors"]] == pointers
        assert (await client.get(PATH)).json()["revision"] == 0


async def test_reading_is_not_reporting_and_no_campaign_is_no_campaign(whole):
    async with whole.client("read") as reader, whole.client("campaigns") as writer:
        assert (await reader.put(PATH, json=WORTH)).status_code == 403
        assert (await writer.get(PATH)).status_code == 403
        missing = "/api/v1/campaigns/nothing/value"
        assert (await reader.get(missing)).status_code == 404
        assert (await reader.get(f"{missing}/revisions")).status_code == 404
        assert (await writer.put(missing, json=WORTH)).status_code == 404
        assert (await writer.put(PATH, json=[1])).status_code == 422
