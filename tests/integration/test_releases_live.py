"""A campaign in waves on a real server: its sender asks and reports over HTTP, the floor is slammed in mid-flight."""

import time

import pytest

from tests.support.senders import open_gate, tell
from tests.support.server import a_server

CAMPAIGN = "/api/v1/campaigns/spring"
SOON_SECONDS = 60
PLAN = {
    "id": "spring",
    "title": "Spring",
    "audience": 1_000,
    "release": {"mode": "waves", "audience_per_wave": 400, "wave_gap_seconds": 0.1},
}


@pytest.fixture
def server(tmp_path):
    with a_server(tmp_path) as started:
        open_gate(started)
        yield started


def until(look, seconds=SOON_SECONDS):
    """Return the first true thing that `look` returns."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)
    return found


def open_wave(client):
    response = client.get(f"{CAMPAIGN}/gate")
    return response.json() if response.status_code == 200 else None


def send(client, wave, sent):
    assert client.post(f"/api/v1/permits/{wave['permit_id']}/report", json={"sent": sent}).is_success


def test_a_spike_in_mid_flight_stops_the_sender_and_after_it_everybody_is_sent_to(server):
    with server.client() as client:
        assert client.post("/api/v1/campaigns", json=PLAN).status_code == 201
        assert client.post(f"{CAMPAIGN}/schedule").status_code == 200
        first = until(lambda: open_wave(client))
        assert first["allow"] == 400
        send(client, first, 150)
        tell(client, backlog=500)
        until(lambda: client.get(f"{CAMPAIGN}/gate").status_code == 429, seconds=2)
        until(lambda: client.get(CAMPAIGN).json()["paused_by"] == "gate", seconds=2)
        permit = client.get(f"/api/v1/permits/{first['permit_id']}").json()
        assert (permit["must_stop"], permit["sent"]) == (True, 150)

        tell(client, backlog=0)
        sizes = []
        while client.get(CAMPAIGN).json()["state"] != "done":
            tell(client, backlog=0)
            wave = open_wave(client)
            if wave is not None:
                sizes.append(wave["allow"])
                send(client, wave, wave["allow"])
            assert len(sizes) < 20
        assert sizes == [40, 140, 240, 340, 90]
        waves = client.get(f"{CAMPAIGN}/waves").json()["items"]
        assert [(wave["sent"], wave["ending"]) for wave in waves] == [
            (150, "paused"),
            *((size, "used") for size in sizes),
        ]


def test_a_persons_pause_holds_over_a_kill_and_a_restart(tmp_path):
    with a_server(tmp_path) as server:
        open_gate(server)
        with server.client() as client:
            client.post("/api/v1/campaigns", json=PLAN)
            client.post(f"{CAMPAIGN}/schedule")
            wave = until(lambda: open_wave(client))
            assert client.post(f"{CAMPAIGN}/pause", json={"reason": "wrong link"}).json()["state"] == "paused"
            assert client.get(f"/api/v1/permits/{wave['permit_id']}").json()["state"] == "paused"
            server.process.kill()
    with a_server(tmp_path) as server:
        open_gate(server)
        with server.client() as client:
            refused = client.get(f"{CAMPAIGN}/gate")
            assert (refused.status_code, refused.json()["reasons"][0]["code"]) == (429, "campaign_paused")
            assert len(client.get(f"{CAMPAIGN}/waves").json()["items"]) == 1
