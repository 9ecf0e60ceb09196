"""`holdfire backtest` as people run it, and a backtest held against what the live gate said over real days."""

import json
from bisect import bisect_right
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from app.clocks import DataClock
from app.commands.backtest import MEASURES
from app.computing import ChildProcess, InProcess
from app.core.backtest.backtest import course
from app.core.backtest.history import MINUTE, Looks, minutes_before
from app.core.backtest.verdicts import HELD, OPEN, UNKNOWN
from app.core.floor.metric import Metric
from app.core.floor.rollup import RollupDelta
from app.core.gate.policy import default_policy_document, parse_policy
from app.ports.backtest import Wanted
from app.ports.evaluation import Checkpoint
from app.services.backtests import Backtests, Question
from app.services.gates import Gates
from app.store.minutes import SqlMinutes
from tests.integration.test_replay import decisions, first_day, replay
from tests.support.databases import a_store
from tests.support.server import run_cli

__all__ = ["first_day"]  # a fixture

FROM, TO = datetime(2026, 11, 16, 9, tzinfo=UTC), datetime(2026, 11, 16, 11, tzinfo=UTC)
SPAN = ("--from", "2026-11-16T09:00", "--to", "2026-11-16T11:00Z")
CODES = {"send": OPEN, "hold": HELD, "unknown": UNKNOWN}


@pytest.fixture
async def data_dir(tmp_path):
    """A database with two hours of one queue, of which forty minutes were slammed."""
    async with a_store(tmp_path) as store:
        deltas = [
            RollupDelta("orders", Metric.BACKLOG, at, 1, value, value, value, value, at)
            for minute in range(-2, 120)
            for at, value in [(FROM + minute * MINUTE, 15 if 40 <= minute < 80 else 1)]
        ]
        await store.evaluation.flush(Checkpoint(0, TO, {}), [], deltas)
    return tmp_path


def test_it_prints_what_the_policy_would_have_done(data_dir):
    done = run_cli("backtest", "--data-dir", str(data_dir), *SPAN)
    assert (done.returncode, done.stderr) == (0, "")
    assert "version 1" in done.stdout
    assert all(name in done.stdout for name in MEASURES)
    assert "backlog +20%" in done.stdout


def test_the_same_as_json_with_a_policy_from_a_file(data_dir):
    policy = data_dir / "policy.json"
    policy.write_text(json.dumps({"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}]}))
    done = run_cli("backtest", "--data-dir", str(data_dir), *SPAN, "--policy", str(policy), "--json")
    body = json.loads(done.stdout)
    assert (body["policy_version"], body["holds"], body["longest_hold_seconds"]) == (None, 1, 2_400)
    assert (body["minutes"], body["open_ratio"], body["unseen_minutes"]) == (120, 80 / 120, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--from", "soon"], 2, "--from='soon' is no date or time"),
        (["--from", "2026-11-17", "--to", "2026-11-16"], 2, "/from: 2026-11-17T00:00:00+00:00 must be before to"),
        (["--policy", "nowhere.json"], 2, "--policy nowhere.json cannot be read: No such file"),
        (["--gate", "nowhere", *SPAN], 1, "there is no gate 'nowhere'"),
    ],
)
def test_what_cannot_be_walked_is_said_in_a_sentence(data_dir, arguments, code, said):
    done = run_cli("backtest", "--data-dir", str(data_dir), *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_process_of_its_own_finds_the_same(data_dir):
    async with a_store(data_dir) as store:
        here, elsewhere = InProcess(), ChildProcess()
        question = Question("default", FROM, TO)
        try:
            clock = DataClock(TO)
            found = [
                await Backtests(Gates(store.gates, clock), store.minutes, computing, clock).run(question, "ann")
                for computing in (here, elsewhere)
            ]
        finally:
            elsewhere.close()
    assert found[0].report == found[1].report


def test_over_real_days_nearly_every_minute_is_as_the_live_gate_had_it(first_day, tmp_path):
    data = tmp_path / "replayed"
    replayed = replay(str(first_day), "--format", "queue-log", "--data-dir", str(data))
    start, until = (datetime.fromisoformat(replayed[name]).replace(second=0) for name in ("first_at", "last_at"))
    transitions = [(datetime.fromisoformat(one["at"]), one["state"]) for one in decisions(data, "--kind", "transition")]
    instants = sorted(at for at, _ in transitions)
    states = dict(transitions)
    start += timedelta(hours=1)  # what was before the first minute is not known to the other
    count = (until - start) // MINUTE
    live = [CODES[states[instants[bisect_right(instants, start + n * MINUTE) - 1]]] for n in range(count)]

    policy = parse_policy(default_policy_document())
    before = minutes_before(policy.rules, policy.stale_after_seconds)
    metrics = frozenset(rule.metric for rule in policy.rules)
    wanted = Wanted(policy.queues, metrics, start - before * MINUTE, before + count - 1)
    history = SqlMinutes(f"sqlite:///{data}/holdfire.db").read(wanted)
    found = course(policy, history, Looks(before - 1, count))
    assert {HELD, OPEN} <= set(live)
    assert float(np.mean(found == live)) > 0.95
