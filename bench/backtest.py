"""A year of minutes of ten queues: how long a backtest over it takes, and what readiness notices of it."""

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import numpy as np

from app.core.floor.instants import MINUTE
from app.core.floor.metric import Metric
from app.core.gate.policy import parse_policy
from app.services.backtests import Walk, walked
from app.store.kept_columns import kept_columns
from app.store.migrate import migrate
from app.store.minutes import SqlMinutes
from app.store.pack_tables import MINUTE_PACKS
from app.store.packs import DAY_MINUTES, Columns, digest, packed
from app.store.tables import ROLLUP_MINUTES
from bench import load
from bench.load import Rate
from bench.measuring import data_dir, interleaved, table
from bench.servers import holdfire

QUEUES = 10
DAYS = 365
POLICY = {
    "queues": ["*"],
    "time_zone": "America/Chicago",
    "rules": [
        {"metric": "backlog", "hold_above": 10, "resume_below": 5, "resume_for_seconds": 300},
        {"metric": "service_level_ratio", "window_seconds": 900, "hold_below": 0.7, "resume_above": 0.8},
        {"metric": "speed_to_answer_seconds", "window_seconds": 300, "hold_above": 60, "resume_below": 30},
    ],
    "send_windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "18:00"}],
}
MOST_UNKNOWN = 0.05
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_READINESS = "/api/v1/readiness?gate=default&audience=500000"


def measure(rounds: int, seconds: float) -> str:
    """Return the tables of a backtest's time, read anew and with what is kept, and of readiness beside it."""
    with ExitStack() as stack:
        folder = data_dir(stack)
        url = f"sqlite:///{folder}/holdfire.db"
        migrate(url)
        fill(folder / "holdfire.db")
        times = _timed(url, rounds)
        beside = _beside(folder, rounds, seconds)
    return f"{times}\n\n{beside}"


def _timed(url: str, rounds: int) -> str:
    until = datetime.now(UTC).replace(second=0, microsecond=0)
    walk = Walk(SqlMinutes(url), parse_policy(POLICY), until - timedelta(days=DAYS), until, ())

    def run(*, anew: bool) -> Rate:
        if anew:
            kept_columns.cache_clear()
        before, used = time.perf_counter(), time.process_time()
        walked(walk)
        return Rate((time.process_time() - used) * 1000, (time.perf_counter() - before) * 1000)

    found = interleaved(
        rounds,
        {
            "read from the database and walked": lambda: run(anew=True),
            "a limit dragged: the same again, minutes kept in memory": lambda: run(anew=False),
        },
    )
    rows = [(name, f"{rate.per_second:,.0f}", f"{rate.p99_ms:,.0f}") for name, rate in found.items()]
    heads = (f"{DAYS} days of {QUEUES} queues, 3 rules, each also moved down and up", "ms of one core", "ms")
    return table("Backtest", heads, rows)


def _beside(folder: Path, rounds: int, seconds: float) -> str:
    with ExitStack() as stack:
        url, key = stack.enter_context(holdfire(folder))
        question = url + _READINESS

        def ask() -> Rate:
            with load.feeding(url, key):
                return load.wrk(question, seconds, key)

        def ask_beside() -> Rate:
            with _walking(url, key), load.feeding(url, key):
                return load.wrk(question, seconds, key)

        with load.feeding(url, key):
            _walk(url, key)  # its process starts, and keeps the minutes from now on
        found = interleaved(rounds, {"nothing else": ask, "one backtest of a year after the other": ask_beside})
    idle = found["nothing else"]
    rows = [
        (name, f"{rate.per_second:,.0f}", f"{rate.p99_ms:.1f}", f"{rate.p99_ms / idle.p99_ms:.2f}")
        for name, rate in found.items()
    ]
    return table("Readiness beside backtests", ("meanwhile", "requests/s", "p99 ms", "to idle"), rows)


@contextmanager
def _walking(url: str, key: str) -> Iterator[None]:
    """Ask for one backtest after the other while the body runs."""
    stop = threading.Event()
    faults: list[Exception] = []

    def keep_walking() -> None:
        try:
            while not stop.is_set():
                _walk(url, key)
        except (httpx2.HTTPError, RuntimeError) as fault:
            faults.append(fault)

    walker = threading.Thread(target=keep_walking)
    walker.start()
    try:
        yield
    finally:
        stop.set()
        walker.join()
    if faults:
        raise faults[0]


