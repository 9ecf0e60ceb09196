"""A gate that looks only where something can have changed says what one says that looks at everything, each time."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import nan

from hypothesis import example, given
from hypothesis import strategies as st

from app.core.floor.metric import Metric
from app.core.floor.view import FloorView, Reading
from app.core.gate.decide import decide
from app.core.gate.decision import GateMemory, RuleMemory
from app.core.gate.policy import Policy, parse_policy
from app.core.gate.survey import Surveyor
from tests.support.floors import NOON, StaticFloor, a_reading

QUEUES = ("billing", "orders", "other", "retired")
RULES = [
    {"metric": "backlog", "hold_above": 6, "resume_below": 3, "hold_for_seconds": 3, "resume_for_seconds": 5},
    {"metric": "oldest_wait_seconds", "hold_above": 8, "on_missing": "ignore"},
    {"metric": "service_level_ratio", "hold_below": 0.5, "min_samples": 5, "on_missing": "ignore"},
]


def policies() -> list[Policy]:
    """Return policies that differ in what they watch: all queues, some, one that may not be there; and none."""
    watched = ["*"], ["orders", "b*"], ["orders", "nowhere"], ["nowhere"]
    return [parse_policy({"queues": names, "rules": RULES, "stale_after_seconds": 20}) for names in watched]


# What one queue says: a level for each metric, None: nothing of it; and how old that is, below 0: from the future.
said = st.tuples(
    st.tuples(*[st.sampled_from([None, 0, 4, 5, 7, 9, nan])] * 3), st.sampled_from([0, 0, 0, 15, 25, -2, -400])
)


@dataclass(frozen=True)
class Step:
    """What is said after so many seconds, by which queues; which policy holds; and whose memory is gone on with.

    memory: the gate's "own", one that "forgot" a rule, or "another's", in which a rule holds that did not.
    """

    seconds: int
    told: dict[str, tuple[tuple[float | None, ...], int]]
    policy: int = 0
    memory: str = "own"


steps = st.builds(
    Step,
    st.sampled_from([0, 1, 1, 1, 2, 6, 19, 21, -3]),
    st.dictionaries(st.sampled_from(QUEUES), said, max_size=2),
    st.sampled_from([0] * 30 + [1, 2, 3]),
    st.sampled_from(["own"] * 30 + ["forgot", "another's"]),
)
quiet = Step(0, dict.fromkeys(QUEUES[:3], ((0, 0, 9), 0)))
ahead: dict[str, tuple[tuple[float | None, ...], int]] = {"orders": ((0, 9, 9), -400)}


@dataclass
class Told:
    """A floor that many looks are taken at: what was said so far, and by which queues since the last look."""

    readings: dict[tuple[str, Metric, float | None], Reading] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def take(self, step: Step, now: datetime) -> StaticFloor:
        for queue, (levels, age) in step.told.items():
            backlog, wait, level = levels
            at = now - timedelta(seconds=age)
            self.names.add(queue)
            self._put(queue, a_reading(Metric.BACKLOG, backlog, observed_at=at))
            self._put(queue, a_reading(Metric.OLDEST_WAIT_SECONDS, wait, observed_at=at))
            ratio = level and level / 10
            self._put(queue, a_reading(Metric.SERVICE_LEVEL_RATIO, ratio, observed_at=at, samples=(age + 400) % 11))
        return StaticFloor(now, dict(self.readings), set(self.names))

    def _put(self, queue: str, reading: Reading) -> None:
        if reading.value is not None:
            self.readings[queue, reading.metric, None] = reading


def differing(earlier: FloorView, later: FloorView) -> set[str]:
    """Return the queues whose readings differ between two floors."""
    assert isinstance(earlier, StaticFloor)
    assert isinstance(later, StaticFloor)
    keys = earlier.readings.keys() | later.readings.keys()
    return {key[0] for key in keys if earlier.readings.get(key) is not later.readings.get(key)}


@given(st.lists(steps, min_size=4, max_size=25))
@example([Step(25, {}), Step(-10, {})])  # the clock is set back: what was stale is not
@example([Step(1, ahead), Step(150, {})])  # what was of the future is not any more
@example([Step(1, {}), Step(1, {}, memory="another's")])
def test_looking_where_something_changed_finds_what_looking_at_everything_finds(course: list[Step]):
    told, now, known, surveyor = Told(), NOON, policies(), Surveyor(differing)
    memory = GateMemory()
    for step in [quiet, *course]:
        now += timedelta(seconds=step.seconds)
        floor, policy = told.take(step, now), known[step.policy]
        if step.memory == "forgot":
            memory = replace(memory, rules=dict(list(memory.rules.items())[1:]))
        elif step.memory == "another's":
            held = {(policy.rules[0].key, "billing"): RuleMemory(holding=True, changed_at=now)}
            memory = replace(memory, rules={**held, **memory.rules})
        whole, expected = decide(floor, policy, memory, now)
        decision, after = decide(floor, policy, memory, now, surveying=surveyor)
        assert decision == whole
        assert decision.queues_looked_at() == whole.queues_looked_at()
        assert after == expected
        assert (after is memory) == (expected is memory)
        memory = after


@dataclass
class Counting(StaticFloor):
    """A floor that counts how often it is looked at."""

    looks: int = 0

    def reading(self, queue: str, metric: Metric, window_seconds: float | None = None) -> Reading | None:
        self.looks += 1
        return super().reading(queue, metric, window_seconds)


def counting(queues: int, now: datetime, changed: Reading | None = None) -> Counting:
    floor = Counting(now)
    for number in range(queues):
        floor.put(f"q{number:04}", a_reading(Metric.BACKLOG, 1))
    if changed is not None:
        floor.put("q0007", changed)
    return floor


def test_what_did_not_change_is_not_looked_at_however_much_there_is():
    policy = parse_policy({"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}]})
    surveyor, memory = Surveyor(lambda _earlier, _later: {"q0007"}), GateMemory()
    first, later = counting(1_000, NOON), counting(1_000, NOON, a_reading(Metric.BACKLOG, 50))
    _, memory = decide(first, policy, memory, NOON, surveying=surveyor)
    decision, _ = decide(later, policy, memory, NOON, surveying=surveyor)
    assert (first.looks, later.looks) == (1_000, 1)
    assert [reason.queue for reason in decision.reasons] == ["q0007"]


def test_what_has_gone_stale_is_looked_at_once_more_and_then_not_again():
    policy = parse_policy({"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}]})
    surveyor, memory = Surveyor(lambda _earlier, _later: ()), GateMemory()
    looks, verdicts = [], []
    for seconds in (0, 60, 120, 121, 200):
        now = NOON + timedelta(seconds=seconds)
        floor = counting(10, now, a_reading(Metric.BACKLOG, 1, observed_at=NOON + timedelta(seconds=60)))
        decision, memory = decide(floor, policy, memory, now, surveying=surveyor)
        looks.append(floor.looks)
        verdicts.append(str(decision.verdict))
    assert verdicts == ["send", "send", "unknown", "unknown", "unknown"]
    assert looks == [10, 0, 9, 0, 1]
