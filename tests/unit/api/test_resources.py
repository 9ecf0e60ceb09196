import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from app.core.gate.policy import default_policy_document
from app.ports.decisions import DecisionRow
from app.ports.keys import ApiKey, Scope
from app.services.key_shapes import key_shape
from tests.support.api import an_api
from tests.support.builders import NOW, a_contact, after, an_observation

POLICY = default_policy_document()
URL = "/api/v1/gates/default/policy"


async def a_gate(api, document=None):
    await api.services.gates.create("default")
    if document:
        await api.services.gates.save("default", document, author="us", reason="", expected=0)


# --- floor and queues ---


async def test_the_floor_shows_each_metric_with_its_provenance():
    api = await an_api()
    await api.services.ingest.observations([an_observation(backlog=12)])
    await api.evaluate(5)
    async with api.client("read") as client:
        (queue,) = (await client.get("/api/v1/floor")).json()["queues"]
    backlog = queue["metrics"]["backlog"]
    assert backlog["value"] == 12
    assert backlog["age_seconds"] == 5
    assert {"unit", "window_seconds", "source", "observed_at", "samples", "definition"} <= set(backlog)
    assert "agents_staffed" not in queue["metrics"]


async def test_targets_are_set_whole_and_shown_on_the_floor():
    api = await an_api()
    await api.services.ingest.observations([an_observation("orders/voice")])
    await api.evaluate(1)
    async with api.client("read", "policies") as client:
        saved = await client.put("/api/v1/queues/orders%2Fvoice", json={"service_level_seconds": 30, "title": "Orders"})
        assert saved.json()["service_level_seconds"] == 30
        assert (await client.get("/api/v1/queues/orders/voice")).json() == saved.json()
        await api.evaluate(1)
        (queue,) = (await client.get("/api/v1/floor")).json()["queues"]
        assert (queue["title"], queue["service_level_seconds"]) == ("Orders", 30)
        reset = await client.put("/api/v1/queues/orders/voice", json={})
        assert reset.json()["title"] is None
        assert reset.json()["service_level_seconds"] == 20


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"service_level_seconds": 0}, "/service_level_seconds"),
        ({"service_level_seconds": "20"}, "/service_level_seconds"),
        ({"short_abandon_seconds": -1}, "/short_abandon_seconds"),
        ({"service_level_variant": "best"}, "/service_level_variant"),
        ({"title": "a\u0000b"}, "/title"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_bad_targets_are_refused_with_a_pointer(body, pointer):
    api = await an_api()
    async with api.client("policies") as client:
        answer = await client.put("/api/v1/queues/orders", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_retired_queue_leaves_the_floor_and_comes_back_with_newer_data():
    api = await an_api()
    await api.services.ingest.observations([an_observation("orders")])
    await api.evaluate(1)
    async with api.client("read", "policies") as client:
        assert (await client.delete("/api/v1/queues/orders")).status_code == 204
        await api.evaluate(1)
        assert (await client.get("/api/v1/floor")).json()["queues"] == []
        (queue,) = (await client.get("/api/v1/queues")).json()["items"]
        assert queue["retired_at"] == "2026-11-21T15:00:01Z"
        assert queue["in_use"] is False
        await api.services.ingest.observations([an_observation("orders", api.clock.now())])
        await api.evaluate(1)
        assert len((await client.get("/api/v1/floor")).json()["queues"]) == 1


async def test_a_queue_nobody_heard_of_is_404():
    api = await an_api()
    async with api.client("read", "policies") as client:
        assert (await client.get("/api/v1/queues/orders")).status_code == 404
        assert (await client.delete("/api/v1/queues/orders")).status_code == 404


# --- history ---


async def test_history_by_default_is_six_hours_in_steps_of_a_minute():
    api = await an_api()
    await api.services.ingest.observations([an_observation(backlog=4)])
    await api.evaluate(60)
    await api.services.ingest.observations([an_observation(observed_at=after(60), backlog=8)])
    await api.evaluate(1)
    async with api.client("read") as client:
        series = (await client.get("/api/v1/history", params={"queue": "orders-voice", "metric": "backlog"})).json()
    assert series["step_seconds"] == 60
    assert series["unit"] == "contacts"
    assert [(point["at"], point["value"]) for point in series["points"]] == [
        ("2026-11-21T15:00:00Z", 4),
        ("2026-11-21T15:01:00Z", 8),
    ]


@pytest.mark.parametrize(("points", "step"), [(1, 3600), (7, 540), (60, 60), (5000, 60)])
async def test_a_step_is_the_fewest_whole_minutes_that_give_no_more_points_than_asked_for(points, step):
    api = await an_api()
    query = {
        "queue": "q",
        "metric": "backlog",
        "from": "2026-11-21T14:00:00Z",
        "to": "2026-11-21T15:00:00Z",
        "points": points,
    }
    async with api.client("read") as client:
        assert (await client.get("/api/v1/history", params=query)).json()["step_seconds"] == step


async def test_an_offset_in_the_url_is_understood_even_where_its_plus_became_a_space():
    api = await an_api()
    async with api.client("read") as client:
        answer = await client.get("/api/v1/history?queue=q&metric=backlog&from=2026-11-21T13:00:00+01:00")
    assert answer.json()["from"] == "2026-11-21T12:00:00Z"


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": "2026-11-21T16:00:00Z"},
        {"from": "2026-11-21T10:00:00"},
        {"from": "0001-01-01T00:00:00Z"},
        {"to": "9999-12-31T23:59:59-05:00"},
        {"from": "1764000245"},
        {"points": 5001},
        {"queue": ""},
    ],
)
async def test_a_span_that_makes_no_sense_is_422(wrong):
    api = await an_api()
    async with api.client("read") as client:
        answer = await client.get("/api/v1/history", params={"queue": "q", "metric": "backlog"} | wrong)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/query/")


