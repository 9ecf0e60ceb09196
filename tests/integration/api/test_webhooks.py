import pytest

from app.core.event import EventType
from app.ports.webhooks import DeliveryState
from app.services.deliveries import Outcome
from tests.support.whole import a_whole

PATH = "/api/v1/webhooks"
GIVEN = {"name": "campaign tool", "url": "http://8.8.8.8/hook?key=1", "types": ["permit.paused"], "gate": "default"}
BAD = (
    ({"url": "http://169.254.169.254/latest/meta-data"}, "/url"),
    ({"url": "http://localhost/"}, "/url"),
    ({"url": "http://2130706433/"}, "/url"),
    ({"url": "http://0x7f.1/"}, "/url"),
    ({"url": "http://017700000001/"}, "/url"),
    ({"url": "http://[::ffff:127.0.0.1]/"}, "/url"),
    ({"url": "http://[64:ff9b::10.0.0.1]/"}, "/url"),
    ({"url": "http://user:pass@8.8.8.8/"}, "/url"),
    ({"url": "http://8.8.8.8/#x"}, "/url"),
    ({"url": "gopher://8.8.8.8/"}, "/url"),
    ({"url": ""}, "/url"),
    ({"name": ""}, "/name"),
    ({"types": ["permit.paused", "nothing.such"]}, "/types/1"),
    ({"types": "permit.paused"}, "/types"),
    ({"gate": "nowhere"}, "/gate"),
    ({"form": "carrier pigeon"}, "/form"),
    ({"secret": "whsec_mine"}, "/secret"),
)


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as opened:
        yield opened


@pytest.fixture
async def admin(whole):
    async with whole.client("admin") as client:
        yield client


async def make(admin, **members):
    made = await admin.post(PATH, json=GIVEN | members)
    assert made.status_code == 201, made.text
    return made


async def test_a_webhook_shows_its_secret_once(admin):
    made = await make(admin)
    shown = made.json()
    assert shown.pop("secret").startswith("whsec_")
    assert shown | GIVEN == shown
    assert (shown["form"], shown["enabled"], shown["revision"]) == ("standard", True, 1)
    assert made.headers["location"] == f"{PATH}/{shown['id']}"
    read = await admin.get(made.headers["location"])
    assert (read.json(), read.headers["etag"]) == (shown, '"1"')
    assert (await admin.get(PATH)).json() == {"items": [shown]}


async def test_only_an_admin_sees_or_makes_webhooks(whole, admin):
    made = await make(admin)
    async with whole.client("read", "policies", "campaigns", "permits") as client:
        assert (await client.get(PATH)).status_code == 403
        assert (await client.post(PATH, json=GIVEN)).status_code == 403
        assert (await client.post(f"{made.headers['location']}/secret")).status_code == 403


async def test_a_bad_webhook_is_refused_with_a_pointer_and_nothing_is_made(admin):
    for members, pointer in BAD:
        refused = await admin.post(PATH, json=GIVEN | members)
        assert refused.status_code == 422, members
        assert pointer in [error["pointer"] for error in refused.json()["errors"]], members
    assert (await admin.get(PATH)).json() == {"items": []}


async def test_a_change_needs_the_revision_that_was_read(admin):
    where = (await make(admin)).headers["location"]
    assert (await admin.patch(where, json={"name": "b"})).status_code == 428
    assert (await admin.patch(where, json={"name": "b"}, headers={"If-Match": '"2"'})).status_code == 412
    changed = await admin.patch(where, json={"name": "b", "gate": None}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert changed.json() | GIVEN | {"name": "b", "gate": None} == changed.json()
    assert (await admin.delete(where, headers={"If-Match": '"1"'})).status_code == 412
    assert (await admin.delete(where)).status_code == 204
    assert (await admin.get(where)).status_code == 404


async def test_a_disabled_webhook_is_sent_nothing_until_it_is_enabled(whole, admin):
    where = (await make(admin)).headers["location"]
    off = await admin.patch(where, json={"enabled": False}, headers={"If-Match": '"1"'})
    assert (off.json()["enabled"], off.json()["disabled_reason"]) == (False, "disabled by hand")
    assert (await admin.post(f"{where}/test")).status_code == 409
    on = await admin.patch(where, json={"enabled": True}, headers={"If-Match": '"2"'})
    assert (on.json()["enabled"], on.json()["disabled_at"]) == (True, None)
    assert (await admin.post(f"{where}/test")).status_code == 202
    assert (await whole.services.deliveries.due()).waiting == 1


async def test_a_new_secret_is_shown_once_and_the_old_one_signs_for_a_day(admin):
    made = await make(admin)
    rotated = await admin.post(f"{made.headers['location']}/secret")
    assert rotated.json()["secret"] not in (made.json()["secret"], "")
    assert rotated.json()["former_secret_until"] == "2026-11-22T15:00:00Z"
    assert "secret" not in (await admin.get(made.headers["location"])).json()


async def test_deliveries_are_listed_by_state_in_pages_and_sent_again_by_hand(whole, admin):
    where = (await make(admin)).headers["location"]
    sent = [(await admin.post(f"{where}/test")).json() for _ in range(3)]
    deliveries = whole.services.deliveries
    first = (await deliveries.due()).deliveries[0]
    await deliveries.settle(first, Outcome(410, "HTTP 410"))
    page = (await admin.get(f"{where}/deliveries", params={"limit": 2})).json()
    rest = (await admin.get(f"{where}/deliveries", params={"cursor": page["next_cursor"]})).json()
    listed = [each["id"] for each in page["items"] + rest["items"]]
    assert sorted(listed) == sorted(each["id"] for each in sent)
    assert rest["next_cursor"] is None
    failed = (await admin.get(f"{where}/deliveries", params={"state": "failed"})).json()["items"]
    assert len(failed) == 3
    assert [each["last_detail"] for each in failed if each["id"] == first.id] == ["HTTP 410"]
    assert (await admin.post(f"{where}/deliveries/{first.id}/retry")).status_code == 409
    await admin.patch(where, json={"enabled": True}, headers={"If-Match": '"2"'})
    again = await admin.post(f"{where}/deliveries/{first.id}/retry")
    assert (again.status_code, again.json()["id"], again.json()["attempts"]) == (202, first.id, 1)
    assert (await admin.post(f"{where}/deliveries/msg_none/retry")).status_code == 404


async def test_a_gate_that_holds_is_told_to_who_subscribed_in_the_transaction_of_its_decision(whole, admin):
    where = (await make(admin, types=["decision.hold"])).headers["location"]
    await whole.slam()
    await whole.evaluate(31)
    await whole.slam()  # above the limit for long enough: held
    (delivery,) = (await admin.get(f"{where}/deliveries")).json()["items"]
    assert (delivery["type"], delivery["urgent"], delivery["state"]) == (
        EventType.DECISION_HOLD,
        True,
        DeliveryState.PENDING,
    )
