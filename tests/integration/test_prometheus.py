"""Prometheus' own tools on the real thing: our exposition, our rules, and a server that scrapes a running holdfire."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import httpx2
import pytest

from app.clocks import SystemClock
from app.services.trials import Seen
from scripts.panels import VERDICT
from tests.support.dashboards import all_expressions
from tests.support.server import REPOSITORY, a_server
from workers.sources.trying import over_the_line

RULES = REPOSITORY / "docker" / "prometheus"
PATIENCE_SECONDS = 90

Found = TypeVar("Found")


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: apt-get install prometheus)")
    return found


def promtool(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [tool("promtool"), *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, cwd=RULES, timeout=60, check=False)


def test_rules_and_alerts_are_sound():
    checked = promtool("check", "rules", "holdfire.rules.yml", "holdfire.alerts.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert promtool("check", "config", "prometheus.yml").returncode == 0


def test_alerts_fire_when_they_should_and_stay_silent_otherwise():
    tested = promtool("test", "rules", "holdfire.tests.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.fixture(scope="module")
def holdfire(tmp_path_factory):
    with a_server(tmp_path_factory.mktemp("data")) as server:
        yield server


def report(client: httpx2.Client, **metrics: float) -> None:
    observation = {"queue": "orders-voice", "source": "acd-1", "observed_at": datetime.now(UTC).isoformat(), **metrics}
    assert client.post("/api/v1/observations", json=observation).json()["accepted"] == 1


def wait_until(look: Callable[[], Found | None], what: str) -> Found:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) is None:
        assert time.monotonic() < deadline, f"{what} did not come within {PATIENCE_SECONDS} s"
        time.sleep(0.1)  # a scraper can only be asked again
    return found


def shown(client: httpx2.Client, line: str) -> bool | None:
    return line in client.get("/metrics").text.splitlines() or None


def test_promtool_has_nothing_to_say_about_our_metrics(holdfire):
    with holdfire.client() as client:
        report(client, backlog=3, oldest_wait_seconds=12, agents_staffed=5, agents_available=1, agents_busy=4)
        client.get("/api/v1/readiness")
        wait_until(lambda: shown(client, 'holdfire_queue_contacts{queue="orders-voice"} 3.0'), "the backlog")
        checked = promtool("check", "metrics", text=client.get("/metrics").text)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_a_scrape_needs_no_key_while_everything_else_does(tmp_path):
    with a_server(tmp_path, auth="on") as server, server.client() as client:
        assert client.get("/metrics").status_code == 200
        assert client.get("/api/v1/floor").status_code == 401


def test_requests_are_counted_by_their_template(holdfire):
    with holdfire.client() as client:
        client.get("/api/v1/gates/default/policy")
        text = client.get("/metrics").text
    assert 'route="/api/v1/gates/{gate}/policy",status="200"}' in text
    assert "/api/v1/gates/default" not in text


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[httpx2.Client]:
    """Yield a client of a real Prometheus that scrapes `target` every second."""
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
        f"rule_files: ['{RULES / 'holdfire.rules.yml'}']\n"
        f"scrape_configs: [{{job_name: holdfire, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    arguments = [f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={address}"]
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen([tool("prometheus"), *arguments], stdout=log, stderr=log)
    try:
        with httpx2.Client(base_url=f"http://{address}", timeout=5) as client:
            yield client
    finally:
        process.terminate()
        process.wait(20)


def query(client: httpx2.Client, expression: str, label: str = "gate") -> dict[str, str] | None:
    """Return the values by one label; None while there are none, or while Prometheus still starts."""
    try:
        answer = client.get("/api/v1/query", params={"query": expression})
    except httpx2.TransportError:
        return None
    if answer.status_code != 200:
        return None
    found = answer.json()["data"]["result"]
    return {sample["metric"].get(label, ""): sample["value"][1] for sample in found} or None


def fault_of(client: httpx2.Client, expression: str) -> str | None:
    """Return what Prometheus has against an expression, None: nothing."""
    answer = client.get("/api/v1/query", params={"query": expression}).json()
    return None if answer["status"] == "success" else answer["error"]


def test_a_real_prometheus_scrapes_us_and_its_rules_see_the_gate(holdfire, tmp_path):
    with holdfire.client() as ours, prometheus(tmp_path, holdfire.url.removeprefix("http://")) as theirs:
        report(ours, backlog=7)
        seen = wait_until(lambda: query(theirs, "holdfire_queue_contacts == 7", "queue"), "the backlog")
        assert seen == {"orders-voice": "7"}
        states = query(theirs, 'sum by (gate) (holdfire_readiness_state{gate="default"})')
        assert states == {"default": "1"}
        held = wait_until(lambda: query(theirs, "gate:holdfire_readiness_held:bool"), "the recording rule")
        assert held.keys() == {"default"}
        assert query(theirs, 'up{job="holdfire"}') is not None
        backlog = read_back(theirs)
        refused = {expression: fault for expression in all_expressions() if (fault := fault_of(theirs, expression))}
        assert refused == {}
        wait_until(lambda: query(theirs, VERDICT.replace("$gate", ".*")) == {"default": "1"} or None, "send")
        limits = query(theirs, 'holdfire_rule_limit{rule="backlog"}', "bound")
        assert limits == {"hold": "10", "resume": "5"}
    assert (backlog.queue, backlog.value) == ("orders-voice", 7)
    assert 0 <= backlog.age_seconds < PATIENCE_SECONDS


def read_back(theirs: httpx2.Client) -> Seen:
    """Return the backlog as the prometheus source reads it from a Prometheus."""
    table = {
        "type": "prometheus",
        "url": str(theirs.base_url),
        "queue_label": "queue",
        "observed_at_query": "min by (queue) (timestamp(holdfire_queue_contacts))",
        "metrics": {"backlog": "sum by (queue) (holdfire_queue_contacts)"},
    }
    (seen,) = asyncio.run(over_the_line([table], "prometheus", SystemClock())).seen
    return seen