async def test_contact_totals_are_exact_per_queue_and_together():
    api = await an_api()
    await api.services.ingest.contacts(
        [
            a_contact("queued", NOW, "a", "orders"),
            a_contact("answered", after(10), "a", "orders"),
            a_contact("completed", after(110), "a", "orders"),
            a_contact("queued", NOW, "b", "orders"),
            a_contact("abandoned", after(50), "b", "orders"),
            a_contact("queued", after(1), "c", "returns"),
            a_contact("answered", after(31), "c", "returns"),
        ]
    )
    api.clock.move(200)
    async with api.client("read") as client:
        body = (await client.get("/api/v1/contacts/totals")).json()
        strict = (await client.get("/api/v1/contacts/totals", params={"service_level_seconds": 5})).json()
    assert [queue["queue"] for queue in body["queues"]] == ["orders", "returns"]
    total = body["total"]
    assert (total["queue"], total["offered"], total["answered"], total["abandoned"]) == (None, 3, 2, 1)
    assert total["speed_to_answer_seconds"] == 20
    assert total["handle_time_seconds"] == 100
    assert total["service_level_ratio"] == pytest.approx(1 / 3)
    assert (total["first_at"], total["last_at"]) == ("2026-11-21T15:00:00Z", "2026-11-21T15:00:01Z")
    assert strict["total"]["service_level_ratio"] == 0
    assert strict["queues"][1]["handle_time_seconds"] is None


# --- gates and policies ---


async def test_a_new_gate_is_unknown_until_it_has_a_policy_and_its_policy_counts_at_the_next_evaluation():
    api = await an_api()
    await api.services.ingest.observations([an_observation(backlog=1)])
    async with api.client("read", "policies") as client:
        made = await client.post("/api/v1/gates", json={"name": "default"})
        assert made.status_code == 201
        assert made.headers["location"] == "/api/v1/gates/default"
        assert made.json()["state"] == "unknown"
        assert (await client.get(URL)).status_code == 404
        assert (await client.put(URL, json=POLICY)).headers["etag"] == '"1"'
        await api.evaluate(1)
        gate = (await client.get("/api/v1/gates/default")).json()
        assert gate["state"] == "send"
        assert gate["policy_version"] == 1
        assert gate["checks"]
        (listed,) = (await client.get("/api/v1/gates")).json()["items"]
        assert listed["state"] == "send"


