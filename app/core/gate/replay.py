"""Deciding again: what `decide` looked at, as plain values that can be kept, and the same decision made from them.

Only what the policy watches is captured, and no instant: while nothing happens on the floor, the decisions of many
evaluations are made from the same inputs and differ in `now` alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import NamedTuple

from app.core.floor.metric import Metric
from app.core.floor.view import FloorView, Reading
from app.core.gate.decide import decide, select
from app.core.gate.decision import Decision, GateMemory, RuleMemory, Verdict
from app.core.gate.foresight import Foresight, OutlookMemory
from app.core.gate.policy import Policy


class Seen(NamedTuple):
    """A reading as a rule saw it. asked_seconds: the window that the rule asked for, None for the floor's own.

    value is a text where it is no finite number, which JSON could not hold: "nan", "inf" or "-inf".
    """

    queue: str
    metric: Metric
    asked_seconds: float | None
    value: float | str | None
    unit: str
    window_seconds: float | None
    source: str
    observed_at: datetime
    samples: int | None
    definition: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a decision was made from, besides the policy and the instant.

    queues: those on the floor that the policy watches or its gate remembers. verdict, since, rules and outlook: the
    gate's memory before, each rule's by its key and queue.
    """

    queues: tuple[str, ...] = ()
    seen: tuple[Seen, ...] = ()
    verdict: Verdict | None = None
    since: datetime | None = None
    rules: tuple[tuple[str, str, RuleMemory], ...] = ()
    is_new_policy: bool = False
    outlook: OutlookMemory | None = None
    foresight: Foresight | None = None


def capture(
    view: FloorView,
    policy: Policy | None,
    memory: GateMemory,
    *,
    is_new_policy: bool,
    foresight: Foresight | None = None,
) -> Inputs:
    """Return what `decide` looks at when it is given the same arguments."""
    rules = tuple((key, queue, kept) for (key, queue), kept in memory.rules.items())
    if policy is None:
        return Inputs((), (), memory.verdict, memory.since, rules, is_new_policy, memory.outlook)
    on_floor = tuple(view.queues())
    watched, _ = select(policy.queues, on_floor)
    needed = {*watched, *(queue for _, queue in memory.rules)}
    queues = tuple(queue for queue in on_floor if queue in needed)
    return Inputs(
        queues,
        tuple(_seen(view, policy, watched)),
        memory.verdict,
        memory.since,
        rules,
        is_new_policy,
        memory.outlook,
        foresight if policy.outlook is not None else None,
    )


def decide_again(inputs: Inputs, policy: Policy | None, now: datetime) -> Decision:
    """Return the decision made from captured inputs, by the very code that made the first one."""
    rules = {(key, queue): kept for key, queue, kept in inputs.rules}
    memory = GateMemory(inputs.verdict, inputs.since, rules, outlook=inputs.outlook)
    floor, foresight = _floor(inputs, now), inputs.foresight
    decision, _ = decide(floor, policy, memory, now, is_new_policy=inputs.is_new_policy, foresight=foresight)
    return decision


def _seen(view: FloorView, policy: Policy, queues: Sequence[str]) -> Sequence[Seen]:
    found = (
        (queue, rule, view.reading(queue, rule.metric, rule.window_seconds))
        for queue in queues
        for rule in policy.rules
    )
    return [
        Seen(queue, reading.metric, rule.window_seconds, _storable(reading.value), reading.unit, *reading[3:])
        for queue, rule, reading in found
        if reading is not None
    ]


def _storable(value: float | None) -> float | str | None:
    return value if value is None or isfinite(value) else str(value)


@dataclass(frozen=True, slots=True)
class _Floor:
    """The floor as captured: a FloorView that knows what was looked at, and nothing else."""

    at: datetime
    names: Sequence[str]
    readings: Mapping[tuple[str, Metric, float | None], Reading] = field(default_factory=dict)

    def queues(self) -> Sequence[str]:
        """Return the queues that were watched or remembered."""
        return self.names

    def reading(self, queue: str, metric: Metric, window_seconds: float | None = None) -> Reading | None:
        """Return a reading as a rule saw it; None for what no rule looked at or found."""
        return self.readings.get((queue, metric, window_seconds))

    def last_heard_at(self, queue: str) -> datetime | None:
        """Return the newest instant among a queue's captured readings; None without any."""
        return max(
            (reading.observed_at for (name, _, _), reading in self.readings.items() if name == queue), default=None
        )


def _floor(inputs: Inputs, at: datetime) -> _Floor:
    readings = {(seen.queue, seen.metric, seen.asked_seconds): _reading(seen) for seen in inputs.seen}
    return _Floor(at, inputs.queues, readings)


def _reading(seen: Seen) -> Reading:
    value = float(seen.value) if isinstance(seen.value, str) else seen.value
    return Reading(seen.metric, value, seen.unit, *seen[5:])
