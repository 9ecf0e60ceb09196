"""Permits over HTTP: what is asked, what is answered, and what the same ask is answered again."""

import pytest

from tests.support.whole import a_whole

PERMITS = "/api/v1/permits"
ASK = {"audience": 600, "campaign": "spring"}


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as opened:
        await opened.policy(max_audience_per_hour=1_000)
        yield opened


@pytest.fixture
async def client(whole):
    async with whole.client("permits", "read", "policies") as opened:
        yield opened


async def take(client, key: str | None = None, **members):
    return await client.post(PERMITS, json=ASK | members, headers={"Idempotency-Key": key} if key else {})


async def a_permit(client, **members) -> str:
    taken = await take(client, **members)
    assert taken.status_code == 200, taken.text
    return str(taken.json()["permit_id"])


async def slam(whole) -> None:
    whole.clock.move(1)
    await whole.slam()
    await whole.services.permits.follow()


def pointers(response) -> list[str]:
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    return [error["pointer"] for error in response.json()["errors"]]


# --- the answer ---


async def test_a_permit_is_the_readiness_answer_and_a_reservation(client):
    answer = await take(client)
    body = answer.json()
    assert answer.status_code == 200
    assert (body["decision"], body["proceed"], body["allow"], body["requested"]) == ("send", True, 600, 600)
    assert body["permit_id"].startswith("prm_")
    assert body["permit_expires_at"] == "2026-11-21T16:00:00Z"
    assert answer.headers["holdfire-decision"] == "send"
    assert answer.headers["holdfire-decision-id"] == body["decision_id"]
    assert answer.headers["cache-control"] == "no-store"


async def test_what_is_left_is_told_in_the_rate_limit_headers(client):
    answer = await take(client)
    assert answer.headers["ratelimit-policy"] == '"headroom";q=1000;w=3600;holdfire-unit="messages"'
    assert answer.headers["ratelimit"] == '"headroom";r=400;t=3600'
    refused = await take(client)
    assert refused.headers["ratelimit"] == '"headroom";r=400'
    assert refused.headers["retry-after"] == "3600"


async def test_without_an_hourly_cap_there_are_no_rate_limit_headers(whole, client):
    await whole.policy(max_audience_per_wave=1_000)
    assert "ratelimit" not in (await take(client)).headers


async def test_more_than_is_left_is_refused_unless_part_of_it_will_do(client):
    await take(client)
    refused = await take(client)
    assert (refused.status_code, refused.json()["decision"], refused.json()["allow"]) == (429, "throttle", 400)
    assert "permit_id" not in refused.json()
    partial = await take(client, accept_partial=True)
    assert (partial.status_code, partial.json()["allow"], partial.json()["proceed"]) == (200, 400, True)
    nothing = await take(client, accept_partial=True)
    assert (nothing.status_code, nothing.json()["reasons"][0]["code"]) == (429, "headroom_spent")


async def test_a_hold_and_an_unknown_reserve_nothing(whole, client):
    await slam(whole)
    held = await take(client)
    assert (held.status_code, held.headers["ratelimit"]) == (429, '"headroom";r=0')
    assert int(held.headers["retry-after"]) >= 1
    await whole.evaluate(seconds=600)
    assert (await take(client)).status_code == 503
    assert (await client.get(PERMITS)).json()["items"] == []


async def test_a_dry_run_says_what_would_be_granted_and_reserves_nothing(client):
    for _ in range(2):
        rehearsed = await take(client, "k1", audience=900, dry_run=True)
        assert (rehearsed.status_code, rehearsed.json()["allow"], rehearsed.json()["dry_run"]) == (200, 900, True)
        assert "permit_id" not in rehearsed.json()
    assert (await take(client, "k1", audience=1_000)).status_code == 200


async def test_the_decision_is_in_the_log_with_who_asked(client):
    body = (await take(client)).json()
    decision = (await client.get(f"/api/v1/decisions/{body['decision_id']}")).json()
    assert (decision["kind"], decision["status"], decision["requested"], decision["allow"]) == ("asked", 200, 600, 600)


# --- what is asked ---


@pytest.mark.parametrize("audience", [0, -5, 1_000_000_001, "many", None, 1e400])
async def test_an_audience_that_is_none_is_refused_with_its_place(client, audience):
    body = '{"audience": 1e400}' if audience == 1e400 else None
    response = await (
        client.post(PERMITS, content=body, headers={"content-type": "application/json"})
        if body
        else take(client, audience=audience)
    )
    assert response.status_code == 422
    if not body:
        assert pointers(response) == ["/audience"]


