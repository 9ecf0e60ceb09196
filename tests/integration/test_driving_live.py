"""A served holdfire that drives a tool in real time: slammed in mid-flight, ended, killed, and started anew."""

import signal
import time
from contextlib import contextmanager

import pytest

from tests.support.senders import open_gate, tell, wait_for_gate
from tests.support.server import a_server
from tests.support.vendors.listmonk import PASSWORD, USER, Listmonk
from tests.support.vendors.strict import serving

RATE = 80
RECIPIENTS, WAVE = 900, 600
CONFIG = """
[[senders]]
type = "listmonk"
url = "{url}"
username = "{user}"
password_env = "LISTMONK_PASSWORD"
messages_per_second = {rate}
lag_seconds = 0.5
look_seconds = 0.2
"""
CAMPAIGN = {
    "id": "spring",
    "title": "Spring",
    "audience": RECIPIENTS,
    "release": {"mode": "waves", "audience_per_wave": WAVE, "wave_gap_seconds": 0},
    "sender": {"name": "listmonk", "campaigns": ["12"]},
}
PATIENCE_SECONDS = 90


@pytest.fixture
def tool():
    fake = Listmonk(rate=RATE)
    fake.scan_seconds, fake.count_seconds = 0.2, 0.4
    with serving(fake):
        fake.add("12", RECIPIENTS, "draft")
        yield fake


@contextmanager
def holdfire(folder, tool):
    path = folder / "holdfire.toml"
    path.write_text(CONFIG.format(url=tool.url(), user=USER, rate=RATE), encoding="utf-8")
    with a_server(folder, HOLDFIRE_CONFIG=str(path), LISTMONK_PASSWORD=PASSWORD) as server:
        yield server


def until(true):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def campaign(client):
    return client.get("/api/v1/campaigns/spring").json()


def told(client, kind):
    """Return the place in the log of the first event of a type."""
    found = client.get("/api/v1/events", params={"campaign": "spring", "type": kind}).json()["items"]
    return min(each["seq"] for each in found)


def test_it_is_paused_when_the_floor_is_slammed_when_holdfire_ends_and_found_again_after_a_kill(tool, tmp_path):
    job = tool.jobs["12"]
    with holdfire(tmp_path, tool) as server, server.client() as client:
        open_gate(server)
        assert client.post("/api/v1/campaigns", json=CAMPAIGN).status_code == 201
        assert client.post("/api/v1/campaigns/spring/schedule", json={}).is_success
        until(lambda: len(job.sink) > 50)

        tell(client, backlog=500)
        until(lambda: job.status == "paused")
        assert len(job.sink) < WAVE  # in mid-flight
        until(lambda: campaign(client)["sent"] == len(job.sink))
        assert campaign(client)["state"] == "paused"

        tell(client, backlog=0)
        wait_for_gate(client, "send")
        until(lambda: job.status == "running")
        (sender,) = client.get("/api/v1/senders").json()["items"]
        assert (sender["name"], sender["can_pause"], sender["campaigns"][0]["tool_campaign"]) == (
            "listmonk",
            True,
            "12",
        )
        assert 'holdfire_sender_unstopped_campaigns{sender="listmonk"} 0.0' in client.get("/metrics").text

        server.stop()
        assert job.status == "paused"
        assert PASSWORD not in "".join(server.lines)

    with holdfire(tmp_path, tool) as server, server.client() as client:
        tell(client, backlog=0)
        until(lambda: job.status == "running")
        server.stop(signal.SIGKILL)
        assert job.status == "running"

    with holdfire(tmp_path, tool) as server, server.client() as client:
        tell(client, backlog=0)
        until(lambda: campaign(client)["state"] == "done")
        assert job.sink == list(range(RECIPIENTS))
        assert campaign(client)["sent"] == RECIPIENTS
        assert told(client, "sender.started") < told(client, "sender.paused") < told(client, "sender.finished")
