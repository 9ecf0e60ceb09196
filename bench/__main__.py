"""`make bench`: run all measurements, print their tables and write them into docs/performance.md."""

import argparse
import os
import platform
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack

import httpx2

from bench import (
    backtest,
    fanout,
    growth,
    ingesting,
    live,
    load,
    outlook,
    pages,
    pause,
    permits,
    planning,
    prometheus,
    sockets,
)
from bench.load import Rate
from bench.measuring import data_dir, interleaved, table
from bench.servers import CORES, REPOSITORY, baseline, holdfire

PAGE = REPOSITORY / "docs" / "performance.md"
BEGIN, END = "<!-- bench: written by `make bench` -->", "<!-- /bench -->"
READINESS_QUERY = "/api/v1/readiness?gate=default&audience=500000"


def main() -> None:
    """Measure and write."""
    measures = _measures()
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds per figure; the median counts (default 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a round (default 3)")
    parser.add_argument("--dry-run", action="store_true", help="print only, leave docs/performance.md alone")
    parser.add_argument("--only", nargs="+", choices=measures, metavar="NAME", help=f"only: {', '.join(measures)}")
    parser.add_argument("--stored", type=int, help="observations in the largest database of `growth` (default 10^7)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # as Ctrl-C: what was started is ended, files deleted
    if options.stored:
        growth.STORED = (*(size for size in growth.STORED if size < options.stored), options.stored)
    parts = []
    for name in options.only or measures:
        parts.append(measures[name](options.rounds, options.seconds))
        print(f"\n{parts[-1]}", flush=True)
    if not (options.dry_run or options.only):
        write("\n\n".join([conditions(options.rounds, options.seconds), *parts]))
        print(f"\nwritten to {PAGE.relative_to(REPOSITORY)}")


def _measures() -> dict[str, Callable[[int, float], str]]:
    """Return everything that can be measured, by name, in the order of the page."""
    modules = growth, prometheus, pause, fanout, sockets, pages, permits, outlook, planning, backtest
    measures = {module.__name__.rpartition(".")[2]: module.measure for module in modules}
    return {"readiness": readiness, "ingest": ingesting.measure, "latency": latency} | measures


def readiness(rounds: int, seconds: float) -> str:
    """Return the table of readiness answers against a bare FastAPI endpoint and a bare ASGI callable."""
    with ExitStack() as stack:
        url, key = stack.enter_context(holdfire(data_dir(stack)))
        question = url + READINESS_QUERY
        with load.feeding(url, key):
            answer = httpx2.get(question, headers={"Authorization": f"Bearer {key}"})
        size = len(answer.content)
        raw, fastapi = (stack.enter_context(baseline(kind, size)) for kind in ("raw", "fastapi"))

        def ask() -> Rate:
            with load.feeding(url, key):
                return load.wrk(question, seconds, key)

        found = interleaved(
            rounds,
            {
                f"bare ASGI callable on uvicorn, {size} constant bytes": lambda: load.wrk(raw, seconds),
                "bare FastAPI endpoint, the same bytes": lambda: load.wrk(fastapi, seconds),
                "**readiness**: key checked, default gate, live updates": ask,
            },
        )
    base, bare, _ = found.values()
    rows = [
        (
            name,
            f"{rate.per_second:,.0f}",
            f"{rate.per_second / base.per_second:.2f}",
            f"{rate.per_second / bare.per_second:.2f}",
            f"{rate.p99_ms:.1f}",
        )
        for name, rate in found.items()
    ]
    return table("Readiness", ("what answers", "requests/s", "to raw", "to FastAPI", "p99 ms"), rows)


def latency(_rounds: int, seconds: float) -> str:
    """Return the table of the time from POST to WebSocket frame."""
    with ExitStack() as stack:
        url, key = stack.enter_context(holdfire(data_dir(stack)))
        found = live.measure(url, key, max(10.0, seconds * 8))
    row = (f"{live.OBSERVATIONS_PER_SECOND:,}", f"{found.p50_ms:.0f}", f"{found.p99_ms:.0f}", str(found.samples))
    return table("From POST to frame", ("observations/s", "p50 ms", "p99 ms", "POSTs measured"), [row])


def conditions(rounds: int, seconds: float) -> str:
    """Return a sentence on what was measured with."""
    return (
        f"Measured with Python {platform.python_version()} on {os.uname().sysname} {platform.machine()}, "
        f"{len(CORES)} cores (server on one, load on another), medians of {rounds} rounds of {seconds:g} s."
    )


def write(tables: str) -> None:
    """Put the tables between the page's two marks."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