async def test_every_fault_has_its_place(client):
    faults = await take(client, ttl_seconds=5, gate="", callback_url="ftp://x", wave=3)
    assert pointers(faults) == ["/gate", "/ttl_seconds", "/callback_url", "/wave"]


async def test_a_gate_that_is_not_there_is_not_found(client):
    response = await take(client, gate="nowhere")
    assert response.status_code == 404
    assert "known: default" in response.json()["detail"]


@pytest.mark.parametrize("body", ["[]", "5", "{", '{"audience": 1, "audience": 2', ""])
async def test_a_body_that_is_no_object_is_refused(client, body):
    response = await client.post(PERMITS, content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422


# --- the same ask again ---


async def test_the_same_key_and_request_give_the_same_answer_word_for_word(client):
    first = await take(client, "k1")
    again = await client.post(
        PERMITS, content=b'{ "campaign":"spring", "audience":600.0, "dry_run":null }',
        headers={"Idempotency-Key": '"k1"', "content-type": "application/json"},
    )  # fmt: skip
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["holdfire-decision-id"] == first.headers["holdfire-decision-id"]
    assert "idempotency-replayed" not in first.headers


async def test_customer_ios_header_is_an_idempotency_key(client):
    first = await client.post(PERMITS, json=ASK, headers={"x-cio-idempotency-key": "k1"})
    assert (await take(client, "k1")).content == first.content


@pytest.mark.parametrize(
    "headers",
    [
        {"Idempotency-Key": "a", "x-cio-idempotency-key": "b"},
        {"Idempotency-Key": ""},
        {"Idempotency-Key": '""'},
        {"Idempotency-Key": "k" * 256},
        {"Idempotency-Key": "k\tk"},
        {"Idempotency-Key": "\u00fc".encode("latin-1")},
    ],
)
async def test_a_key_that_is_none_is_refused(client, headers):
    response = await client.post(PERMITS, json=ASK, headers=headers)
    assert pointers(response) == ["/header/idempotency-key"]


async def test_both_headers_may_carry_the_same_key(client):
    response = await client.post(PERMITS, json=ASK, headers={"Idempotency-Key": '"a"', "x-cio-idempotency-key": "a"})
    assert response.status_code == 200


async def test_a_key_reused_for_another_request_is_refused(client):
    await take(client, "k1")
    assert pointers(await take(client, "k1", audience=601)) == ["/header/idempotency-key"]


async def test_a_key_of_a_refused_ask_stands_for_it_and_is_asked_anew(client):
    await take(client)
    assert (await take(client, "k1")).status_code == 429
    assert pointers(await take(client, "k1", audience=601)) == ["/header/idempotency-key"]
    (permit,) = (await client.get(PERMITS)).json()["items"]
    await client.post(f"{PERMITS}/{permit['id']}/release")
    assert (await take(client, "k1")).status_code == 200


async def test_a_repeat_while_the_gate_is_shut_is_held(whole, client):
    await take(client, "k1")
    await slam(whole)
    held = await take(client, "k1")
    assert (held.status_code, held.json()["reasons"][0]["code"], held.json()["requested"]) == (429, "backlog_high", 600)
    whole.clock.move(1)
    await whole.quiet()
    paused = await take(client, "k1")
    assert (paused.status_code, paused.json()["reasons"][0]["code"]) == (429, "permit_paused")


@pytest.mark.parametrize("ending", ["used", "released", "revoked", "expired"])
async def test_a_repeat_after_the_permit_ended_is_a_conflict(whole, client, ending):
    permit = f"{PERMITS}/{(await take(client, 'k1')).json()['permit_id']}"
    if ending == "used":
        await client.post(f"{permit}/report", json={"sent": 600})
    elif ending == "released":
        await client.post(f"{permit}/release")
    elif ending == "revoked":
        await client.post(f"{permit}/revoke", json={"reason": "wrong list"})
    else:
        whole.clock.move(3600)
    again = await take(client, "k1")
    assert again.status_code == 409
    assert "ask for more under a new key" in again.json()["detail"]


# --- what becomes of it ---


async def test_a_permit_is_read_as_it_stands_now(whole, client):
    permit = await a_permit(client)
    body = (await client.get(f"{PERMITS}/{permit}")).json()
    assert (body["id"], body["state"], body["must_stop"], body["outstanding"]) == (permit, "active", False, 600)
    whole.clock.move(1)
    await whole.slam()
    assert (await client.get(f"{PERMITS}/{permit}")).json()["must_stop"] is True


async def test_what_is_reported_is_booked_once(client):
    url = f"{PERMITS}/{await a_permit(client)}/report"
    for total, sent, state in ((100, 100, "active"), (100, 100, "active"), (50, 100, "active"), (600, 600, "used")):
        body = (await client.post(url, json={"sent": total})).json()
        assert (body["sent"], body["state"], body["outstanding"]) == (sent, state, 0 if state == "used" else 600 - sent)
    assert (await take(client)).json()["allow"] == 400


@pytest.mark.parametrize("body", [{}, {"sent": -1}, {"sent": "all"}, {"sent": 1, "of": 2}])
async def test_a_report_that_is_none_is_refused(client, body):
    assert (await client.post(f"{PERMITS}/{await a_permit(client)}/report", json=body)).status_code == 422


async def test_what_is_given_back_can_be_given_again(client):
    permit = await a_permit(client)
    await client.post(f"{PERMITS}/{permit}/report", json={"sent": 100})
    released = (await client.post(f"{PERMITS}/{permit}/release")).json()
    assert (released["state"], released["sent"], released["outstanding"]) == ("released", 100, 0)
    assert (await take(client, audience=900)).status_code == 200
    assert (await client.post(f"{PERMITS}/{permit}/release")).status_code == 409


async def test_a_permit_is_renewed_with_or_without_a_body(whole, client):
    permit = await a_permit(client)
    whole.clock.move(60)
    await whole.quiet()
    renewed = await client.post(f"{PERMITS}/{permit}/renew")
    assert (renewed.status_code, renewed.json()["expires_at"]) == (200, "2026-11-21T16:01:00Z")
    longer = await client.post(f"{PERMITS}/{permit}/renew", json={"ttl_seconds": 7200})
    assert longer.json()["expires_at"] == "2026-11-21T17:01:00Z"
    assert pointers(await client.post(f"{PERMITS}/{permit}/renew", json={"ttl_seconds": 9})) == ["/ttl_seconds"]


async def test_renewing_under_a_shut_gate_is_held_and_after_the_end_a_conflict(whole, client):
    permit = await a_permit(client)
    await slam(whole)
    held = await client.post(f"{PERMITS}/{permit}/renew")
    assert (held.status_code, held.json()["proceed"], held.json()["must_stop"]) == (429, False, True)
    await client.post(f"{PERMITS}/{permit}/release")
    assert (await client.post(f"{PERMITS}/{permit}/renew")).status_code == 409


async def test_revoking_needs_a_reason_that_is_shown(client):
    permit = await a_permit(client)
    assert pointers(await client.post(f"{PERMITS}/{permit}/revoke", json={"reason": ""})) == ["/reason"]
    revoked = (await client.post(f"{PERMITS}/{permit}/revoke", json={"reason": "wrong list"})).json()
    assert (revoked["state"], revoked["must_stop"], revoked["reason"]) == ("revoked", True, "wrong list")


@pytest.mark.parametrize("verb", ["report", "renew", "release", "revoke"])
async def test_a_permit_that_is_not_there_is_not_found(client, verb):
    body = {"report": {"sent": 1}, "revoke": {"reason": "x"}}.get(verb)
    assert (await client.post(f"{PERMITS}/prm_9/{verb}", json=body)).status_code == 404
    assert (await client.get(f"{PERMITS}/prm_9")).status_code == 404


async def test_permits_are_listed_in_pages_and_by_state(client):
    ids = [await a_permit(client, audience=1, campaign=name) for name in ("a", "b", "c")]
    await client.post(f"{PERMITS}/{ids[1]}/release")
    first = await client.get(PERMITS, params={"limit": 2})
    rest = await client.get(first.headers["link"].partition(">")[0][1:])
    listed = [item["id"] for page in (first, rest) for item in page.json()["items"]]
    assert sorted(listed) == sorted(ids)
    assert len(listed) == 3
    live = (await client.get(PERMITS, params={"state": ["active", "paused"]})).json()["items"]
    assert sorted(item["campaign"] for item in live) == ["a", "c"]
    assert [item["id"] for item in (await client.get(PERMITS, params={"campaign": "b"})).json()["items"]] == [ids[1]]
    assert (await client.get(PERMITS, params={"state": "lost"})).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "", "permits"),
        ("GET", "", "read"),
        ("GET", "/prm_1", "permits"),
        ("POST", "/prm_1/report", "permits"),
        ("POST", "/prm_1/renew", "permits"),
        ("POST", "/prm_1/release", "permits"),
        ("POST", "/prm_1/revoke", "policies"),
    ],
)
async def test_each_route_needs_its_scope(whole, method, path, scope):
    others = [each for each in ("permits", "read", "policies", "readiness") if each != scope]
    async with whole.client(*others) as client:
        response = await client.request(method, PERMITS + path, json={})
    assert response.status_code == 403
    assert repr(scope) in response.json()["detail"]
