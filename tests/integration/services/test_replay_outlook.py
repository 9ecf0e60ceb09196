"""A replay looks ahead as a live holdfire does: from the history of its day, at the instants of its day."""

import itertools
from datetime import timedelta

import pytest

from app.clocks import DataClock
from app.core.gate.decision import Verdict
from app.services.replay import LOOK_EVERY, Replay
from app.services.replaying import replay as decide_again
from app.settings import Settings
from app.store.bundle import open_store
from app.telemetry.metrics import Metrics
from app.wiring import build_services
from tests.support.databases import a_database_url
from tests.support.simulated import START, a_queue, a_simulation

POLICY = {
    "queues": ["*"],
    "rules": [{"metric": "backlog", "hold_above": 50}],
    "outlook": {"backlog": 20, "horizon_minutes": 30},
}


@pytest.mark.parametrize("per_hour", [60, 240])
async def test_a_replay_decides_by_the_outlook_of_its_day(tmp_path, per_hour):
    floor = a_simulation(a_queue(per_hour=per_hour, agents=6), observe=15.0)
    clock = DataClock(START)
    async with open_store(a_database_url("sqlite", tmp_path), clock, alone=True) as store:
        services = await build_services(Settings(data_dir=tmp_path), clock, store, Metrics())
        newest = await services.gates.newest_version("default")
        await services.gates.save("default", POLICY, author="test", reason="for a test", expected=newest)
        looked_at = []

        async def look(published):
            (state,) = published.gates.values()
            made = await services.outlooks.look(state, published.at, 2 * LOOK_EVERY.total_seconds())
            assert made is not None
            looked_at.append(made.at)

        await Replay(store.stream, services.evaluator, clock, look=look).run(floor.advance(START + timedelta(hours=2)))
        assert looked_at == sorted(set(looked_at))
        assert max(after - before for before, after in itertools.pairwise(looked_at)) == LOOK_EVERY
        decision = services.evaluator.published.gates["default"].decision
        # 6 agents of 3 minutes do 120 contacts an hour: half of them is calm, twice as many is a breach foretold
        assert decision.verdict is (Verdict.SEND if per_hour == 60 else Verdict.HOLD)
        rows = await services.decisions.page(gate="default", kind="transition")
        assert next(row.verdict for row in reversed(rows)) == "unknown"  # until half an hour was heard
        again = [decide_again(row) for row in rows]
        assert all(each.same for each in again)
