"""What the evaluator leaves in memory for everyone who reads: replaced whole after each tick, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app.core.floor.view import FloorView
from app.core.gate.decision import Decision
from app.core.gate.policy import Policy


class GateState(NamedTuple):
    """One gate as last evaluated: its policy (None: it has none), that policy's version (0: none) and the decision."""

    gate: str
    policy: Policy | None
    policy_version: int
    decision: Decision


@dataclass(frozen=True, slots=True)
class Published:
    """All gates and the floor at one instant. seq grows by one each time; monotonic_seconds is the wall's stopwatch."""

    seq: int
    at: datetime
    monotonic_seconds: float
    view: FloorView
    gates: Mapping[str, GateState]
