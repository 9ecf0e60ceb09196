import json

import pytest

from app.api.middleware import MAX_BODY_BYTES
from tests.support.api import an_api
from tests.support.builders import NOW, after

AT = NOW.isoformat()
GOOD = {"queue": "orders", "observed_at": AT, "source": "acd-1", "backlog": 3}
CONTACT = {"contact_id": "c-1", "queue": "orders", "event": "queued", "at": AT, "source": "pbx"}
URL = "/api/v1/observations"


async def test_accepted_ones_are_in_the_stream_before_the_answer():
    api = await an_api()
    async with api.client("ingest") as client:
        answer = await client.post(URL, json=[GOOD, GOOD | {"queue": "returns"}])
    assert answer.status_code == 200
    assert answer.json() == {"accepted": 2, "duplicates": 0, "rejected": []}
    assert [record.payload.queue for record in api.stream.records] == ["orders", "returns"]


async def test_the_same_again_is_a_duplicate_and_no_error():
    api = await an_api()
    async with api.client("ingest") as client:
        await client.post(URL, json=GOOD)
        answer = await client.post(URL, json=[GOOD | {"backlog": 9}, GOOD | {"queue": "returns"}])
    assert answer.json() == {"accepted": 1, "duplicates": 1, "rejected": []}


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"backlog": -1}, "/backlog"),
        ({"service_level_ratio": 71}, "/service_level_ratio"),
        ({"observed_at": after(301).isoformat()}, "/observed_at"),
        ({"queue": ""}, "/queue"),
        ({"colour": "red"}, "/colour"),
        ({"backlog": None}, ""),
    ],
)
async def test_a_bad_one_is_rejected_with_its_place_and_the_good_ones_are_kept(changed, pointer):
    api = await an_api()
    async with api.client("ingest") as client:
        mixed = await client.post(URL, json=[GOOD, GOOD | changed])
        alone = await client.post(URL, json=GOOD | changed)
    assert mixed.status_code == 200
    body = mixed.json()
    assert body["accepted"] == 1
    assert body["rejected"][0]["index"] == 1
    assert body["rejected"][0]["pointer"] == pointer
    assert body["rejected"][0]["detail"]
    assert alone.status_code == 422
    assert alone.headers["content-type"] == "application/problem+json"
    assert alone.json()["errors"][0] == body["rejected"][0] | {"index": 0}


