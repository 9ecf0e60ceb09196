"""What the evaluator writes down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.core.floor.flow import FlowDelta
from app.core.floor.queue_state import KnownQueue
from app.core.floor.rollup import RollupDelta
from app.core.gate.decision import GateMemory, Verdict
from app.ports.decisions import KeptInputs


@dataclass(frozen=True, slots=True)
class Transition:
    """A gate changed its verdict. reasons, inputs and facts are JSON-ready.

    kept and facts are all that the decision was made from, so that it can be made again; inputs are left out of the
    log where they are in kept.
    """

    gate: str
    at: datetime
    before: Verdict | None
    after: Verdict
    policy_version: int
    summary: str
    reasons: Sequence[Mapping[str, object]]
    inputs: Sequence[Mapping[str, object]]
    kept: KeptInputs | None = None
    facts: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far evaluation is written down: everything up to position, as evaluated at evaluated_at.

    known: every queue ever heard of, which outlives its records. follows: when that was evaluated which this one goes
    on from, None: any.
    """

    position: int
    evaluated_at: datetime
    memories: Mapping[str, GateMemory]
    known: Mapping[str, KnownQueue] = field(default_factory=dict)
    follows: datetime | None = field(default=None, compare=False)


class EvaluationStore(Protocol):
    """The evaluator's own notebook."""

    async def checkpoint(self) -> Checkpoint | None:
        """Return the last checkpoint, None on a fresh installation."""

    async def flush(
        self,
        checkpoint: Checkpoint,
        transitions: Sequence[Transition],
        rollups: Sequence[RollupDelta],
        flows: Sequence[FlowDelta] = (),
    ) -> None:
        """Write all of it in one transaction, with an event for each transition.

        A transition already there (gate, at, after) is not doubled, and neither is its event. Raises Conflict where the
        last checkpoint is not the one it follows: what was gained since that one may be written already.
        """
