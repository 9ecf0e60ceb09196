"""A calendar's token stands in its address; no line that holdfire prints may have it."""

import httpx2
import pytest

from app.clocks import SystemClock
from app.services.keys import Keys
from app.settings import Settings
from app.store.bundle import open_store
from tests.support.server import a_server


@pytest.fixture
async def key(tmp_path):
    clock = SystemClock()
    async with open_store(Settings(data_dir=tmp_path).resolved_database_url, clock) as store:
        return (await Keys(store.keys, clock).create("tester", ["admin"]))[1]


def test_no_log_line_has_a_calendar_token_whatever_becomes_of_the_request(tmp_path, key):
    with a_server(tmp_path, auth="on", HOLDFIRE_LOG_LEVEL="debug") as server:
        with server.client(key) as admin:
            made = admin.post("/api/v1/calendar-tokens", json={"name": "Outlook"}).json()
            secret = made["token"].removeprefix("hfc_")
            answers = [
                httpx2.get(made["url"]),
                httpx2.get(made["url"] + "x"),
                httpx2.get(f"{server.url}/api/v1/floor", params={"token": made["token"]}),
                httpx2.get(f"{server.url}/nowhere/{made['token']}"),
                httpx2.get(f"{server.url}/livez", headers={"Referer": made["url"]}),
            ]
            assert [answer.status_code for answer in answers] == [200, 401, 401, 404, 200]
            assert all(secret not in answer.text for answer in answers[:3])
        server.stop()
    assert secret not in "".join(server.lines)
