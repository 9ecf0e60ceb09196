"""The JSON-ready shapes of the core's values: one place, so that API, live socket, log and page say the same.

Instants are RFC 3339 UTC strings; None stays null, which means "not known", never zero.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.targets import QueueTargets
from app.core.floor.view import FloorView, Reading
from app.core.gate.decision import Check, Decision, Reason, ReasonCode, Verdict
from app.core.gate.policy import Mode
from app.services.published import GateState

Shape = dict[str, Any]

# Shadow mode tries a policy out. What somebody has paused, cancelled or held is no part of that trial.
STOPPED_BY_HAND = frozenset({ReasonCode.OVERRIDE_HOLD, ReasonCode.CAMPAIGN_PAUSED, ReasonCode.CAMPAIGN_ENDED})


def instant(at: datetime | None) -> str | None:
    """Return an instant as RFC 3339 UTC, to the millisecond; None for None."""
    if at is None:
        return None
    text = at.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00").removesuffix(".000") + "Z"


def reason_shape(reason: Reason) -> Shape:
    """Return a reason as the contract shows it."""
    return {
        "code": reason.code,
        "metric": reason.metric,
        "queue": reason.queue,
        "observed": reason.observed,
        "op": reason.op,
        "limit": reason.limit,
        "unit": reason.unit,
        "window_seconds": reason.window_seconds,
        "as_of": instant(reason.as_of),
        "since": instant(reason.since),
        "binding": reason.binding,
        "message": reason.message,
    }


def check_shape(check: Check) -> Shape:
    """Return how one rule stands on one queue: a row of the why-panel."""
    return {
        "metric": check.metric,
        "title": DEFINITIONS[check.metric].title if check.metric else None,
        "queue": check.queue,
        "status": check.status,
        "value": check.value,
        "op": check.op,
        "limit": check.limit,
        "resume_limit": check.resume_limit,
        "margin": check.margin,
        "unit": check.unit,
        "window_seconds": check.window_seconds,
        "samples": check.samples,
        "as_of": instant(check.as_of),
        "since": instant(check.since),
        "clears_at": instant(check.clears_at),
        "detail": check.detail,
    }


def summary(decision: Decision) -> str:
    """Return in one line what the gate says and why."""
    return summary_of(decision.verdict, decision.reasons, decision.queues_looked_at)


def summary_of(verdict: Verdict, reasons: Sequence[Reason], queues: Callable[[], int]) -> str:
    """Return in one line a verdict with its reasons; a send needs none, and tells how many queues were looked at."""
    if not reasons:
        return f"Clear to send: {_count(queues(), 'queue')} within limits."
    if verdict in (Verdict.SEND, Verdict.THROTTLE):
        return reasons[0].message
    others = len(reasons) - 1
    more = f" (and {_count(others, 'more reason')})" if others else ""
    return f"{reasons[0].message}{more}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def decision_shape(state: GateState, now: datetime) -> Shape:
    """Return a gate's present decision, without what depends on who asks (audience, permits)."""
    decision = state.decision
    shadow = only_watches(decision.mode, decision.reasons)
    age = None if decision.data_as_of is None else max(0.0, (now - decision.data_as_of).total_seconds())
    return {
        "gate": state.gate,
        "state": decision.verdict,
        "decision": wire_decision(decision.verdict, shadow=shadow),
        "proceed": shadow or decision.verdict is Verdict.SEND,
        "would_decide": wire_decision(decision.verdict, shadow=False) if shadow else None,
        "mode": decision.mode,
        "policy_version": state.policy_version,
        "since": instant(decision.since),
        "evaluated_at": instant(decision.at),
        "valid_until": instant(decision.valid_until),
        "next_review_at": instant(decision.next_review_at),
        "retry_at": instant(decision.retry_at),
        "data_as_of": instant(decision.data_as_of),
        "data_age_seconds": None if age is None else round(age, 3),
        "summary": summary(decision),
        "reasons": [reason_shape(reason) for reason in decision.reasons],
    }


def only_watches(mode: str, reasons: Sequence[Reason]) -> bool:
    """Tell whether a gate lets go what it would hold: in shadow mode all but what a person has stopped by hand."""
    return mode == Mode.SHADOW and not (reasons and reasons[0].code in STOPPED_BY_HAND)


def wire_decision(verdict: Verdict, *, shadow: bool) -> Verdict:
    """Return the word callers see: unknown reads hold; a gate that only watches holds nobody."""
    if shadow:
        return Verdict.SEND
    return Verdict.HOLD if verdict is Verdict.UNKNOWN else verdict


def reading_shape(reading: Reading, now: datetime) -> Shape:
    """Return one value of one metric with its provenance and age."""
    return {
        "metric": reading.metric,
        "value": reading.value,
        "unit": reading.unit,
        "window_seconds": reading.window_seconds,
        "source": reading.source,
        "observed_at": instant(reading.observed_at),
        "age_seconds": round(reading.age_seconds(now), 3),
        "samples": reading.samples,
        "definition": reading.definition,
    }


def queue_shape(view: FloorView, queue: str, targets: Mapping[str, QueueTargets]) -> Shape:
    """Return everything known of one queue: its own settings, and every metric any source has reported."""
    own = targets.get(queue, QueueTargets())
    readings = (view.reading(queue, metric) for metric in Metric)
    return {
        "queue": queue,
        "title": own.title or queue,
        "last_heard_at": instant(view.last_heard_at(queue)),
        "service_level_seconds": own.service_level_seconds,
        "service_level_variant": own.service_level_variant,
        "metrics": {reading.metric: reading_shape(reading, view.at) for reading in readings if reading is not None},
    }
