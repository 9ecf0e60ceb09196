"""Bad input to a real server is a problem that says where; a spike stops what is being sent under permits."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx2
import pytest

from tests.support.receiver import a_receiver
from tests.support.senders import PERMITS, open_gate, tell, wait_for_gate
from tests.support.server import Server, a_server

PROMPT_SECONDS = 10.0  # a tenth of it where the machine has nothing else to do
SENDERS = 8


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("gate")) as started:
        open_gate(started)
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    with server.client() as opened:
        yield opened


def a_permit(**members: object) -> dict[str, object]:
    return {"gate": "default", "audience": 1_000} | members


def a_campaign(**members: object) -> dict[str, object]:
    return {"title": "Spring sale", "audience": 1_000} | members


def in_waves(number: int) -> dict[str, object]:
    return {"mode": "waves", "audience_per_wave": number, "wave_gap_seconds": 60}


BACKWARDS = {"earliest_start": "2027-03-02T09:00:00Z", "give_up_at": "2027-03-01T09:00:00Z"}
CAMPAIGNS, WEBHOOKS = "/api/v1/campaigns", "/api/v1/webhooks"
BAD_INPUT = [
    (PERMITS, a_permit(audience=0), "/audience"),
    (PERMITS, a_permit(audience=-5), "/audience"),
    (PERMITS, a_permit(audience=10**9 + 1), "/audience"),
    (PERMITS, a_permit(audience=10**40), "/audience"),
    (PERMITS, a_permit(audience=0.5), "/audience"),
    (PERMITS, a_permit(audience="1000"), "/audience"),
    (PERMITS, a_permit(audience=True), "/audience"),
    (PERMITS, a_permit(audience=None), "/audience"),
    (PERMITS, a_permit(ttl_seconds=0), "/ttl_seconds"),
    (PERMITS, a_permit(ttl_seconds=-60), "/ttl_seconds"),
    (PERMITS, a_permit(ttl_seconds=10**9), "/ttl_seconds"),
    (PERMITS, a_permit(accept_partial="yes"), "/accept_partial"),
    (PERMITS, a_permit(dry_run=1), "/dry_run"),
    (PERMITS, a_permit(campaign="\u0000"), "/campaign"),
    (PERMITS, a_permit(audiance=5), "/audiance"),
    (PERMITS, a_permit(callback_url="javascript:alert(1)"), "/callback_url"),
    (CAMPAIGNS, a_campaign(audience=0), "/audience"),
    (CAMPAIGNS, a_campaign(audience=-5), "/audience"),
    (CAMPAIGNS, a_campaign(audience=10**9 + 1), "/audience"),
    (CAMPAIGNS, a_campaign(release=in_waves(1_001)), "/release/audience_per_wave"),
    (CAMPAIGNS, a_campaign(release=in_waves(0)), "/release/audience_per_wave"),
    (CAMPAIGNS, a_campaign(**BACKWARDS), "/give_up_at"),
    (CAMPAIGNS, a_campaign(earliest_start="2027-03-01T09:00:00"), "/earliest_start"),
    (CAMPAIGNS, a_campaign(gate="nowhere"), "/gate"),
    (WEBHOOKS, {"name": "tool", "url": "http://169.254.169.254/latest/meta-data", "types": ["permit.paused"]}, "/url"),
    (WEBHOOKS, {"name": "tool", "url": "https://localhost:8443/hook", "types": ["permit.paused"]}, "/url"),
    (WEBHOOKS, {"name": "tool", "url": "http://[::ffff:169.254.169.254]/", "types": ["permit.paused"]}, "/url"),
    (WEBHOOKS, {"name": "tool", "url": "http://2130706433/", "types": ["permit.paused"]}, "/url"),
    (WEBHOOKS, {"name": "tool", "url": "file:///etc/passwd", "types": ["permit.paused"]}, "/url"),
]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    BAD_INPUT,
    ids=[f"{path.rpartition('/')[2]}{pointer}-{number}" for number, (path, _, pointer) in enumerate(BAD_INPUT)],
)
def test_bad_input_is_refused_with_the_place_that_is_wrong(client, path, body, pointer):
    refused = client.post(path, json=body)
    check_problem(refused, 422)
    errors = refused.json()["errors"]
    assert [error["pointer"] for error in errors] == [pointer]
    assert all(error["detail"].strip() for error in errors)


def check_problem(refused: httpx2.Response, status: int) -> None:
    assert refused.status_code == status, refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert problem["status"] == status
    assert problem["request_id"]


def test_a_gate_that_is_not_there_is_not_found_and_those_that_are_are_named(client):
    refused = client.post(PERMITS, json=a_permit(gate="nowhere"))
    check_problem(refused, 404)
    assert "default" in refused.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b"{", b'{"audience": NaN}', b"\xff", b"null"])
def test_what_is_no_json_object_is_refused(client, body):
    refused = client.post(PERMITS, content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code in {400, 422}, refused.text
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("sent", [-1, 0.5, "7", None, True, 10**40])
def test_a_report_that_is_no_count_is_refused_and_changes_nothing(client, sent):
    permit = client.post(PERMITS, json=a_permit(audience=10)).json()
    url = f"{PERMITS}/{permit['permit_id']}"
    refused = client.post(f"{url}/report", json={"sent": sent})
    check_problem(refused, 422)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/sent"]
    assert client.get(url).json()["sent"] == 0
    assert client.post(f"{url}/release").is_success


@pytest.mark.parametrize(
    "key", [b"", b'""', "n\u00e4chste".encode(), b"x" * 300], ids=["none", "quotes", "umlaut", "long"]
)
def test_an_idempotency_key_that_cannot_be_kept_is_refused(client, key):
    check_problem(client.post(PERMITS, json=a_permit(), headers=[(b"Idempotency-Key", key)]), 422)


@pytest.mark.parametrize("claimed", ["image/png", "image/jpeg", "text/html"])
def test_an_image_that_is_a_page_is_refused_whatever_it_says_it_is(client, claimed):
    client.post(CAMPAIGNS, json=a_campaign(id="pictured"))
    url = f"{CAMPAIGNS}/pictured/briefing"
    client.put(url, json={"offer": "a tenth off", "recipients": "everybody"})
    page = b"<!doctype html><script>alert(1)</script>"
    upload = {"url": f"{url}/images?name=offer.png&alt=offer", "headers": {"Content-Type": claimed}}
    refused = client.post(**upload, content=page)
    check_problem(refused, 415 if claimed == "text/html" else 422)
    check_problem(client.post(**upload, content=b"\x89PNG\r\n\x1a\n" + page), refused.status_code)
    assert client.get(url).json()["images"] == []


# --- pause ---


async def hold_and_poll(client: httpx2.AsyncClient, started: list[asyncio.Event], index: int) -> tuple[str, float]:
    """Take a permit, poll it as a sender does between two mails, and return its id and when it was told to stop."""
    permit = (await client.post(PERMITS, json=a_permit(audience=10))).json()
    started[index].set()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        seen: dict[str, Any] = (await client.get(f"{PERMITS}/{permit['permit_id']}")).json()
        if seen["must_stop"]:
            return permit["permit_id"], time.monotonic()
        await asyncio.sleep(0.01)
    raise AssertionError(f"nobody was told to stop: {seen}")


async def spike_while_senders_send(server: Server) -> dict[str, float]:
    """Return, for each permit, how many seconds after the spike was reported its sender was told to stop."""
    started = [asyncio.Event() for _ in range(SENDERS)]
    async with httpx2.AsyncClient(base_url=server.url, timeout=60) as client:
        polling = [asyncio.create_task(hold_and_poll(client, started, index)) for index in range(SENDERS)]
        await asyncio.gather(*(event.wait() for event in started))
        spiked = time.monotonic()
        with server.client() as source:
            await asyncio.to_thread(tell, source, 500)
        return {permit: at - spiked for permit, at in await asyncio.gather(*polling)}


def test_a_spike_stops_every_sender_promptly_and_is_written_down_and_delivered_once_each(tmp_path):
    allowed = {"HOLDFIRE_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
    with a_receiver() as receiver, a_server(tmp_path, **allowed) as server, server.client() as client:
        open_gate(server)
        hook = {"name": "mailer", "url": receiver.url(), "types": ["permit.paused"]}
        assert client.post(WEBHOOKS, json=hook).is_success
        stopped = asyncio.run(spike_while_senders_send(server))
        assert max(stopped.values()) < PROMPT_SECONDS, stopped
        delivered = [json.loads(receiver.next().body) for _ in stopped]
        assert {each["type"] for each in delivered} == {"permit.paused"}
        assert sorted(each["data"]["subject"] for each in delivered) == sorted(f"permit/{permit}" for permit in stopped)
        assert paused_in_book(client, len(stopped)) == sorted(f"permit/{permit}" for permit in stopped)
        tell(client, backlog=0)
        wait_for_gate(client, "send")
        for permit in stopped:
            assert client.get(f"{PERMITS}/{permit}").json()["must_stop"], "a stopped permit went on without asking"
        permit = next(iter(stopped))
        assert client.post(f"{PERMITS}/{permit}/renew").is_success
        assert not client.get(f"{PERMITS}/{permit}").json()["must_stop"]
    with closing(sqlite3.connect(tmp_path / "holdfire.db")) as database:
        counts = "SELECT count(*), count(DISTINCT subject) FROM events WHERE type = 'permit.paused'"
        assert database.execute(counts).fetchone() == (SENDERS, SENDERS)


def paused_in_book(client: httpx2.Client, count: int) -> list[str]:
    """Return what the book says was paused, once it has that many entries."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        items = client.get("/api/v1/events", params={"type": "permit.paused"}).json()["items"]
        if len(items) >= count:
            break
        time.sleep(0.02)
    return sorted(item["subject"] for item in items)
