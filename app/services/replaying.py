"""Decisions made again from what was kept of them, to show that the same code says the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.core.gate.answer import Request, answer
from app.core.gate.decision import Decision, Verdict
from app.core.gate.foresight import Foresight
from app.core.gate.overlay import lay_over
from app.core.gate.policy import Policy, PolicyRefused
from app.ports.decisions import DecisionRow, KeptInputs
from app.services.answering import Looked
from app.services.inputs import Facts, basis_of, foresight_of, is_whole, policy_of, read_facts
from app.services.published import GateState
from app.services.reply import allowed, summary_for
from app.services.shapes import check_shape, reason_shape, summary

# These are about the sender's own permit, wave or pace; no gate decided them.
_NOT_DECIDED = frozenset({"permit_paused", "campaign_no_open_wave", "client_rate"})


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a decision comes out as when it is made again. differs names what does not come out as it was written.

    checks: how every rule stands on every queue when it is.
    """

    state: Verdict
    allow: int | None
    reasons: Sequence[Mapping[str, object]]
    summary: str
    checks: Sequence[Mapping[str, object]]
    differs: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether everything comes out as it was written."""
        return not self.differs


class NotReplayable(Exception):
    """A decision cannot be made again; the message says why."""


def replay(row: DecisionRow) -> Replayed:
    """Make a logged decision again and compare. Raises NotReplayable when what that needs is not there."""
    if row.kept is None or row.facts is None:
        raise NotReplayable("it was written before its inputs were kept")
    if row.reasons and row.reasons[0]["code"] in _NOT_DECIDED:
        raise NotReplayable(f"no gate decided it: {row.summary}")
    try:
        again = _again(row, row.kept, read_facts(row.facts))
    except PolicyRefused as fault:
        raise NotReplayable(f"this version does not understand its policy any more: {fault}") from fault
    except ValueError as fault:
        raise NotReplayable(f"what was kept of it cannot be read: {fault}") from fault
    return _compared(again, row)


def _again(row: DecisionRow, kept: KeptInputs, facts: Facts) -> Replayed:
    policy = policy_of(kept)
    basis = basis_of(kept, policy, facts.decided_at)
    if row.kind == "transition":
        return _changed(policy, basis, facts)
    return _answered(row, policy, basis, facts, foresight_of(kept))


def _changed(policy: Policy | None, basis: Decision, facts: Facts) -> Replayed:
    decision = lay_over(basis, policy, facts.overrides, facts.at or basis.at)
    return Replayed(decision.verdict, None, _shapes(decision.reasons), summary(decision), _checks(basis))


def _answered(
    row: DecisionRow, policy: Policy | None, basis: Decision, facts: Facts, foresight: Foresight | None
) -> Replayed:
    at = facts.at or row.at
    request = Request(row.requested, row.accept_partial, row.campaign, facts.campaign)
    answered = answer(
        basis,
        policy,
        request,
        gate=row.gate,
        overrides=facts.overrides,
        spent=facts.spent,
        now=at,
        foresight=foresight,
    )
    state = GateState(row.gate, policy, row.policy_version, basis, basis, facts.overrides, facts.spent)
    looked = Looked(state, request, answered, at, facts.spent)
    return Replayed(answered.verdict, allowed(looked), _shapes(answered.reasons), summary_for(looked), _checks(basis))


def _compared(again: Replayed, row: DecisionRow) -> Replayed:
    written = {"state": row.verdict, "allow": row.allow, "reasons": list(row.reasons), "summary": row.summary}
    differs = [name for name, value in written.items() if getattr(again, name) != value]
    if row.kept is not None and not is_whole(row.kept):
        differs.append("inputs")
    return replace(again, differs=tuple(differs))


def replay_shape(replayed: Replayed) -> dict[str, Any]:
    """Return, JSON-ready, what a decision came out as."""
    return {
        "same": replayed.same,
        "state": replayed.state,
        "allow": replayed.allow,
        "summary": replayed.summary,
        "reasons": replayed.reasons,
        "differs": replayed.differs,
    }


def _checks(basis: Decision) -> list[dict[str, Any]]:
    return [check_shape(check) for check in basis.checks]


def _shapes(reasons: Sequence[Any]) -> list[dict[str, Any]]:
    return [reason_shape(reason) for reason in reasons]
