"""How a key's holder is answered: set when the key is made, changed later, and what it makes of answers."""

import pytest

from app.core.client_profile import PLAIN
from app.services.profiles import changed_profile
from tests.support.api import an_api
from tests.support.whole import a_whole

PLAIN_SHAPE = {"hold_status": 429, "unknown_status": 503, "retry_after_unit": "s", "max_rps": None}


# --- set and changed ---


@pytest.fixture
async def api():
    return await an_api()


@pytest.fixture
async def admin(api):
    async with api.client("admin") as client:
        yield client


async def test_a_key_has_the_plain_profile_unless_it_is_made_with_another(admin):
    plain = (await admin.post("/api/v1/keys", json={"name": "a", "scopes": ["read"]})).json()
    assert plain["profile"] == PLAIN_SHAPE
    given = {"hold_status": 404, "max_rps": 5}
    made = (await admin.post("/api/v1/keys", json={"name": "b", "scopes": ["read"], "profile": given})).json()
    assert made["profile"] == PLAIN_SHAPE | given


async def test_a_change_replaces_what_is_given_and_leaves_the_rest(admin):
    made = (await admin.post("/api/v1/keys", json={"name": "a", "scopes": ["read"], "profile": {"max_rps": 5}})).json()
    path = f"/api/v1/keys/{made['id']}"
    changed = await admin.patch(path, json={"profile": {"hold_status": 200, "retry_after_unit": "ms"}})
    wanted = PLAIN_SHAPE | {"max_rps": 5, "hold_status": 200, "retry_after_unit": "ms"}
    assert (changed.status_code, changed.json()["profile"]) == (200, wanted)
    assert (await admin.patch(path, json={"profile": {"max_rps": None}})).json()["profile"]["max_rps"] is None
    listed = {key["id"]: key["profile"] for key in (await admin.get("/api/v1/keys")).json()["items"]}
    assert listed[made["id"]] == wanted | {"max_rps": None}


@pytest.mark.parametrize(
    ("profile", "pointer"),
    [
        ({"hold_status": 500}, "/profile/hold_status"),
        ({"unknown_status": 202}, "/profile/unknown_status"),
        ({"retry_after_unit": "min"}, "/profile/retry_after_unit"),
        ({"max_rps": 0.01}, "/profile/max_rps"),
        ({"max_rps": "5"}, "/profile/max_rps"),
        ({"colour": "red"}, "/profile/colour"),
    ],
)
async def test_what_is_no_profile_is_refused_where_it_is(admin, profile, pointer):
    answer = await admin.post("/api/v1/keys", json={"name": "a", "scopes": ["read"], "profile": profile})
    assert answer.status_code == 422
    assert pointer in {fault["pointer"] for fault in answer.json()["errors"]}


async def test_an_unknown_key_has_no_profile_and_only_admins_change_one(api, admin):
    assert (await admin.patch("/api/v1/keys/nobody", json={"profile": {}})).status_code == 404
    async with api.client("policies", "read") as other:
        assert (await other.patch("/api/v1/keys/nobody", json={"profile": {}})).status_code == 403


# --- what it makes of answers ---


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as whole:
        yield whole


async def client_with(whole, **profile):
    """Return the headers of a new key with this profile."""
    _, token = await whole.services.keys.create("tool", ["readiness"], profile=changed_profile(PLAIN, profile))
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("hold_status", [429, 503, 404, 200])
async def test_a_hold_has_the_profiles_status_and_a_body_that_says_the_same(whole, hold_status):
    headers = await client_with(whole, hold_status=hold_status)
    whole.clock.move(1)
    await whole.slam()
    async with whole.client() as client:
        answer = await client.get("/api/v1/readiness?audience=10", headers=headers)
    body = answer.json()
    assert (answer.status_code, body["decision"], body["proceed"], body["state"]) == (
        hold_status,
        "hold",
        False,
        "hold",
    )
    assert answer.headers["holdfire-decision"] == "hold"
    assert answer.headers["retry-after"] == str(body["retry_after_seconds"])
    assert body.get("status", 200) == hold_status
    assert answer.headers["content-type"] == ("application/json" if hold_status == 200 else "application/problem+json")


@pytest.mark.parametrize("unknown_status", [503, 429, 404, 200])
async def test_what_cannot_be_known_has_the_profiles_status_and_a_body_that_says_the_same(whole, unknown_status):
    headers = await client_with(whole, unknown_status=unknown_status)
    await whole.evaluate(500)
    async with whole.client() as client:
        answer = await client.get("/api/v1/readiness?audience=10", headers=headers)
    body = answer.json()
    assert (answer.status_code, body["decision"], body["proceed"], body["state"]) == (
        *(unknown_status, "hold", False, "unknown"),
    )


async def test_a_throttle_that_was_not_asked_for_has_the_status_of_a_hold(whole):
    headers = await client_with(whole, hold_status=404)
    await whole.policy(max_audience_per_wave=10)
    async with whole.client() as client:
        refused = await client.get("/api/v1/readiness?audience=100", headers=headers)
        taken = await client.get("/api/v1/readiness?audience=100&accept_partial=true", headers=headers)
    assert (refused.status_code, refused.json()["proceed"]) == (404, False)
    assert (taken.status_code, taken.json()["proceed"]) == (200, True)


async def test_retry_after_counts_milliseconds_for_who_reads_those(whole):
    headers = await client_with(whole, retry_after_unit="ms")
    await whole.evaluate(500)
    async with whole.client() as client:
        answer = await client.get("/api/v1/readiness", headers=headers)
    assert answer.headers["retry-after"] == str(answer.json()["retry_after_seconds"] * 1000)


async def test_a_changed_profile_counts_for_the_very_next_answer(whole):
    key, token = await whole.services.keys.create("tool", ["readiness"])
    headers = {"Authorization": f"Bearer {token}"}
    whole.clock.move(1)
    await whole.slam()
    async with whole.client() as client:
        assert (await client.get("/api/v1/readiness", headers=headers)).status_code == 429
        await whole.services.keys.change_profile(key.id, {"hold_status": 404})
        assert (await client.get("/api/v1/readiness", headers=headers)).status_code == 404


async def test_a_key_that_asks_too_often_is_refused_on_every_path_and_never_let_go(whole):
    headers = await client_with(whole, max_rps=0.1, hold_status=200)
    async with whole.client() as client:
        assert (await client.get("/api/v1/readiness", headers=headers)).status_code == 200
        for path in (
            "/api/v1/readiness",
            "/api/v1/readiness?gate=nowhere",
            "/api/v1/campaigns/spring/gate",
            "/api/v1/floor",
        ):
            answer = await client.get(path, headers=headers)
            body = answer.json()
            assert (answer.status_code, body["decision"], body["proceed"]) == (429, "hold", False), path
            assert body["reasons"][0]["code"] == "client_rate"
            assert answer.headers["retry-after"] == "10"
        posted = await client.post("/api/v1/permits", headers=headers, json={})
        assert (posted.status_code, posted.json()["reasons"][0]["code"]) == (429, "client_rate")
