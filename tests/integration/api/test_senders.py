"""Driven tools over HTTP, in a whole holdfire."""

import pytest

from tests.support.driven import WAVES, Drive
from tests.support.tools import LISTMONK
from tests.support.vendors.strict import Broken, serving
from tests.support.whole import a_whole

PATH = "/api/v1/senders"
HANDED = {"name": "listmonk", "campaigns": ["12"]}
PLAN = {"id": "spring", "title": "Spring", "audience": 2_000, "release": WAVES}


@pytest.fixture
async def drive(tmp_path):
    async with a_whole(tmp_path) as whole:
        with serving(LISTMONK.make()) as fake:
            fake.add("12", 2_000, "draft")
            drive = Drive(whole, fake)
            yield drive
            await drive.close()


async def test_a_sender_that_has_no_campaign_is_listed_too(drive):
    await drive.driver.look()
    async with drive.whole.client("read") as client:
        (sender,) = (await client.get(PATH)).json()["items"]
    assert sender == {
        "name": "listmonk",
        "kind": "listmonk",
        "can_pause": True,
        "status": "has no campaign",
        "last_success_at": None,
        "consecutive_failures": 0,
        "last_error": None,
        "commands": 0,
        "campaigns": [],
    }


async def test_what_is_sent_shows_with_the_tools_own_id_and_count(drive):
    await drive.begin()
    await drive.until(lambda: drive.sent > 100)
    async with drive.whole.client("read") as client:
        (sender,) = (await client.get(PATH)).json()["items"]
    (driven,) = sender["campaigns"]
    assert (sender["status"], sender["commands"]) == ("sending 1", 1)
    assert driven == {
        "campaign": "spring",
        "tool_campaign": "12",
        "state": "running",
        "sent": drive.booked,
        "target": 2_000,
        "read_at": drive.clock.now().isoformat().replace("+00:00", "Z"),
        "trouble": None,
        "not_ready": "sender 'listmonk' has not stopped yet",
    }


async def test_a_tool_whose_waves_are_too_small_says_so_and_what_to_do(drive):
    await drive.begin(release=WAVES | {"audience_per_wave": 200, "wave_gap_seconds": 0})
    await drive.seconds(4)
    async with drive.whole.client("read") as client:
        (sender,) = (await client.get(PATH)).json()["items"]
    assert sender["status"] == "gets waves too small for it"
    assert sender["campaigns"][0]["not_ready"] == (
        "sender 'listmonk' gave 2 waves in a row back: 200 are too few to stop the tool in time; it takes at least "
        "302; let waves be larger, or let the tool send more slowly. Another is tried after 2 s"
    )


async def test_a_tool_that_does_not_answer_shows_why_and_no_secret(drive):
    drive.fake.troubles.extend([Broken(502)] * 3)
    await drive.begin()
    async with drive.whole.client("read") as client:
        reply = await client.get(PATH)
    (sender,) = reply.json()["items"]
    assert (sender["status"], sender["consecutive_failures"]) == ("failing", 1)
    assert sender["last_error"].endswith("/api/campaigns/12 answered HTTP 502")
    assert "canary" not in reply.text


async def test_it_needs_the_scope_to_read(drive):
    async with drive.whole.client("ingest") as client:
        assert (await client.get(PATH)).status_code == 403
    async with drive.whole.client() as client:
        assert (await client.get(PATH)).status_code == 401


async def test_a_campaign_says_to_whom_it_is_handed_until_it_has_begun(drive):
    async with drive.whole.client("campaigns", "read") as client:
        made = await client.post("/api/v1/campaigns", json=PLAN | {"sender": HANDED})
        assert (made.status_code, made.json()["sender"]) == (201, HANDED)
        other = {"name": "keila", "campaigns": [{"id": "nmc_1", "recipients": 400}, {"id": "nmc_2", "recipients": 5}]}
        changed = await client.patch(
            "/api/v1/campaigns/spring", json={"sender": other}, headers={"If-Match": made.headers["etag"]}
        )
        assert changed.json()["sender"] == other
        none = await client.patch(
            "/api/v1/campaigns/spring", json={"sender": None}, headers={"If-Match": changed.headers["etag"]}
        )
        assert none.json()["sender"] is None


async def test_what_cannot_be_handed_over_is_refused_with_its_place(drive):
    async with drive.whole.client("campaigns") as client:
        refused = await client.post("/api/v1/campaigns", json=PLAN | {"sender": {"name": "x", "campaigns": ["../1"]}})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/sender/campaigns/0"]
