"""How a gate stands for who asks now: what was published last, or unknown where that must not be relied on any more."""

from dataclasses import replace
from datetime import datetime, timedelta

from app.core.gate.decision import Decision, Reason, ReasonCode, Verdict
from app.core.gate.overlay import lay_over
from app.core.gate.override import Effect, OverrideState
from app.core.gate.policy import Mode
from app.services.published import GateState, Published

LATE_SECONDS = 5.0
RETRY = timedelta(seconds=15)
GO = frozenset({Verdict.SEND, Verdict.THROTTLE})


def is_late(published: Published, monotonic_seconds: float) -> bool:
    """Return whether nobody can answer from the last evaluation.

    So it is when that is more than 5 s of wall time old, and when what it was made from may have changed elsewhere.
    """
    is_old = monotonic_seconds - published.monotonic_seconds > LATE_SECONDS
    return is_old or monotonic_seconds >= published.confirmed_until_seconds


def standing(published: Published, gate: str, now: datetime, monotonic_seconds: float) -> GateState | None:
    """Return a gate's state, None for a gate that is not there.

    Every gate is unknown before the first evaluation and when the last one is late; one that said go, or that an
    override lets go, is unknown from its own decision's valid_until on, even between two evaluations.
    """
    if published.seq == 0:
        starting = _unknown(ReasonCode.DATA_STARTING, "holdfire is starting; nothing is evaluated yet", now)
        return GateState(gate, None, 0, starting, starting)
    state = published.gates.get(gate)
    if state is None:
        return None
    former = state.decision
    if not is_late(published, monotonic_seconds) and (now < state.basis.valid_until or not _needs_data(state, now)):
        if former.verdict in GO and now >= former.valid_until:  # an override began or ended since
            return state._replace(decision=lay_over(state.basis, state.policy, state.overrides, now))
        return state
    if monotonic_seconds >= published.confirmed_until_seconds:
        message = "the database has not answered for a while; policies or overrides may have changed since"
    else:
        message = f"the last evaluation is of {published.at:%H:%M:%S} UTC, too old to rely on"
    late = _unknown(ReasonCode.DATA_EVALUATION_LATE, message, now)
    unsure = replace(late, checks=former.checks, mode=former.mode, data_as_of=former.data_as_of, since=published.at)
    return state._replace(decision=unsure, basis=unsure, inputs=None)


def _needs_data(state: GateState, now: datetime) -> bool:
    """Tell whether a go could stand on this gate's data: its own go, or one that an override makes of its hold."""
    allowing = (each for each in state.overrides if each.effect is Effect.ALLOW)
    return state.basis.verdict in GO or any(each.state(now) is OverrideState.ACTIVE for each in allowing)


def _unknown(code: ReasonCode, message: str, now: datetime) -> Decision:
    reasons = (Reason(code, message, binding=True),)
    return Decision(Verdict.UNKNOWN, now, now, reasons, (), Mode.ENFORCE, None, now, now + RETRY, None)
