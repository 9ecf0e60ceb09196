"""What decisions were made from: kept as a text under its digest, and read again to make the same decision.

Many asks in one evaluation, and many evaluations of a quiet floor, share one text; what belongs to one ask alone is
kept beside its row as `facts`.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from app.core.floor.view import FloorView
from app.core.gate.ask import CampaignFacts, Request
from app.core.gate.decision import Decision, GateMemory, Reason, Verdict
from app.core.gate.foresight import Foresight
from app.core.gate.override import Override
from app.core.gate.policy import Mode, Policy, parse_policy
from app.core.gate.replay import Inputs, capture, decide_again
from app.core.permit.permit import NOTHING_SPENT, Spent
from app.ports.decisions import KeptInputs
from app.services.published import GateState


class Facts(msgspec.Struct, omit_defaults=True):
    """What belongs to one decision alone. decided_at: when the gate decided; at: when the ask was answered.

    overrides: those that applied.
    """

    decided_at: datetime
    at: datetime | None = None
    spent: Spent = NOTHING_SPENT
    campaign: CampaignFacts | None = None
    overrides: tuple[Override, ...] = ()


class _Given(msgspec.Struct):
    """A decision that rests on no evaluation: holdfire was starting, or the last evaluation was too old."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    mode: Mode


class _Text(msgspec.Struct, omit_defaults=True):
    """What is kept: inputs, or else a decision as given."""

    policy: str | None = None
    inputs: Inputs | None = None
    given: _Given | None = None


_texts = msgspec.json.Decoder(_Text)
_documents = msgspec.json.Decoder(dict[str, Any])


class GateInputs:
    """What one decision of a gate was made from; put into a text when somebody first needs it."""

    __slots__ = ("_foresight", "_is_new_policy", "_kept", "_memory", "_policy", "_view")

    def __init__(
        self,
        view: FloorView,
        policy: Policy | None,
        memory: GateMemory,
        *,
        is_new_policy: bool,
        foresight: Foresight | None = None,
    ) -> None:
        self._view, self._policy, self._memory, self._is_new_policy = view, policy, memory, is_new_policy
        self._foresight = foresight
        self._kept: KeptInputs | None = None

    def kept(self) -> KeptInputs:
        """Return the text; the same each time, and from any thread."""
        if self._kept is None:
            inputs = capture(
                self._view, self._policy, self._memory, is_new_policy=self._is_new_policy, foresight=self._foresight
            )
            self._kept = _keep(_Text(inputs=inputs), self._policy)
        return self._kept


def kept_of(state: GateState) -> KeptInputs:
    """Return what a gate's basis was made from; the basis itself where nothing was evaluated for it."""
    if state.inputs is not None:
        return state.inputs.kept()
    basis = state.basis
    given = _Given(basis.verdict, basis.reasons, Mode(basis.mode))
    return _keep(_Text(given=given), state.policy)


def facts_of(
    state: GateState, at: datetime, request: Request | None = None, spent: Spent = NOTHING_SPENT
) -> Mapping[str, object]:
    """Return, JSON-ready, what a decision was made from besides its gate's inputs.

    at: when it was made. request None: the gate's own change, which only overrides for all asks have to do with.
    """
    labels = request.labels if request else {}
    overrides = tuple(
        each for each in state.overrides if each.applies(labels, at) and (request is not None or not each.matchers)
    )
    campaign = request.facts if request else None
    plain: Mapping[str, object] = _without_none(
        msgspec.to_builtins(Facts(state.basis.at, at, spent, campaign, overrides))
    )
    return plain


def read_facts(facts: Mapping[str, object]) -> Facts:
    """Return the facts that facts_of was given. Raises ValueError for any others."""
    return msgspec.convert(facts, Facts)


def policy_of(kept: KeptInputs) -> Policy | None:
    """Return the policy that belongs to kept inputs. Raises PolicyRefused when this version understands it no more."""
    return None if kept.policy is None else parse_policy(_documents.decode(kept.policy.body))


def basis_of(kept: KeptInputs, policy: Policy | None, decided_at: datetime) -> Decision:
    """Return the gate's decision, made again from what was kept. Raises ValueError for a text that is not ours."""
    text = _texts.decode(kept.body)
    if text.inputs is not None:
        return decide_again(text.inputs, policy, decided_at)
    if (given := text.given) is None:
        raise ValueError("neither inputs nor a decision were kept")
    return Decision(given.verdict, decided_at, decided_at, given.reasons, (), given.mode, None, decided_at, None, None)


def foresight_of(kept: KeptInputs) -> Foresight | None:
    """Return the outlook that a kept decision was made with, None without one."""
    inputs = _texts.decode(kept.body).inputs
    return inputs.foresight if inputs is not None else None


def is_whole(kept: KeptInputs) -> bool:
    """Return whether what was kept, its policy included, still has the digests it was kept under."""
    own = sha256(kept.body).digest() == kept.sha256
    named = _texts.decode(kept.body).policy if own else None
    if kept.policy is None:
        return own and named is None
    return own and kept.policy.sha256.hex() == named and sha256(kept.policy.body).digest() == kept.policy.sha256


def _keep(text: _Text, policy: Policy | None) -> KeptInputs:
    document = None if policy is None else _kept(msgspec.json.encode(policy.document))
    text.policy = document.sha256.hex() if document else None
    return _kept(msgspec.json.encode(text), document)


def _kept(body: bytes, policy: KeptInputs | None = None) -> KeptInputs:
    return KeptInputs(sha256(body).digest(), body, policy)


def _without_none(value: Any) -> Any:
    """Leave out what is None in objects, at any depth: reading gives it back."""
    if isinstance(value, dict):
        return {name: _without_none(part) for name, part in value.items() if part is not None}
    return [_without_none(part) for part in value] if isinstance(value, list | tuple) else value