async def test_a_gate_is_made_once_and_can_be_taken_away():
    api = await an_api()
    async with api.client("read", "policies", "readiness") as client:
        await client.post("/api/v1/gates", json={"name": "spring"})
        again = await client.post("/api/v1/gates", json={"name": "spring"})
        assert again.status_code == 409
        assert (await client.delete("/api/v1/gates/spring")).status_code == 204
        assert (await client.delete("/api/v1/gates/spring")).status_code == 404
        await api.evaluate(1)
        assert (await client.get("/api/v1/gates/spring")).status_code == 404
        assert (await client.get("/api/v1/readiness", params={"gate": "spring"})).status_code == 404


@pytest.mark.parametrize("name", ["", "Default", "-x", "a b", "a/b", "x" * 64, 7, None])
async def test_a_bad_gate_name_is_refused(name):
    api = await an_api()
    async with api.client("policies") as client:
        answer = await client.post("/api/v1/gates", json={"name": name})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/name"


async def test_nobody_overwrites_a_policy_they_have_not_read():
    api = await an_api()
    await a_gate(api, POLICY)
    async with api.client("read", "policies") as client:
        etag = (await client.get(URL)).headers["etag"]
        assert (await client.put(URL, json=POLICY)).status_code == 428
        saved = await client.put(URL, params={"reason": "peak"}, json=POLICY, headers={"If-Match": etag})
        assert (saved.status_code, saved.headers["etag"], saved.json()["reason"]) == (200, '"2"', "peak")
        assert saved.json()["author"].startswith("key for")
        late = await client.put(URL, json=POLICY, headers={"If-Match": etag})
        assert late.status_code == 412
        assert '"2"' in late.json()["detail"]
        assert (await client.put(URL, json=POLICY, headers={"If-Match": "*"})).status_code == 200
        for nonsense in ('"9999999999999999999999"', "x", ""):
            assert (await client.put(URL, json=POLICY, headers={"If-Match": nonsense})).status_code == 412


async def test_a_precondition_on_a_policy_that_is_not_there_fails():
    api = await an_api()
    await a_gate(api)
    async with api.client("policies") as client:
        assert (await client.put(URL, json=POLICY, headers={"If-Match": "*"})).status_code == 412


async def test_a_faulty_policy_changes_nothing_and_each_fault_has_its_pointer():
    api = await an_api()
    await a_gate(api)
    rules = [
        {"metric": "mood", "hold_above": 1, "resume_below": 0},
        {"metric": "backlog", "hold_above": 1, "resume_below": 5},
    ]
    async with api.client("read", "policies") as client:
        answer = await client.put(URL, json={"queues": ["*"], "rules": rules, "colour": "red"})
        assert answer.status_code == 422
        pointers = {error["pointer"] for error in answer.json()["errors"]}
        assert any(pointer.startswith("/rules/0") for pointer in pointers)
        assert any(pointer.startswith("/rules/1") for pointer in pointers)
        assert (await client.get(URL)).status_code == 404


@pytest.mark.parametrize("body", ["", "[]", "7", '{"rules": NaN}', '{"queues": ["\\ud800"]}', "{", '{"a":' * 5_000])
async def test_a_policy_that_is_no_sound_json_object_is_422(body):
    api = await an_api()
    await a_gate(api)
    async with api.client("policies") as client:
        answer = await client.put(URL, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


async def test_small_bodies_in_another_form_are_415():
    api = await an_api()
    async with api.client("policies") as client:
        text = await client.post("/api/v1/gates", content="name=x", headers={"Content-Type": "text/plain"})
        packed = await client.post(
            "/api/v1/gates", content=b"x", headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}
        )
    assert (text.status_code, packed.status_code) == (415, 415)


