"""How long planning takes, from the largest safe send to a whole plan, and what readiness notices of it."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import numpy as np
from sqlalchemy import create_engine

from app.core.floor.flow import FlowDelta
from app.core.forecast.case import STARTS_EVERY_MINUTES, Case, QueueCase, Rate
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.outlook import outlook
from app.core.forecast.plan import plan
from app.core.forecast.response import Response, response_curves
from app.core.forecast.safe import safe_now
from app.core.forecast.scenario import Scenario
from app.store.flows import add_flows
from app.store.migrate import migrate
from bench import load
from bench.measuring import data_dir, interleaved, table
from bench.outlook import timed
from bench.servers import holdfire

AGENTS, HANDLE_SECONDS, PATIENCE_SECONDS = 40, 300.0, 180.0
MINUTES, LOAD_RATIO, LEVEL_CV = 180, 0.62, 0.05
PER_1000, PER_1000_CV = 10.0, 0.25
AUDIENCE = 500_000
WINDOWS = OutlookLimits(service_level_ratio=0.8, speed_to_answer_seconds=30.0)
EVERYTHING = OutlookLimits(service_level_ratio=0.8, speed_to_answer_seconds=30.0, backlog=20.0)

QUEUE, HISTORY_DAYS, CONTACTS_PER_STEP = "queue-0", 14, 24.0
STEP = timedelta(minutes=5)
POLICY = {
    "queues": [QUEUE],
    "rules": [{"metric": "backlog", "hold_above": 50}],
    "outlook": {"service_level_ratio": 0.8, "backlog": 30, "horizon_minutes": 180},
}
CAMPAIGN = {"id": "bench", "title": "Bench", "audience": AUDIENCE, "release": {"mode": "manual"}}
READY_SECONDS, PAUSE_SECONDS = 90.0, 0.2
_READINESS = "/api/v1/readiness?gate=default&audience=100"
_PLAN = "/api/v1/campaigns/bench/plan"


def measure(rounds: int, seconds: float) -> str:
    """Return the tables of planning alone, and of readiness beside it."""
    with ExitStack() as stack:
        folder = data_dir(stack)
        fill(folder / "holdfire.db")
        beside = _beside(folder, rounds, seconds)
    return f"{_alone(rounds, seconds / 3)}\n\n{beside}"


def a_case(limits: OutlookLimits = WINDOWS) -> Case:
    """Return a queue of 40 agents at 62 % of its load, for three hours, and a campaign of half a million."""
    starts = np.arange(0, MINUTES, STARTS_EVERY_MINUTES, dtype=np.int64)
    scenario = Scenario(
        np.full(MINUTES, LOAD_RATIO * AGENTS / HANDLE_SECONDS),
        np.full(MINUTES, AGENTS),
        HANDLE_SECONDS,
        PATIENCE_SECONDS,
        round(LOAD_RATIO * AGENTS),
        0,
    )
    queue = QueueCase(
        QUEUE,
        scenario,
        arrivals_cv=np.full(MINUTES, LEVEL_CV),
        in_flight=np.zeros(MINUTES),
        in_flight_cv=0.0,
        share=1.0,
        curves=response_curves(Response(), np.ones(MINUTES, dtype=np.bool_), starts, MINUTES),
    )
    return Case(datetime(2026, 3, 2, 12, tzinfo=UTC), (queue,), Rate(PER_1000, PER_1000_CV), limits, starts)


def _alone(rounds: int, seconds: float) -> str:
    plain, backlog = a_case(), a_case(EVERYTHING)
    found = interleaved(
        rounds,
        {
            "largest safe send now": lambda: timed(lambda: safe_now(plain, AUDIENCE), seconds),
            "the same with a limit on the backlog": lambda: timed(lambda: safe_now(backlog, AUDIENCE), seconds),
            "outlook without and with a send": lambda: timed(lambda: outlook(backlog, 20_000), seconds),
            "whole plan: now, waves, next window, agents": lambda: timed(lambda: plan(backlog, AUDIENCE), seconds),
        },
    )
    lines = [(name, f"{1_000 / rate.per_second:,.0f}", f"{rate.p99_ms:,.0f}") for name, rate in found.items()]
    return table("Planning", ("40 agents, 3 hours, nine nodes", "median ms", "p99 ms"), lines)


def _beside(folder: Path, rounds: int, seconds: float) -> str:
    with ExitStack() as stack:
        url, key = stack.enter_context(holdfire(folder))
        question = url + _READINESS

        def ask() -> load.Rate:
            with load.feeding(url, key):
                return load.wrk(question, seconds, key)

        def ask_beside() -> load.Rate:
            with _planning(url, key), load.feeding(url, key):
                return load.wrk(question, seconds, key)

        with load.feeding(url, key):
            _open_gate(url, key)
        found = interleaved(rounds, {"no plan is asked for": ask, "one plan after the other is made": ask_beside})
    idle = found["no plan is asked for"]
    rows = [
        (name, f"{rate.per_second:,.0f}", f"{rate.p99_ms:.1f}", f"{rate.p99_ms / idle.p99_ms:.2f}")
        for name, rate in found.items()
    ]
    return table("Readiness beside planning", ("meanwhile", "requests/s", "p99 ms", "to idle"), rows)


@contextmanager
def _planning(url: str, key: str) -> Iterator[None]:
    """Ask for one plan after the other while the body runs."""
    stop = threading.Event()
    faults: list[Exception] = []

    def keep_planning() -> None:
        try:
            while not stop.is_set():
                _plan(url, key)
        except (httpx2.HTTPError, RuntimeError) as fault:
            faults.append(fault)

    planner = threading.Thread(target=keep_planning)
    planner.start()
    try:
        yield
    finally:
        stop.set()
        planner.join()
    if faults:
        raise faults[0]


def _plan(url: str, key: str) -> None:
    answer = httpx2.get(url + _PLAN, headers={"Authorization": f"Bearer {key}"}, timeout=60)
    if answer.status_code != httpx2.codes.OK or not answer.json()["known"]:
        raise RuntimeError(f"the plan was answered {answer.status_code}: {answer.text[:500]}")


def _open_gate(url: str, key: str) -> None:
    """Save the policy, draft the campaign, and wait until the gate lets a little mail go."""
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
        path, patience = "/api/v1/gates/default/policy", time.monotonic() + READY_SECONDS
        client.put(path, json=POLICY, headers={"If-Match": client.get(path).headers["etag"]}).raise_for_status()
        client.post("/api/v1/campaigns", json=CAMPAIGN).raise_for_status()
        while (answer := client.get(_READINESS)).status_code != httpx2.codes.OK:
            if time.monotonic() > patience:
                raise RuntimeError(f"the gate did not open: {answer.text}")
            time.sleep(PAUSE_SECONDS)


def fill(database: Path, days: int = HISTORY_DAYS) -> None:
    """Write so many days of one queue's flows, up to now, into a new database; no server has it open."""
    migrate(f"sqlite:///{database}")
    now = datetime.now(UTC)
    begin = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
    each = dict.fromkeys(FlowDelta._fields[2:], 0.0) | {
        "offered": CONTACTS_PER_STEP,
        "answered": CONTACTS_PER_STEP,
        "handled": CONTACTS_PER_STEP,
        "handle_seconds": HANDLE_SECONDS * CONTACTS_PER_STEP,
    }
    engine = create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        add_flows(connection, [FlowDelta(QUEUE, begin + step * STEP, **each) for step in range((now - begin) // STEP)])
    engine.dispose()
