"""Readiness against what many would build instead: a Prometheus that is asked the same question by an instant query.

Three rules over fifty queues, one verdict: does any queue break one? Both servers have one core. Prometheus is asked
for the newest values, which is the cheapest form of the question, and for averages over five minutes, which is what a
rule on service is about. It learns of a value when it next scrapes, holdfire when it is reported.
"""

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from urllib.parse import quote

import httpx2

from bench import growth, load
from bench.load import Rate
from bench.measuring import data_dir, interleaved, table
from bench.servers import SERVER_CORE, Holding, baseline, holding, started

QUEUES = 50
SCRAPE_SECONDS = (5, 1)
TURNS = 8  # how often a value changes while the lag is measured
POLL_SECONDS = 0.002
PATIENCE_SECONDS = 60.0
QUERY = "count(backlog > 10 or on(queue) oldest_wait_seconds > 60 or on(queue) agents_available < 1) or vector(0)"
AVERAGED = (
    "count(avg_over_time(backlog[5m]) > 10 or on(queue) avg_over_time(oldest_wait_seconds[5m]) > 60"
    " or on(queue) avg_over_time(agents_available[5m]) < 1) or vector(0)"
)
HIGH, LOW = 99, 1


class Exporter:
    """What Prometheus scrapes: three gauges for each queue."""

    def __init__(self) -> None:
        self.backlog = LOW

    def text(self) -> bytes:
        """Return the exposition; the first queue's backlog is what changes."""
        lines = [f'backlog{{queue="queue-{n}"}} {self.backlog if n == 0 else LOW}' for n in range(QUEUES)]
        lines += [f'oldest_wait_seconds{{queue="queue-{n}"}} 4' for n in range(QUEUES)]
        lines += [f'agents_available{{queue="queue-{n}"}} 3' for n in range(QUEUES)]
        return ("\n".join(lines) + "\n").encode()


def measure(rounds: int, seconds: float) -> str:
    """Return the tables of requests per second, and of how old what is answered is."""
    return f"{_rates(rounds, seconds)}\n\n{_lags()}"


def _rates(rounds: int, seconds: float) -> str:
    with ExitStack() as stack:
        server = stack.enter_context(holding(data_dir(stack)))
        growth.open_gates(server, QUEUES, ["default"])
        question = f"{server.url}{growth.QUERY}"
        raw = stack.enter_context(baseline("raw", growth.SIZE))
        address, _ = stack.enter_context(_prometheus(data_dir(stack), SCRAPE_SECONDS[-1]))
        newest, averaged = (f"{address}/api/v1/query?query={quote(query)}" for query in (QUERY, AVERAGED))

        def ask() -> Rate:
            with growth.feeding(server, QUEUES):
                return load.wrk(question, seconds, server.keys[0])

        found = interleaved(
            rounds,
            {
                "bare ASGI callable on uvicorn": lambda: load.wrk(raw, seconds),
                "Prometheus, an instant query of newest values": lambda: load.wrk(newest, seconds),
                "Prometheus, the same of averages over 5 minutes": lambda: load.wrk(averaged, seconds),
                "**readiness**: key checked, live updates": ask,
            },
        )
    _, base, averages, _ = found.values()
    rows = [
        (name, f"{rate.per_second:,.0f}", *_ratios(rate, base, averages), f"{rate.p99_ms:.1f}")
        for name, rate in found.items()
    ]
    heads = ("what answers", "requests/s", "to newest values", "to averages", "p99 ms")
    return table(f"Three rules over {QUEUES} queues", heads, rows)


def _ratios(rate: Rate, *bases: Rate) -> Iterator[str]:
    return (f"{rate.per_second / base.per_second:.1f}" for base in bases)


def _lags() -> str:
    found: dict[str, list[float]] = {}
    for scrape_seconds in SCRAPE_SECONDS:
        with ExitStack() as stack:
            address, exporter = stack.enter_context(_prometheus(data_dir(stack), scrape_seconds))
            found[f"Prometheus, scraping every {scrape_seconds} s"] = _theirs(address, exporter, scrape_seconds)
    with ExitStack() as stack:
        server = stack.enter_context(holding(data_dir(stack)))
        growth.open_gates(server, QUEUES, ["default"])
        found["**readiness**"] = _ours(server)
    base = median(found["**readiness**"])
    rows = [
        (name, f"{median(lags) * 1000:,.0f}", f"{max(lags) * 1000:,.0f}", f"{median(lags) / base:.0f}")
        for name, lags in found.items()
    ]
    heads = ("from a value's arrival to an answer that reflects it", "median ms", "longest ms", "to readiness")
    return table("Data lag", heads, rows)


def _theirs(address: str, exporter: Exporter, scrape_seconds: int) -> list[float]:
    with httpx2.Client(base_url=address) as client:

        def verdict() -> bool | None:
            result = client.get("/api/v1/query", params={"query": QUERY}).json()["data"]["result"]
            return bool(result) and result[0]["value"][1] != "0"

        lags = []
        for turn in range(TURNS):
            time.sleep(scrape_seconds * (0.37 * turn % 1))  # at any point between two scrapes
            began = time.perf_counter()
            exporter.backlog = HIGH if turn % 2 == 0 else LOW
            _wait_until(lambda turn=turn: verdict() is (turn % 2 == 0))  # type: ignore[misc]
            lags.append(time.perf_counter() - began)
    return lags


def _ours(server: Holding) -> list[float]:
    headers = {"Authorization": f"Bearer {server.keys[0]}"}
    with httpx2.Client(base_url=server.url, headers=headers) as client:
        lags = []
        for turn in range(TURNS):
            time.sleep(0.37 * turn % 1)
            began, expected = time.perf_counter(), 200 if turn % 2 else 429
            growth.report(client, [0], LOW if turn % 2 else HIGH)
            _wait_until(lambda expected=expected: client.get(growth.QUERY).status_code == expected)  # type: ignore[misc]
            lags.append(time.perf_counter() - began)
    return lags


def _wait_until(is_so: Callable[[], bool]) -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > patience:
            raise RuntimeError(f"nothing changed within {PATIENCE_SECONDS:g} s")
        time.sleep(POLL_SECONDS)


@contextmanager
def _prometheus(folder: Path, scrape_seconds: int) -> Iterator[tuple[str, Exporter]]:
    """Yield the address of a Prometheus that has scraped an exporter, and that exporter."""
    exporter = Exporter()
    with _exporting(exporter) as target, socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        every = f"{scrape_seconds}s"
        scraped = {"job_name": "floor", "static_configs": [{"targets": [target]}]}
        config = {"global": {"scrape_interval": every, "scrape_timeout": every}, "scrape_configs": [scraped]}
        (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        with started(_command(folder, address), {}, SERVER_CORE, log=folder / "log"):
            _wait_until(lambda: _has_data(address))
            yield f"http://{address}", exporter


def _command(folder: Path, address: str) -> Sequence[str]:
    program = shutil.which("prometheus")
    if program is None:
        raise RuntimeError("prometheus is not installed (Debian: apt-get install prometheus)")
    return [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={address}",
    ]


def _has_data(address: str) -> bool:
    try:
        answer = httpx2.get(f"http://{address}/api/v1/query", params={"query": "count(backlog)"})
    except httpx2.TransportError:
        return False
    return answer.status_code == httpx2.codes.OK and answer.json()["data"]["result"] != []


@contextmanager
def _exporting(exporter: Exporter) -> Iterator[str]:
    """Yield the address at which an exporter is scraped."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = exporter.text()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
