"""A start says where it answers; one that cannot succeed ends with a sentence: which value, what to do."""

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import typer

from app.commands.serve import run_server
from app.main import HoldfireApp, create_app
from app.settings import Settings
from tests.support.server import REPOSITORY, a_server, run_cli
from tests.support.shell import wait_until


def test_the_program_says_where_it_answers_and_ends_on_a_signal(tmp_path):
    started = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", "0", "--data-dir", str(tmp_path)],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOLDFIRE_AUTH": "off"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with started:
        assert started.stdout
        said, _, url = started.stdout.readline().strip().rpartition(" ")
        health = httpx2.get(f"{url}/livez")
        started.terminate()
    assert (said, health.status_code) == ("holdfire listens on", 200)
    assert started.returncode == -signal.SIGTERM


@pytest.mark.parametrize(
    ("environment", "code", "said"),
    [
        ({"HOLDFIRE_PORT": "eighty"}, 2, "HOLDFIRE_PORT='eighty'"),
        ({"HOLDFIRE_AUTH": "off", "HOLDFIRE_HOST": "0.0.0.0"}, 2, "only binds to a loopback address"),  # noqa: S104
        ({"HOLDFIRE_DATABASE_URL": "mysql://somewhere/else"}, 1, "mysql is not supported"),
        ({"HOLDFIRE_DATABASE_URL": "sqlite:////proc/none/holdfire.db"}, 1, "/proc/none"),
    ],
)
def test_a_bad_setting_is_named(tmp_path, environment, code, said):
    result = run_cli("serve", **({"HOLDFIRE_PORT": "0", "HOLDFIRE_DATA_DIR": str(tmp_path)} | environment))
    assert result.returncode == code
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = run_cli("serve", "--port", port, HOLDFIRE_DATA_DIR=str(tmp_path), HOLDFIRE_AUTH="off")
    assert result.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in result.stderr


def test_a_port_that_another_process_took_meanwhile_is_named(tmp_path, monkeypatch, capsys):
    heard: list[str] = []
    with socket.socket() as quicker:
        quicker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        quicker.bind(("127.0.0.1", 0))  # as long as nobody listens, others may have the port as well
        settings = Settings(data_dir=tmp_path, auth="off", port=quicker.getsockname()[1])

        def created(*arguments: Any, **named: Any) -> HoldfireApp:
            quicker.listen()
            return create_app(*arguments, **named)

        monkeypatch.setattr("app.commands.serve.create_app", created)
        with ThreadPoolExecutor(1) as beside, pytest.raises(typer.Exit):
            beside.submit(run_server, settings, ready=heard.append).result()
    assert heard == []
    assert f"cannot listen on 127.0.0.1:{settings.port}: another process was quicker" in capsys.readouterr().err


def test_a_second_server_on_the_same_data_is_told_so(tmp_path):
    with a_server(tmp_path):
        result = run_cli("serve", "--port", "0", HOLDFIRE_DATA_DIR=str(tmp_path), HOLDFIRE_AUTH="off")
    assert result.returncode == 1
    assert "in use by another holdfire" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_slash_too_many_is_not_found_rather_than_a_redirect(tmp_path):
    with a_server(tmp_path) as server, server.client() as client:
        for path in ("/api/v1/gates/", "/api/v1/permits/"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["detail"].partition(";")[0]) == (
                404,
                f"there is nothing at {path}",
            )


def test_with_time_to_drain_it_answers_on_for_a_while_but_says_that_nothing_new_should_come(tmp_path):
    with a_server(tmp_path, HOLDFIRE_DRAIN_SECONDS="300") as server, server.client() as client:
        assert client.get("/readyz").status_code == 200
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: client.get("/readyz").status_code == 503, "it to be not ready")
        assert "the process is ending" in client.get("/readyz").text
        assert client.get("/api/v1/readiness").json()["decision"] == "hold"
        server.stop(signal.SIGINT)


def test_it_ends_once_it_is_drained(tmp_path):
    with a_server(tmp_path, HOLDFIRE_DRAIN_SECONDS="0.2") as server:
        assert server.stop() in {0, -signal.SIGTERM}
