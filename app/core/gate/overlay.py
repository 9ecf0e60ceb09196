"""What everybody is told: a gate's own decision with the overrides laid over that hold for every ask.

Overrides with matchers touch only some asks, so they are left to `answer`. What was told last is remembered beside
the gate's own verdict, so that a change of what is told is noticed once, also over a restart.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from app.core.gate.answer import applying, holding_ends, is_unsure, lifts, reason_of
from app.core.gate.decision import Check, Decision, Explanation, GateMemory, Reason, Verdict
from app.core.gate.override import Override, next_edge
from app.core.gate.policy import Policy


@dataclass(frozen=True, slots=True)
class Overlaid:
    """Explains a decision that an override settled: its reason first, then the gate's own, not binding any more."""

    basis: Decision
    reason: Reason

    def reasons(self) -> tuple[Reason, ...]:
        """Return the override's reason and, after it, what the gate would have said."""
        return (self.reason, *(replace(reason, binding=False) for reason in self.basis.reasons))

    def checks(self) -> tuple[Check, ...]:
        """Return the gate's own checks."""
        return self.basis.checks

    def queues_looked_at(self) -> int:
        """Return how many queues those are of."""
        return self.basis.queues_looked_at()


@dataclass(frozen=True, slots=True)
class _Same:
    """Explains a decision as another one."""

    basis: Decision

    def reasons(self) -> tuple[Reason, ...]:
        """Return the other decision's reasons."""
        return self.basis.reasons

    def checks(self) -> tuple[Check, ...]:
        """Return the other decision's checks."""
        return self.basis.checks

    def queues_looked_at(self) -> int:
        """Return how many queues those are of."""
        return self.basis.queues_looked_at()


def lay_over(basis: Decision, policy: Policy | None, overrides: Iterable[Override], now: datetime) -> Decision:
    """Return the decision that everybody is told; `basis` itself where no override has to do with it.

    It ends at the next instant at which any override of the gate begins or ends. since is that of the basis where
    the verdict is, else now.
    """
    overrides = tuple(overrides)
    if not overrides or is_unsure(basis):
        return basis
    explanation, verdict, retry_at = _settled(basis, policy, overrides, now)
    edge = next_edge(overrides, now)
    until = basis.valid_until if edge is None else min(edge, basis.valid_until)
    if verdict is basis.verdict and explanation is None and until == basis.valid_until:
        return basis
    since = basis.since if verdict is basis.verdict else now
    return _explained(basis, explanation or _Same(basis), verdict, since, until=until, retry_at=retry_at)


def _settled(
    basis: Decision, policy: Policy | None, overrides: Iterable[Override], now: datetime
) -> tuple[Overlaid | None, Verdict, datetime | None]:
    """Return what settles the decision (None: the gate itself), its verdict, and when to ask again."""
    holding, allowing = applying((each for each in overrides if not each.matchers), {}, now)
    if holding is not None:
        later = max(holding_ends(holding, now), basis.retry_at or now)
        return Overlaid(basis, reason_of(holding, policy, now)), Verdict.HOLD, later
    is_shut = basis.verdict in (Verdict.HOLD, Verdict.UNKNOWN)
    if allowing is not None and policy is not None and is_shut and lifts(allowing, basis.reasons):
        return Overlaid(basis, reason_of(allowing, policy, now)), Verdict.SEND, None
    return None, basis.verdict, basis.retry_at


def tell(decision: Decision, before: GateMemory, after: GateMemory, now: datetime) -> tuple[Decision, GateMemory]:
    """Return a decision with since when it is told, and what to remember of it.

    before and after: what the gate remembered when it decided, and what it is to remember.
    """
    if before.told is None and decision.verdict is after.verdict:
        return decision, after
    last, last_since = last_told(before)
    since = min(last_since, now) if last is decision.verdict and last_since is not None else now
    if decision.verdict is after.verdict and since == after.since:
        remembered = replace(after, told=None, told_since=None)
    elif (after.told, after.told_since) == (decision.verdict, since):
        remembered = after
    else:
        remembered = replace(after, told=decision.verdict, told_since=since)
    if since == decision.since:
        return decision, remembered
    told = _explained(
        decision, _Same(decision), decision.verdict, since, until=decision.valid_until, retry_at=decision.retry_at
    )
    return told, remembered


def last_told(memory: GateMemory) -> tuple[Verdict | None, datetime | None]:
    """Return what everybody was told last, and since when; None where nothing was yet."""
    return (memory.verdict, memory.since) if memory.told is None else (memory.told, memory.told_since)


def _explained(
    basis: Decision,
    explanation: Explanation,
    verdict: Verdict,
    since: datetime,
    *,
    until: datetime,
    retry_at: datetime | None,
) -> Decision:
    """Return the basis with another explanation and other times; it is not explained before somebody looks."""
    return Decision.explained_by(
        explanation,
        verdict=verdict,
        at=basis.at,
        since=since,
        mode=basis.mode,
        data_as_of=basis.data_as_of,
        valid_until=until,
        retry_at=retry_at,
        next_review_at=until if basis.next_review_at is None else min(until, basis.next_review_at),
    )
