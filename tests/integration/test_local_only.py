"""Without authentication only this machine is answered, whatever name leads to it."""

import socket

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.server import a_server

PATHS = ("/", "/api/v1/readiness", "/api/v1/floor", "/metrics", "/livez")


def test_a_name_that_was_made_to_lead_here_gets_nothing(tmp_path):
    with a_server(tmp_path) as server, server.client() as client:
        for path in PATHS:
            assert client.get(path, headers={"Host": "evil.example"}).status_code == 403, path
            assert client.get(path, headers={"Host": "localhost:8000"}).status_code != 403, path
            assert client.get(path, headers={"Host": "[::1]:8000"}).status_code != 403, path
        port = int(server.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as line, pytest.raises(InvalidStatus) as answer:
            connect(f"ws://evil.example:{port}/api/v1/live", sock=line)
        assert answer.value.response.status_code == 403
