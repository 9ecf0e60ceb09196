"""How much of an audience may go now, given what the gate says."""

from typing import assert_never

from app.core.gate.decision import Decision, Verdict
from app.core.gate.policy import Policy


def allow(decision: Decision, policy: Policy | None, audience: int | None) -> tuple[Verdict, int | None]:
    """Return the verdict for this audience, and how many messages may go now.

    audience: how many people the send would reach, 0 or more; None when the caller names none. The number is 0 for
    hold and unknown. Else it is the audience, or the policy's max_audience_per_wave where that is less: then the
    verdict is throttle. With audience None it is that cap, None when there is none. Raises ValueError when
    audience is negative.
    """
    if audience is not None and audience < 0:
        raise ValueError(f"audience must be 0 or more, not {audience}")
    match decision.verdict:
        case Verdict.HOLD | Verdict.UNKNOWN:
            return decision.verdict, 0
        case Verdict.SEND | Verdict.THROTTLE:
            return _capped(decision.verdict, policy.max_audience_per_wave if policy else None, audience)
        case _:
            assert_never(decision.verdict)


def _capped(verdict: Verdict, cap: int | None, audience: int | None) -> tuple[Verdict, int | None]:
    if audience is None or cap is None:
        return verdict, cap if audience is None else audience
    return (Verdict.THROTTLE, cap) if audience > cap else (verdict, audience)