async def test_versions_come_in_pages_newest_first():
    api = await an_api()
    await a_gate(api, POLICY)
    for version in range(1, 5):
        await api.services.gates.save("default", POLICY, author="us", reason=str(version), expected=version)
    async with api.client("read") as client:
        assert (await client.get(URL, params={"version": 2})).json()["version"] == 2
        assert (await client.get(URL, params={"version": 9})).status_code == 404
        assert await walk(client, f"{URL}/versions", "version") == [[5, 4], [3, 2], [1]]


# --- decisions ---


async def walk(client, url, member, **query):
    """Return what each page holds, following Link headers to the end; pages and cursors must say the same."""
    pages = []
    page = await client.get(url, params={"limit": 2} | query)
    while True:
        body = page.json()
        pages.append([item[member] for item in body["items"]])
        if "link" not in page.headers:
            assert body["next_cursor"] is None
            return pages
        assert body["next_cursor"] in page.headers["link"]
        page = await client.get(page.headers["link"].removeprefix("<").partition(">")[0])


def a_row(number, at=NOW, **changes):
    return DecisionRow(
        id=f"dec_{number}",
        kind="transition",
        gate="default",
        at=at,
        verdict="hold",
        policy_version=1,
        summary="s",
        **changes,
    )


async def test_decisions_come_in_pages_even_where_instants_are_equal():
    api = await an_api()
    await api.log.record(
        [a_row(number) for number in range(3)] + [a_row(number, after(number / 7)) for number in (3, 4)]
    )
    async with api.client("read") as client:
        assert await walk(client, "/api/v1/decisions", "id", gate="default", kind="transition") == [
            ["dec_4", "dec_3"],
            ["dec_2", "dec_1"],
            ["dec_0"],
        ]


@pytest.mark.parametrize(("limit", "status"), [(0, 422), (1, 200), (500, 200), (501, 422)])
@pytest.mark.parametrize("url", ["/api/v1/decisions", f"{URL}/versions"])
async def test_a_page_has_one_to_five_hundred_items(url, limit, status):
    api = await an_api()
    await a_gate(api)
    async with api.client("read") as client:
        assert (await client.get(url, params={"limit": limit})).status_code == status


async def test_decisions_are_filtered():
    api = await an_api()
    asked = DecisionRow("dec_x", "asked", "spring", after(60), "unknown", 0, "s", asked_by="k", status=503, requested=5)
    asked = replace(asked, campaign="winter", override_id="ovr_1")
    await api.log.record([a_row(0), asked])
    async with api.client("read") as client:
        queries: list[dict[str, Any]] = [
            {"gate": "spring"},
            {"kind": "asked"},
            {"state": "unknown"},
            {"from": "2026-11-21T15:00:30Z"},
        ]
        for query in (*queries, {"asked_by": ["k", "j"]}, {"campaign": "winter"}, {"overridden": "true"}):
            (found,) = (await client.get("/api/v1/decisions", params=query)).json()["items"]
            assert found["id"] == "dec_x"
        (first,) = (await client.get("/api/v1/decisions", params={"to": "2026-11-21T15:00:30Z"})).json()["items"]
        assert first["id"] == "dec_0"
        one = (await client.get("/api/v1/decisions/dec_x")).json()
        assert (one["status"], one["requested"], one["asked_by"]) == (503, 5, "k")
        assert (await client.get("/api/v1/decisions/dec_y")).status_code == 404


