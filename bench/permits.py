"""Permits granted per second: against the least that makes an answer durable, and with a million stored already."""

import os
import time
from contextlib import ExitStack
from pathlib import Path

import httpx2

from app.store.migrate import migrate
from bench import load, stock
from bench.load import Rate
from bench.measuring import data_dir, interleaved, table
from bench.servers import baseline, holdfire

SCRIPT = Path(__file__).with_name("permits.lua")
STORED = 1_000_000
PATIENCE_SECONDS, PAUSE_SECONDS = 10.0, 0.1
ROOM = 10**9  # more than is asked for, so that every ask is granted and every cap is looked at
POLICY = {
    "queues": ["*"],
    "rules": [{"metric": "backlog", "hold_above": 10}],
    "max_audience_per_wave": ROOM,
    "max_audience_per_hour": ROOM,
}


def measure(rounds: int, seconds: float, stored: int = STORED) -> str:
    """Return the table of permits granted, against one bare commit per answer and with that many stored before."""
    with ExitStack() as stack:
        folder = data_dir(stack)
        migrate(f"sqlite:///{folder}/holdfire.db")
        stock.fill(folder / "holdfire.db", stored)
        full = stack.enter_context(holdfire(folder))
        empty = stack.enter_context(holdfire(data_dir(stack)))
        size = max(len(_open_gate(*server)) for server in (empty, full))
        least = stack.enter_context(baseline("commit", size))
        bare = f"bare FastAPI endpoint that commits one row, {size} constant bytes"
        found = interleaved(
            rounds,
            {
                bare: lambda: _shoot(least, seconds, None),
                "**permits**: headroom kept, permit, decision and event written": lambda: _grants(*empty, seconds),
                f"the same with {stored:,} of each stored before": lambda: _grants(*full, seconds),
            },
        )
    base, first, _ = found.values()
    rows = [
        (
            name,
            f"{rate.per_second:,.0f}",
            f"{rate.per_second / base.per_second:.2f}",
            f"{first.per_second / rate.per_second:.2f}" if rate is not base else "",
            f"{rate.p99_ms:.1f}",
        )
        for name, rate in found.items()
    ]
    return table("Permits", ("what answers", "granted/s", "to one commit", "empty to this", "p99 ms"), rows)


def _grants(url: str, key: str, seconds: float) -> Rate:
    with load.feeding(url, key):
        return _shoot(f"{url}/api/v1/permits", seconds, key)


def _shoot(url: str, seconds: float, key: str | None) -> Rate:
    seed = str(int.from_bytes(os.urandom(3), "big"))
    return load.wrk(url, seconds, key, SCRIPT, {"SEED": seed})


def _open_gate(url: str, key: str) -> bytes:
    """Save the policy and return the first answer that it grants."""
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
        load.report(client)
        path, patience = "/api/v1/gates/default/policy", time.monotonic() + PATIENCE_SECONDS
        version = client.get(path).headers["etag"]
        saved = client.put(path, json=POLICY, headers={"If-Match": version}).raise_for_status().json()["version"]
        while True:
            answer = client.post("/api/v1/permits", json={"audience": 100, "campaign": "campaign-1"})
            if answer.status_code == httpx2.codes.OK and answer.json()["policy_version"] == saved:
                return answer.content
            if time.monotonic() > patience:
                raise RuntimeError(f"the gate did not open: {answer.text}")
            time.sleep(PAUSE_SECONDS)
