"""What the evaluator leaves in memory for everyone who reads: replaced whole after each tick, never changed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from app.core.floor.view import FloorView
from app.core.gate.answer import CampaignFacts
from app.core.gate.decision import Decision, GateMemory
from app.core.gate.foresight import Foresight
from app.core.gate.override import Override
from app.core.gate.policy import Policy
from app.core.permit.permit import NOTHING_SPENT, Spent
from app.ports.decisions import KeptInputs


class DecidedBy(Protocol):
    """What a decision was made from, put into words when somebody wants to keep it."""

    def kept(self) -> KeptInputs:
        """Return it as it is kept."""


class GateState(NamedTuple):
    """One gate as last evaluated: its policy (None: it has none), that policy's version (0: none) and the decision.

    decision is what everybody sees, overrides for all asks included; basis is what the floor alone said. memory and
    is_new_policy are what basis was decided with, as is foresight, None: there is no outlook. inputs is all of that,
    None where nothing was evaluated for it.
    """

    gate: str
    policy: Policy | None
    policy_version: int
    decision: Decision
    basis: Decision
    overrides: tuple[Override, ...] = ()
    spent: Spent = NOTHING_SPENT
    memory: GateMemory = GateMemory()
    is_new_policy: bool = False
    inputs: DecidedBy | None = None
    foresight: Foresight | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """All gates and the floor at one instant. seq grows by one each time; monotonic_seconds is the wall's stopwatch.

    campaigns: what answers need to know of every campaign that has not ended long ago, by id. confirmed_until_seconds:
    by the same stopwatch, until when what people changed in other replicas is known to be in it.
    """

    seq: int
    at: datetime
    monotonic_seconds: float
    view: FloorView
    gates: Mapping[str, GateState]
    campaigns: Mapping[str, CampaignFacts] = field(default_factory=dict)
    confirmed_until_seconds: float = math.inf


class Beside(Protocol):
    """What stands beside the floor when gates decide. All from memory, as of now."""

    def overrides(self, gate: str) -> Sequence[Override]:
        """Return a gate's overrides that have not ended."""

    def spent(self, gate: str, now: datetime) -> Spent:
        """Return what a gate has given away."""

    def campaigns(self, now: datetime) -> Mapping[str, CampaignFacts]:
        """Return what answers need to know of the campaigns, by id."""

    def foresight(self, gate: str, policy_version: int) -> Foresight | None:
        """Return the newest outlook made for this version of a gate's policy, None when there is none."""


class Alone:
    """Nothing stands beside the floor: no overrides, no permits, no campaigns."""

    def overrides(self, _gate: str) -> Sequence[Override]:
        return ()

    def spent(self, _gate: str, _now: datetime) -> Spent:
        return NOTHING_SPENT

    def campaigns(self, _now: datetime) -> Mapping[str, CampaignFacts]:
        return {}

    def foresight(self, _gate: str, _policy_version: int) -> Foresight | None:
        return None
