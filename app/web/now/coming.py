"""When it will go, in one line: what must happen first, and from when the outlook expects room. Pure."""

from collections.abc import Sequence

from app.core.floor.metric import DEFINITIONS
from app.core.gate.ask import Answered
from app.core.gate.decision import Check, CheckStatus, Decision, Reason, ReasonCode, Verdict
from app.core.gate.foresight import Portion
from app.core.gate.override import Effect, OverrideState
from app.core.gate.rule import Rule
from app.services.published import GateState
from app.web.format import duration, measure, number
from app.web.now.checks import FINE, OPS
from app.web.outlook.view import Sending
from app.web.outlook.words import Reader

WAITS = {
    ReasonCode.DATA_NO_POLICY: "Nothing goes before the gate has a policy.",
    ReasonCode.DATA_NO_QUEUES: "Nothing goes before a queue of this gate reports.",
    ReasonCode.DATA_STARTING: "holdfire is starting: nothing goes for a moment.",
    ReasonCode.DATA_EVALUATION_LATE: "Nothing goes until holdfire evaluates again.",
    ReasonCode.DATA_OUTLOOK_MISSING: "Nothing goes until there is an outlook.",
    ReasonCode.DATA_OUTLOOK_STALE: "Nothing goes until there is a new outlook.",
}
NAMED = 2  # rules that a line can name
# Why no more may go while so many are on their way: that changes by itself.
AT_ONCE = frozenset({ReasonCode.CAMPAIGN_PROBING, ReasonCode.HEADROOM_SPENT, ReasonCode.CAMPAIGN_AUDIENCE_SPENT})
BLIND = "Nothing goes until the missing data is back; then by what it says."


def coming(state: GateState, sending: Sending, answered: Answered, reader: Reader, *, out: int = 0) -> str:
    """Return in a line when a gate's next send may go, or how much may go now.

    sending: whose turn it is next. answered: what the gate would tell its tool, asked for all that is left of it. out:
    how many of it are on their way under live permits.
    """
    match state.decision.verdict:
        case Verdict.SEND | Verdict.THROTTLE:
            return _going(state, sending, answered, reader, out)
        case Verdict.UNKNOWN:
            return _waits(state.decision.reasons)
        case Verdict.HOLD:
            return f"{_must(state, reader)}{_safe_from(state, sending, reader)}."


def _waits(reasons: Sequence[Reason]) -> str:
    return WAITS.get(reasons[0].code, BLIND) if reasons else BLIND


# --- held ---


def _must(state: GateState, reader: Reader) -> str:
    """Return what ends a hold, as far as that can be known."""
    decision = state.decision
    first = next((reason for reason in decision.reasons if reason.binding), None)
    if first is not None and first.code is ReasonCode.OVERRIDE_HOLD:
        ends = [each.ends_at for each in state.overrides if _holds(each.state(reader.now), each.effect)]
        return f"Held by hand until {reader.minute(max(ends))}, or until somebody ends it" if ends else "Held by hand"
    if first is not None and first.code is ReasonCode.OUTSIDE_SEND_WINDOW and decision.retry_at is not None:
        return f"Goes from {reader.minute(decision.retry_at)} at the earliest, when the next send window opens"
    if first is not None and first.code.startswith("predicted_"):
        return "Goes once two outlooks in a row expect no limit to break"
    return _by_rules(state, decision, reader)


def _holds(standing: OverrideState, effect: Effect) -> bool:
    return standing is OverrideState.ACTIVE and effect is Effect.HOLD


def _by_rules(state: GateState, decision: Decision, reader: Reader) -> str:
    standing = [check for check in decision.checks if check.status not in FINE and check.metric is not None]
    ends = [check.clears_at for check in standing if check.clears_at is not None]
    if ends and all(check.status in {CheckStatus.RECOVERING, CheckStatus.PENDING} for check in standing):
        return f"Within limits again: goes at about {reader.minute(max(ends))} if it stays so"
    holding = [check for check in standing if check.status is CheckStatus.HOLDING]
    if not holding:
        return "Goes as soon as every rule passes"
    holding.sort(key=lambda check: not _is_first(check, decision))
    rules = state.policy.rules if state.policy else ()
    named = " and ".join(_resumes(check, rules, reader) for check in holding[:NAMED])
    more = len(holding) - NAMED
    others = f", and {more} more {'rule passes' if more == 1 else 'rules pass'}" if more > 0 else ""
    return f"Goes once {named}{others}"


def _is_first(check: Check, decision: Decision) -> bool:
    return any(each.binding and (each.metric, each.queue) == (check.metric, check.queue) for each in decision.reasons)


def _resumes(check: Check, rules: Sequence[Rule], reader: Reader) -> str:
    """Return what a rule wants before it lets go: `backlog of Orders is at most 5 for 5 min`."""
    queue = f" of {reader.title(check.queue)}" if check.queue else ""
    bound = f"{OPS.get(check.op or '', '')} {measure(check.resume_limit, check.unit)}"
    same = (rule for rule in rules if (rule.metric, rule.hold_limit) == (check.metric, check.limit))
    lasts = next((rule.resume_for_seconds for rule in same), 0.0)
    word = DEFINITIONS[check.metric].title.lower() if check.metric else ""
    return f"{word}{queue} is {bound}{f' for {duration(lasts)}' if lasts else ''}"


def _safe_from(state: GateState, sending: Sending, reader: Reader) -> str:
    """Return from when on the outlook expects room; empty where it is not known, or too old to be relied on."""
    portion = _next_portion(state, sending, reader)
    return f"; safe from about {reader.minute(portion.starts_at)} for {number(portion.audience)}" if portion else ""


def _next_portion(state: GateState, sending: Sending, reader: Reader) -> Portion | None:
    foresight = state.foresight
    if foresight is None or foresight.unknown or reader.now >= foresight.stale_at:
        return None
    room = foresight.room(sending.id)
    portions = room.next_portions if room else ()
    return next((portion for portion in portions if portion.starts_at > reader.now), None)


# --- open ---


def _going(state: GateState, sending: Sending, answered: Answered, reader: Reader, out: int) -> str:
    """Return what of the next sender's mail may go now, exactly as its tool would be told."""
    what = "A send" if sending.left is None else sending.title
    later = _next_portion(state, sending, reader)
    more = f"; {number(later.audience)} more from about {reader.minute(later.starts_at)}" if later else ""
    match answered.verdict:
        case Verdict.SEND if sending.left is None:
            allowed = (
                "may begin now" if answered.allow is None else f"of up to {number(answered.allow)} may go now{more}"
            )
            return f"{what} {allowed}."
        case Verdict.SEND:
            return f"{what}: all {number(sending.left)} that are left may go now."
        case Verdict.THROTTLE:
            return f"{what}: {number(answered.allow)} of {number(sending.left)} may go now{more}."
        case Verdict.HOLD if out and answered.reasons and answered.reasons[0].code in AT_ONCE:
            return f"{what}: {number(out)} are on their way; more may go when they are out{more}."
        case Verdict.HOLD | Verdict.UNKNOWN:
            why = answered.reasons[0].message if answered.reasons else "it may not go now"
            return f"{what} waits: {why}{more}."
