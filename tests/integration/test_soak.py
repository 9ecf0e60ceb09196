"""A week, with all that befalls a holdfire in one: it holds no more at the end than in the middle, and it was right.

SOAK_HOURS of its clock with SOAK_SOCKETS watchers and SOAK_CAMPAIGNS, SOAK_WALL_MINUTES at most; `make soak` runs the
whole week, and without it a few hours of it are run. What comes is kept for a seventh of it all, so that by far
the most of it is pruned again.
"""

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from tests.integration.faults.load import note
from tests.support.found import Found, find, url_of
from tests.support.reference import faults
from tests.support.server import a_port, run_cli
from tests.support.soak import AUDIENCE, SOURCES, Size, Soak
from tests.support.soak_process import Sample
from tests.support.soak_server import STEP_SECONDS

SIZE = Size(
    hours=float(os.environ.get("SOAK_HOURS", "5")),
    sockets=int(os.environ.get("SOAK_SOCKETS", "60")),
    campaigns=int(os.environ.get("SOAK_CAMPAIGNS", "6")),
    wall_seconds=60 * float(os.environ.get("SOAK_WALL_MINUTES", "1.5")),
)
JUDGED_WITHIN_SECONDS = 300
LAG_SECONDS = 5.0 * STEP_SECONDS
# By how much the last third of the last process's life may exceed the third before: a factor, and as much on top.
MORE = {"memory_bytes": (1.05, 8_000_000), "files": (1.0, 20), "database_bytes": (1.25, 1_000_000)}
LOG_BYTES = 64_000_000
MORE_KEPT = 4  # of what is to be kept: it is pruned only now and then, and not while a disk is full
ENOUGH_SAMPLES = 9  # of one process, to tell that it grows
ENDINGS = {"campaign.done": "done", "campaign.cancelled": "cancelled", "campaign.gave_up": "gave_up"}
EXPLAINED = ("disk I/O error", "is full", "is locked")  # as requests end while a disk is full or a database locked
MINUTE_US = 60_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("soak")