@pytest.mark.parametrize("cursor", ["", "x", "!!!!", "bnVsbA", "é", "WzEsMl0", "IjIwMjYi"])
@pytest.mark.parametrize("url", ["/api/v1/decisions", f"{URL}/versions"])
async def test_a_cursor_that_is_not_ours_is_422(cursor, url):
    api = await an_api()
    await a_gate(api)
    async with api.client("read") as client:
        answer = await client.get(url, params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/cursor"


# --- keys ---


async def test_a_key_shows_its_secret_once_works_at_once_and_stops_when_revoked():
    api = await an_api()
    async with api.client("admin") as client:
        body = {"name": "mailer", "scopes": ["read"], "env": "test", "expires_at": "2027-01-01T01:00:00+01:00"}
        made = await client.post("/api/v1/keys", json=body)
        assert made.status_code == 201
        key = made.json()
        assert key["key"].startswith(f"hf_test_{key['id']}_")
        assert key["expires_at"] == "2027-01-01T00:00:00Z"
        listed = await client.get("/api/v1/keys")
        assert key["key"] not in listed.text
        assert "sha256" not in listed.text
        bearer = {"Authorization": f"Bearer {key['key']}"}
        assert (await client.get("/api/v1/floor", headers=bearer)).status_code == 200
        for _ in range(2):
            assert (await client.delete(f"/api/v1/keys/{key['id']}")).status_code == 204
        assert (await client.get("/api/v1/floor", headers=bearer)).status_code == 401
        assert (await client.delete("/api/v1/keys/aaaaaaaa")).status_code == 404


async def test_a_key_read_from_a_store_is_shown_like_one_just_made():
    key = ApiKey("abcdefgh", "mailer", frozenset([Scope("read"), Scope("ingest")]), b"", NOW)
    assert msgspec.json.decode(msgspec.json.encode(key_shape(key)))["scopes"] == ["ingest", "read"]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["everything"]}, "/scopes"),
        ({"name": "a\tb"}, "/name"),
        ({"env": "live_x"}, "/env"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "soon"}, "/expires_at"),
        ({"owner": "me"}, "/owner"),
    ],
)
async def test_a_bad_key_is_refused(changed, pointer):
    api = await an_api()
    async with api.client("admin") as client:
        answer = await client.post("/api/v1/keys", json={"name": "mailer", "scopes": ["read"]} | changed)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


# --- health ---


async def test_readyz_names_what_is_missing_and_stays_up_when_a_queue_goes_silent(monkeypatch):
    api = await an_api()
    await api.services.ingest.observations([an_observation()])
    await api.evaluate(3600)
    async with api.client() as client:
        for path in ("/livez", "/-/healthy", "/readyz", "/-/ready"):
            assert (await client.get(path)).json() == {"status": "ok"}
        checks = (await client.get("/readyz?verbose")).json()["checks"]
        assert {check["name"]: check["ok"] for check in checks} == {"database": True, "evaluator": True}
        late = api.services.evaluator.published.monotonic_seconds + 11
        monkeypatch.setattr("app.api.health.time.monotonic", lambda: late)
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "evaluator: the last evaluation ended 11 s ago" in answer.json()["detail"]
        assert (await client.get("/livez")).status_code == 200


async def test_further_checks_count_and_one_that_hangs_has_failed(monkeypatch):
    api = await an_api()
    monkeypatch.setattr("app.api.health.CHECK_SECONDS", 0.01)

    async def draining() -> str | None:
        return "this process is stopping"

    async def hanging() -> str | None:
        await api.stream.tail(10**9).__anext__()
        return None

    api.state["checks"] = {"draining": draining, "disk": hanging}
    async with api.client() as client:
        body = json.loads((await client.get("/readyz")).text)
    assert body["status"] == 503
    assert "draining: this process is stopping" in body["detail"]
    assert "disk: no answer within" in body["detail"]


async def test_a_gate_says_unknown_once_its_last_evaluation_is_too_old_as_readiness_does():
    api = await an_api()
    async with api.client("admin") as client:
        await api.services.ingest.observations([an_observation(observed_at=api.clock.now())])
        await client.post("/api/v1/gates", json={"name": "default"})
        assert (await client.put(URL, json=POLICY)).status_code == 200
        await api.evaluate()
        assert (await client.get("/api/v1/gates/default")).json()["state"] == "send"
        api.clock.move(31)  # no answer is good for longer than half a minute
        gate = (await client.get("/api/v1/gates/default")).json()
        assert (gate["state"], gate["reasons"][0]["code"]) == ("unknown", "data_evaluation_late")
        assert [each["state"] for each in (await client.get("/api/v1/gates")).json()["items"]] == ["unknown"]
