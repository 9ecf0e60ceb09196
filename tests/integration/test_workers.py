"""Sources named in holdfire.toml, run beside the web application and in a process of their own."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from tests.support.server import REPOSITORY, a_server

SECONDS = 90


@pytest.fixture
def config(tmp_path):
    """A holdfire.toml with one source, whose queue_log holds one waiting call."""
    log = tmp_path / "queue_log"
    log.write_text(f"{int(time.time())}|7.1|sales|NONE|ENTERQUEUE||anon|1\n")
    path = tmp_path / "holdfire.toml"
    path.write_text(f'[[sources]]\ntype = "queue-log"\nname = "pbx-1"\npath = "{log}"\n')
    return path


def wait_for(condition):
    """Return a condition's first true value; what another process does is signalled to nobody."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"nothing came within {SECONDS} s")


@contextmanager
def workers(data_dir, config):
    """Yield `python -m workers`; it is ended at the end."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFIRE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "workers"],
        cwd=REPOSITORY,
        env=inherited | {"HOLDFIRE_DATA_DIR": str(data_dir), "HOLDFIRE_CONFIG": str(config)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_server_runs_the_sources_of_its_settings(tmp_path, config):
    with a_server(tmp_path / "data", HOLDFIRE_CONFIG=str(config)) as server, server.client() as client:

        def following():
            sources = client.get("/api/v1/sources").json()
            return [one for one in sources.get("items", sources) if one["name"] == "pbx-1" and one["accepted"] >= 2]

        (source,) = wait_for(following)
        assert source["kind"] == "queue-log"
        readiness = client.get("/api/v1/readiness").json()
        assert readiness["decision"] in ("send", "hold")


def test_sources_in_a_process_of_their_own_feed_the_server_beside_them(tmp_path, config):
    with (
        a_server(tmp_path / "data") as server,
        server.client() as client,
        workers(tmp_path / "data", config) as process,
    ):

        def counted():
            return client.get("/api/v1/contacts/totals").json()["total"]["offered"]

        assert wait_for(counted) == 1
        wait_for(lambda: "sales" in client.get("/api/v1/floor").text)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0


def test_a_bad_source_stops_the_start_and_names_the_key(tmp_path, config):
    config.write_text('[[sources]]\ntype = "queue-log"\n')
    with workers(tmp_path / "data", config) as process:
        assert process.wait(SECONDS) == 2
        assert "sources[0].path: is missing" in process.stderr.read()