@pytest.mark.timeout(SIZE.wall_seconds + JUDGED_WITHIN_SECONDS)
async def test_a_week_with_faults_leaves_memory_flat_files_bounded_and_every_promise_kept(folder):
    soak = Soak(folder, int(a_port()), SIZE)
    seen = await soak.run()
    report(soak)
    found = replace(find(url_of(folder)), observations=seen.observations)
    assert faults(found, seen.told, lag_seconds=LAG_SECONDS, answered_from_seconds=LAG_SECONDS) == []
    assert transition_faults(found) == []
    assert campaign_faults(folder, found, soak.clock.us()) == []
    assert run_cli("audit", "verify", "--data-dir", str(folder)).returncode == 0
    with closing(sqlite3.connect(folder / "holdfire.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert [line for line in soak.process.lines if is_unexpected(line)] == []
    assert len(seen.heard_at_last) == SIZE.sockets
    assert growth_faults(seen.samples) == []


def report(soak: Soak) -> None:
    """Say what a soak saw."""
    seen = soak.seen
    hours, minutes = seen.steps * STEP_SECONDS / 3600, seen.wall_seconds / 60
    note(f"{hours:.1f} of {SIZE.hours:g} hours in {minutes:.1f} minutes, seed {SIZE.seed}; {dict(seen.happened)}")
    note(f"{len(seen.observations)} observations, {len(seen.told.granted)} permits, {seen.opened} sockets opened")
    for each in seen.samples[:: max(1, len(seen.samples) // 24)]:
        hour, rows = each.step * STEP_SECONDS / 3600, ", ".join(f"{name} {count}" for name, count in each.rows.items())
        memory, database, log = (
            f"{size / 1e6:.1f} MB" for size in (each.memory_bytes, each.database_bytes, each.log_bytes)
        )
        note(
            f"{hour:.1f} h, life {each.life}: memory {memory}, database {database} + {log}, {each.files} files; {rows}"
        )
    note(f"logged: {dict(Counter(_name(line) for line in soak.process.lines))}")


def growth_faults(samples: Sequence[Sample]) -> list[str]:
    """Return what grew without end: in the last process of them, and of what is pruned."""
    last = [each for each in samples if each.life == samples[-1].life]
    faults = [f"the log was {each.log_bytes:,} bytes" for each in samples if each.log_bytes > LOG_BYTES]
    for table, raw_days in (("observations", 1), ("rollup_minutes", 2)):  # one row a minute of each queue
        most = MORE_KEPT * raw_days * SIZE.raw_days * 86_400 / STEP_SECONDS * SOURCES
        faults += [f"{each.rows[table]} {table} were kept" for each in samples if each.rows[table] > most]
    if len(last) < ENOUGH_SAMPLES:  # a machine so slow that the time was over soon after a start
        return faults
    third = len(last) // 3
    for name, (factor, more) in MORE.items():
        before, after = (
            median(getattr(each, name) for each in part) for part in (last[third : 2 * third], last[2 * third :])
        )
        if after > before * factor + more:
            faults.append(f"{name} grew from {before:,} to {after:,}")
    return faults


def transition_faults(found: Found) -> list[str]:
    """Return transitions that do not follow from the one before, and events that tell of one twice."""
    faults, verdict = [], None
    for row in found.decisions.values():
        if row["kind"] == "transition":
            if verdict is not None and row["before"] != verdict:
                faults.append(f"{row['id']} came from {row['before']}, and it had been {verdict}")
            verdict = row["verdict"]
    told = Counter(event["subject"] for event in found.events if event["subject"].startswith("decision/"))
    return faults + [f"{subject} has {count} events" for subject, count in told.items() if count > 1]


def campaign_faults(folder: Path, found: Found, now_us: int) -> list[str]:
    """Return campaigns that stand where their events do not say, and waves that were opened twice or not at all."""
    with closing(sqlite3.connect(folder / "holdfire.db")) as database:
        database.row_factory = sqlite3.Row
        campaigns = database.execute("SELECT * FROM campaigns").fetchall()
        waves = database.execute("SELECT * FROM waves ORDER BY campaign, number").fetchall()
    faults = []
    for campaign in campaigns:
        name, state = campaign["id"], campaign["state"]
        events = [event for event in found.events if event["campaign"] == name]
        endings = [ENDINGS[event["type"]] for event in events if event["type"] in ENDINGS]
        if endings != ([state] if state in ENDINGS.values() else []):
            faults.append(f"{name} is {state}, and was ended {endings}")
        if state not in ENDINGS.values() and campaign["give_up_at"] + 30 * MINUTE_US < now_us:
            faults.append(f"{name} is {state} after it was to be given up")
        numbers = [wave["number"] for wave in waves if wave["campaign"] == name]
        opened = sum(event["type"] == "wave.opened" for event in events)
        if numbers != list(range(1, opened + 1)):
            faults.append(f"{name} has waves {numbers}, and {opened} were opened")
        sent = sum(permit["sent"] for permit in found.permits.values() if permit["campaign"] == name)
        if sent > AUDIENCE or (state == "done" and sent != AUDIENCE):
            faults.append(f"{name} is {state}, and {sent} of {AUDIENCE} were sent")
    return faults


def _name(line: str) -> str:
    try:
        return str(json.loads(line)["event"])
    except (ValueError, KeyError, TypeError):
        return line.strip()


def is_unexpected(line: str) -> bool:
    """Tell whether a line of the log is of a fault that nothing here explains."""
    try:
        is_error = json.loads(line)["level"] in {"error", "critical"}
        return is_error and not any(why in line for why in EXPLAINED)
    except (ValueError, KeyError, TypeError):
        return line.startswith(("Traceback", "holdfire:")) and "authentication is off" not in line