def _walk(url: str, key: str) -> None:
    until = datetime.now(UTC).replace(second=0, microsecond=0)
    asked = {"from": (until - timedelta(days=DAYS)).isoformat(), "to": until.isoformat(), "policy": POLICY}
    answer = httpx2.post(
        f"{url}/api/v1/gates/default/policy/backtest",
        json=asked,
        headers={"Authorization": f"Bearer {key}"},
        timeout=120,
    )
    if answer.status_code != httpx2.codes.OK or answer.json()["unknown_ratio"] > MOST_UNKNOWN:
        raise RuntimeError(f"the backtest was answered {answer.status_code}: {answer.text[:500]}")


def fill(database: Path, queues: int = QUEUES, days: int = DAYS) -> None:
    """Write that many days up to today into a database as packs, and today as minutes; no server has it open.

    The minutes behind the packs are left out but for the first: nothing reads them.
    """
    today = (datetime.now(UTC) - _EPOCH).days
    so_far = (datetime.now(UTC) - _EPOCH) // timedelta(minutes=1) - today * DAY_MINUTES
    draw = np.random.default_rng(1)
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        for number in range(queues):
            for metric, columns in _course(draw, (days + 1) * DAY_MINUTES).items():
                series = f"queue-{number}", metric.value
                _put_packs(connection, series, columns, range(today - days, today))
                first = (today - days) * DAY_MINUTES
                _put_minutes(connection, series, columns, first, [0])
                offset = days * DAY_MINUTES
                _put_minutes(connection, series, columns, first, range(offset, offset + so_far))
    connection.close()


def _course(draw: np.random.Generator, minutes: int) -> dict[Metric, Columns]:
    """Return a queue's minutes: busy by day, quiet by night, slammed now and then, and silent for an hour a week."""
    at = np.arange(minutes)
    busy = 1 - np.cos(2 * np.pi * (at % DAY_MINUTES) / DAY_MINUTES)
    slams = np.repeat(draw.random(minutes // 30 + 1) < 0.03, 30)[:minutes]  # noqa: PLR2004  # one half hour in thirty
    backlog = draw.poisson(busy * 2 + slams * 12).astype(float)
    offered = draw.poisson(busy * 4)
    answered = draw.binomial(offered, np.where(slams, 0.5, 0.9))
    waits = np.rint(offered * (5 + backlog * 3) * 1e6).astype(np.int64)
    backlog[at % (7 * DAY_MINUTES) >= 7 * DAY_MINUTES - 60] = np.nan
    return {
        Metric.BACKLOG: Columns(minutes, last=backlog),
        Metric.SERVICE_LEVEL_RATIO: Columns(minutes, weight=offered, total=answered * 1_000_000),
        Metric.SPEED_TO_ANSWER_SECONDS: Columns(minutes, weight=offered, total=waits),
    }


def _put_packs(connection: sqlite3.Connection, series: tuple[str, str], columns: Columns, days: range) -> None:
    rows = []
    for place, day in enumerate(days):
        body = packed(_part(columns, slice(place * DAY_MINUTES, (place + 1) * DAY_MINUTES)))
        rows.append((*series, day, digest(body), body))
    connection.executemany(f"INSERT INTO {MINUTE_PACKS.name} VALUES (?, ?, ?, ?, ?)", rows)  # noqa: S608  # our own name


def _put_minutes(
    connection: sqlite3.Connection, series: tuple[str, str], columns: Columns, first: int, places: Iterable[int]
) -> None:
    insert = f"INSERT INTO {ROLLUP_MINUTES.name} VALUES (?, ?, ?, ?, ?, NULL, NULL, ?, NULL)"  # noqa: S608  # our own name
    rows = []
    for place in places:
        weight, total, last = 1.0, 0.0, None
        if columns.last is not None:
            if np.isnan(columns.last[place]):
                continue
            last = float(columns.last[place])
        if columns.weight is not None and columns.total is not None:
            weight, total = float(columns.weight[place]), float(columns.total[place]) / 1e6
        rows.append((*series, (first + place) * MINUTE, weight, total, last))
    connection.executemany(insert, rows)


def _part(columns: Columns, part: slice) -> Columns:
    return Columns(
        DAY_MINUTES,
        None if columns.last is None else columns.last[part],
        None if columns.weight is None else columns.weight[part],
        None if columns.total is None else columns.total[part],
    )