async def test_a_literal_that_json_does_not_know_is_named():
    api = await an_api()
    async with api.client("ingest") as client:
        body = json.dumps([GOOD, GOOD | {"backlog": float("nan")}])
        answer = await client.post(URL, content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["accepted"] == 1
    assert answer.json()["rejected"][0]["pointer"] == "/backlog"


async def test_faults_of_form_and_of_value_come_in_the_order_of_the_items():
    api = await an_api()
    async with api.client("ingest") as client:
        items = [GOOD | {"backlog": -1}, GOOD | {"backlog": "x"}, GOOD | {"backlog": -2}, GOOD]
        answer = await client.post(URL, json=items)
    assert [fault["index"] for fault in answer.json()["rejected"]] == [0, 1, 2]


async def test_what_cannot_be_made_durable_is_503_with_retry_after_and_counts_against_the_source():
    api = await an_api()
    api.stream.broken = True
    async with api.client("ingest", "read") as client:
        answer = await client.post(URL, json=GOOD)
        (source,) = (await client.get("/api/v1/sources")).json()["items"]
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["type"].endswith("not-durable")
    assert source["status"] == "failing"
    assert source["consecutive_failures"] == 1
    assert "no space left" in source["last_error"]


JSON = {"Content-Type": "application/json", "X-Request-ID": "trace-1"}
ASKED = {
    "one": (URL, json.dumps(GOOD), JSON),
    "two": (URL, json.dumps([GOOD, GOOD]), JSON),
    "one of two": (URL, json.dumps([GOOD, GOOD | {"backlog": -1}]), JSON),
    "none": (URL, "[]", JSON),
    "none good": (URL, json.dumps([GOOD | {"backlog": -1}]), JSON),
    "no JSON": (URL, "{", JSON),
    "lines": (URL, json.dumps(GOOD), JSON | {"Content-Type": "application/x-ndjson"}),
    "another form": (URL, "a=b", JSON | {"Content-Type": "text/plain"}),
    "packed": (URL, json.dumps(GOOD), JSON | {"Content-Encoding": "gzip"}),
    "too large": (URL, " " * (MAX_BODY_BYTES + 1), JSON),
    "a contact": ("/api/v1/contacts", json.dumps(CONTACT), JSON),
    "a key in the URL": (f"{URL}?key=hf_live_abcdefgh_x", json.dumps(GOOD), JSON),
    "another key": (URL, json.dumps(GOOD), JSON | {"Authorization": "Bearer hf_live_abcdefgh_x"}),
    "a slash too much": (f"{URL}/", json.dumps(GOOD), JSON),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("scope", ["ingest", "read", None])
async def test_past_the_router_everything_is_answered_as_through_it(asked, scope):
    path, body, headers = ASKED[asked]
    answers = []
    for past_router in (True, False):
        api = await an_api(past_router=past_router)
        async with api.client(*filter(None, [scope])) as client:
            answers.append(await client.post(path, content=body, headers=headers))
    past, through = answers
    assert (past.status_code, past.headers, past.content) == (through.status_code, through.headers, through.content)


async def test_past_the_router_a_failing_disk_is_told_and_logged_as_through_it(caplog):
    told = []
    for past_router in (True, False):
        api = await an_api(past_router=past_router)
        api.stream.broken = True
        caplog.clear()
        async with api.client("ingest") as client:
            answer = await client.post(URL, json=GOOD, headers=JSON)
        told.append((answer.status_code, answer.headers, answer.content, [line.message for line in caplog.records]))
    past, through = told
    assert past == through
    assert past[0] == 503
    assert past[3] == ["request_not_served"]


async def test_contacts_go_the_same_way_and_callers_are_refused():
    api = await an_api()
    async with api.client("ingest") as client:
        good = await client.post("/api/v1/contacts", json=[CONTACT, CONTACT])
        number = await client.post("/api/v1/contacts", json=CONTACT | {"contact_id": "+1 555 0100 100"})
        named = await client.post("/api/v1/contacts", json=CONTACT | {"caller_name": "Smith"})
    assert good.json() == {"accepted": 1, "duplicates": 1, "rejected": []}
    assert number.status_code == named.status_code == 422
    assert number.json()["errors"][0]["pointer"] == "/contact_id"
    assert named.json()["errors"][0]["pointer"] == "/caller_name"


async def test_each_source_of_a_mixed_batch_has_its_own_health():
    api = await an_api()
    items = [
        GOOD,
        GOOD | {"source": "acd-2"},
        GOOD | {"source": "acd-2", "backlog": -1},
        GOOD | {"source": "acd-3", "x": 1},
    ]
    async with api.client("ingest", "read") as client:
        await client.post(URL, json=GOOD | {"source": "acd-2"})
        await client.post(URL, json=items)
        sources = {source["name"]: source for source in (await client.get("/api/v1/sources")).json()["items"]}
    counts = {name: [one["accepted"], one["duplicates"], one["rejected"]] for name, one in sources.items()}
    assert counts == {"acd-1": [1, 0, 0], "acd-2": [1, 1, 1], "acd-3": [0, 0, 1]}
    assert sources["acd-2"]["status"] == "ok"
    assert sources["acd-2"]["last_observed_at"] == "2026-11-21T15:00:00Z"
    assert sources["acd-3"]["status"] == "sends nothing acceptable"
    assert "unknown field 'x'" in sources["acd-3"]["last_error"]
