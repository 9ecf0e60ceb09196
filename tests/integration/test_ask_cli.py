"""`holdfire check` and `wait` against servers that answer well, badly, late or not at all: exit 0 means go, only."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from app.cli import cli

SEND = {"decision": "send", "proceed": True, "summary": "fine", "reasons": []}
THROTTLE = {"decision": "throttle", "proceed": False, "allow": 25_000}
PARTIAL = {"decision": "throttle", "proceed": True, "allow": 25_000}
HOLD = {"decision": "hold", "proceed": False, "retry_after_seconds": 0.05}


@contextmanager
def a_stand_in(*replies: tuple[int, object]) -> Iterator[tuple[str, list[str]]]:
    """Yield the URL of a server that gives these replies in turn (the last for ever), and the paths it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = replies[min(len(asked), len(replies) - 1)]
            asked.append(self.path)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(*arguments: str):
    return CliRunner().invoke(cli, list(arguments))


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, SEND, 0),
        (200, PARTIAL, 10),
        (429, THROTTLE, 10),
        (429, HOLD, 20),
        (503, HOLD, 30),
        (200, HOLD, 1),
        (200, b"<html>proxy login</html>", 1),
        (200, b"", 1),
        (200, [], 1),
        (200, {"decision": "send"}, 1),
        (202, SEND, 1),
        (204, SEND, 1),
        (301, SEND, 1),
        (404, {"detail": "no gate"}, 1),
        (500, b"oops", 1),
        (503, b"<html>bad gateway</html>", 1),
    ],
)
def test_only_a_200_whose_body_agrees_exits_0(status, body, code):
    with a_stand_in((status, body)) as (url, _):
        assert run("check", "--url", url).exit_code == code


def test_the_whole_question_is_asked():
    with a_stand_in((200, SEND)) as (url, asked):
        run(
            "check",
            "--url",
            url,
            "--gate",
            "orders",
            "--audience",
            "500000",
            "--campaign",
            "spring",
            "--accept-partial",
        )
    assert asked == ["/api/v1/readiness?gate=orders&audience=500000&campaign=spring&accept_partial=true"]


def test_a_server_that_is_not_there_is_no_go():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = run("check", "--url", f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert result.exit_code == 1
    assert "cannot be asked" in result.output


def test_wait_asks_again_until_the_send_may_go():
    with a_stand_in((429, HOLD), (503, HOLD), (200, SEND)) as (url, asked):
        assert run("wait", "--url", url, "--timeout", "30s").exit_code == 0
    assert len(asked) == 3


def test_wait_gives_up_at_the_timeout_with_the_last_answer():
    with a_stand_in((429, HOLD)) as (url, asked):
        assert run("wait", "--url", url, "--timeout", "0.2s").exit_code == 20
    assert len(asked) >= 2


def test_wait_stops_at_once_where_waiting_cannot_help():
    with a_stand_in((403, {"detail": "scope readiness is missing"})) as (url, asked):
        result = run("wait", "--url", url)
    assert (result.exit_code, len(asked)) == (1, 1)
    assert "scope readiness is missing" in result.output


def test_bad_usage_exits_2():
    assert run("check", "--audience", "0").exit_code == 2
    assert run("wait", "--timeout", "soon").exit_code == 2


def test_json_prints_the_answer_as_received():
    with a_stand_in((200, SEND)) as (url, _):
        assert json.loads(run("check", "--url", url, "--json").stdout) == SEND
