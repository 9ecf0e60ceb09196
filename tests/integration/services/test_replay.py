"""A replay decides as holdfire would have decided live, second by second."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest

from app.core.floor.observation import Observation
from app.core.gate.default import default_policy_document
from app.ports.stream import Payload
from app.services.evaluator import Evaluator
from app.services.replay import SECOND, Replay, by_second
from tests.support.builders import NOW, a_contact, after, an_event, an_observation
from tests.support.memory import (
    MemoryEvaluationStore,
    MemoryGateStore,
    MemoryHistory,
    MemoryQueueStore,
    MemoryStream,
    SteppedClock,
)
from tests.support.shared import QUEUE_LOG, shared
from workers.sources.recordings import Format, Reading, Recording


class MovedClock(SteppedClock):
    def move_to(self, at):
        self._now = max(self._now, at)


class EverySecond(Replay):
    """A replay that leaves no second out."""

    def _tick_through(self, until):
        while self._at + SECOND <= until:
            self._tick(self._at + SECOND)


class Rollups(MemoryHistory):
    """A history that only adds up what it is given."""

    def __init__(self):
        super().__init__()
        self.sums: dict[tuple[object, ...], list[Any]] = defaultdict(lambda: [0.0, 0.0, None, None])

    def add(self, rollups):
        for one in rollups:
            bucket = self.sums[one.queue, one.metric, one.bucket_at]
            bucket[0] += one.weight
            bucket[1] += one.total
            bucket[2] = min((low for low in (bucket[2], one.minimum) if low is not None), default=None)
            bucket[3] = max((high for high in (bucket[3], one.maximum) if high is not None), default=None)


class House:
    """A holdfire in memory with the gates given, as far as a replay needs one."""

    def __init__(self, start, policies):
        self.clock = MovedClock(start)
        self.stream = MemoryStream(self.clock)
        self.history = Rollups()
        self.store = MemoryEvaluationStore(None, self.history)
        self.gates = MemoryGateStore()
        self.policies = policies
        self.looks = 0

    async def replay(self, payloads, kind=Replay):
        for gate, policy in self.policies.items():
            if gate not in await self.gates.gates():
                await self.gates.create_gate(gate, NOW, an_event())
                await self.gates.save_policy(
                    gate, policy, author="test", reason="test", at=NOW, expected=0, event=an_event()
                )
        if resumed := await self.store.checkpoint():
            self.clock.move_to(resumed.evaluated_at)
        evaluator = Evaluator(
            stream=self.stream, gates=self.gates, queues=MemoryQueueStore(), store=self.store, clock=self.clock
        )
        await evaluator.start()
        replayed = await kind(self.stream, evaluator, self.clock, resumed).run(payloads)
        self.looks = evaluator.published.seq
        return replayed

    def transitions(self):
        return [(one.gate, one.at, one.before, one.after, one.summary) for one in self.store.transitions]


def rule(metric, **members):
    return {"metric": metric, "hold_for_seconds": 0, "resume_for_seconds": 0, "on_missing": "ignore", **members}


def policy(*rules, **members):
    return {
        "queues": ["*"],
        "time_zone": "UTC",
        "mode": "enforce",
        "stale_after_seconds": 120,
        "rules": [*rules],
        **members,
    }


POLICIES = {
    "default": default_policy_document(),
    "nervous": policy(
        rule("oldest_wait_seconds", hold_above=7.5, resume_below=3),
        rule("service_level_ratio", hold_below=0.9, resume_above=0.95, window_seconds=60),
        rule("speed_to_answer_seconds", hold_above=20, resume_below=19, window_seconds=45, min_samples=2),
        stale_after_seconds=31,
    ),
    "slow": policy(
        rule("backlog", hold_above=3, resume_below=2, hold_for_seconds=45, resume_for_seconds=600),
        rule("abandonment_ratio", hold_above=0.02, resume_below=0.01, window_seconds=1800, hold_for_seconds=7),
        rule("agents_available", hold_below=1, resume_above=2, hold_for_seconds=11),
        stale_after_seconds=30,
    ),
    "office hours": policy(
        rule("oldest_wait_seconds", hold_above=60, resume_below=30, hold_for_seconds=5),
        time_zone="America/Chicago",
        send_windows=[{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "01:10", "to": "03:35"}],
    ),
}


@pytest.fixture(scope="module")
def monday_morning():
    """Monday 1 February 1999 from 06:00 to 10:00: the end of the night and the first rush."""
    with Recording(shared(QUEUE_LOG), Reading(Format.QUEUE_LOG)) as recording:
        start = NOW.replace(year=1999, month=2, day=1, hour=6)
        found: list[Payload] = []
        for payload in recording.payloads:
            at = payload.observed_at if isinstance(payload, Observation) else payload.at
            if at >= start + timedelta(hours=4):
                return found
            if at >= start:
                found.append(payload)
    return found


async def test_leaving_seconds_out_gives_the_same_decisions_and_the_same_history(monday_morning):
    start = monday_morning[0].observed_at
    quick, thorough = House(start, POLICIES), House(start, POLICIES)
    replayed = await quick.replay(monday_morning)
    await thorough.replay(monday_morning, EverySecond)
    assert quick.transitions() == thorough.transitions()
    assert replayed.transitions == len(quick.transitions()) >= 20
    assert {gate for gate, *_ in quick.transitions()} == set(POLICIES)
    assert quick.history.sums == thorough.history.sums
    assert quick.looks < thorough.looks / 2


async def test_the_same_data_again_is_all_duplicates_and_changes_nothing(monday_morning):
    house = House(monday_morning[0].observed_at, POLICIES)
    first = await house.replay(monday_morning)
    known = house.transitions()
    second = await house.replay(monday_morning)
    assert (first.accepted, first.duplicates) == (len(monday_morning), 0)
    assert (second.accepted, second.duplicates) == (0, len(monday_morning))
    assert second.transitions == 0
    assert house.transitions() == known


async def test_a_replay_of_more_of_the_same_file_goes_on_where_the_last_one_ended(monday_morning):
    start = monday_morning[0].observed_at
    whole, parts = House(start, POLICIES), House(start, POLICIES)
    await whole.replay(monday_morning)
    await parts.replay(monday_morning[: len(monday_morning) // 2])
    await parts.replay(monday_morning)
    assert parts.transitions() == whole.transitions()


def story(*steps):
    return [a_contact(kind, after(at), contact_id) for contact_id, kind, at in steps]


async def test_a_gate_holds_at_the_very_second_live_would_have():
    house = House(NOW, {"g": policy(rule("oldest_wait_seconds", hold_above=20, resume_below=5))})
    await house.replay(
        story(("a", "queued", 3.5), ("b", "queued", 100), ("a", "abandoned", 101), ("b", "abandoned", 102))
    )
    held = [at for _, at, before, verdict, _ in house.transitions() if verdict == "hold"]
    assert held == [after(24)]


async def test_what_is_refused_is_counted_and_the_rest_goes_in():
    house = House(NOW, {"g": default_policy_document()})
    payloads = [
        *story(("a", "queued", 1)),
        a_contact("queued", after(2), "+1 555 0100 100"),
        an_observation(observed_at=after(3), backlog=-1),
    ]
    replayed = await house.replay(payloads)
    assert (replayed.accepted, replayed.rejected) == (1, 2)
    assert [problem.pointer for problem in replayed.rejections] == ["/contact_id", "/backlog"]
    assert (replayed.first_at, replayed.last_at) == (after(1), after(3))


async def test_nothing_to_replay_is_no_error():
    house = House(NOW, {})
    assert (await house.replay([])).accepted == 0


def test_payloads_come_at_whole_seconds_that_never_go_back():
    arrivals = [("a", 0.2), ("b", 1), ("c", 5), ("late", 2), ("d", 7)]
    payloads = story(*((name, "queued", at) for name, at in arrivals))
    seconds = [(at, [payload[0] for payload in group]) for at, group in by_second(payloads, NOW)]
    assert seconds == [(after(1), ["a", "b"]), (after(5), ["c", "late"]), (after(7), ["d"])]


async def test_a_late_event_is_kept_and_changes_no_decision_backwards():
    house = House(NOW, {"g": policy(rule("backlog", hold_above=0, resume_below=0))})
    await house.replay(
        story(("a", "queued", 50), ("late", "queued", 10), ("a", "abandoned", 60), ("late", "abandoned", 61))
    )
    assert [record.received_at for record in house.stream.records] == [after(50), after(50), after(60), after(61)]
    assert [at for _, at, *_ in house.transitions()] == sorted(at for _, at, *_ in house.transitions())
    assert min(at for _, at, before, verdict, _ in house.transitions() if verdict == "hold") == after(50)
