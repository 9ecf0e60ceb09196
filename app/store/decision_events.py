"""The events of the decision log: what a gate changed to, and what somebody was told. Pure."""

import hashlib
import json
from typing import Any

from app.core.event import HOLDFIRE, Actor, Event, EventType
from app.core.floor.instants import micros
from app.core.gate.decision import ReasonCode, Verdict
from app.ports.decisions import DecisionRow

_LOST = frozenset({ReasonCode.DATA_STALE, ReasonCode.DATA_MISSING})
_CHANGED = {
    Verdict.SEND: EventType.DECISION_SEND,
    Verdict.THROTTLE: EventType.DECISION_THROTTLE,
    Verdict.HOLD: EventType.DECISION_HOLD,
    Verdict.UNKNOWN: EventType.DECISION_UNKNOWN,
}
# What never changes once a row is written; count and last_at do.
_LASTING = (
    *("id", "kind", "gate", "verdict", "policy_version", "summary", "reasons", "before", "asked_by", "campaign"),
    *("requested", "accept_partial", "allow", "status", "override_id", "facts"),
)


def transition_events(row: DecisionRow, former: DecisionRow | None) -> list[Event]:
    """Return the events of a gate's change: the change itself, and whether data was lost or is back.

    former: the gate's change before this one, None when it is the first.
    """
    kind, before = _CHANGED[Verdict(row.verdict)], {"state": row.before}
    events = [Event(kind, row.at, HOLDFIRE, f"gate/{row.gate}", row.summary, row.gate, None, before, _told(row))]
    was_lost, is_lost = former is not None and _has_lost(former), _has_lost(row)
    if was_lost is not is_lost:
        feed = EventType.FEED_STALE if is_lost else EventType.FEED_RECOVERED
        lost = [reason for reason in (row if is_lost else former or row).reasons if reason["code"] in _LOST]
        after = {"decision_id": row.id, "state": row.verdict, "reasons": lost}
        events.append(Event(feed, row.at, HOLDFIRE, f"gate/{row.gate}", row.summary, row.gate, after=after))
    return events


def asked_event(row: DecisionRow, name: str) -> Event:
    """Return the event of an answer's row. name: of the key that asked."""
    actor = Actor(row.asked_by or HOLDFIRE.id, name)
    asked = {"requested": row.requested, "accept_partial": row.accept_partial}
    answered = {"status": row.status, "allow": row.allow}
    subject = f"decision/{row.id}"
    after = asked | answered | _told(row)
    return Event(EventType.DECISION_ASKED, row.at, actor, subject, row.summary, row.gate, row.campaign, after=after)


def lasting_sha256(row: DecisionRow) -> str:
    """Return the SHA-256 of all that never changes of a row, its inputs by their own digest."""
    lasting = {name: getattr(row, name) for name in _LASTING} | {"at": micros(row.at), "inputs": _inputs(row)}
    return hashlib.sha256(_canonical(lasting)).hexdigest()


def _told(row: DecisionRow) -> dict[str, object]:
    """Return what an event keeps of a decision. sha256 ties the whole row to it."""
    return {
        "decision_id": row.id,
        "state": row.verdict,
        "policy_version": row.policy_version,
        "reasons": [reason["code"] for reason in row.reasons],
        "inputs_sha256": row.kept.sha256.hex() if row.kept else None,
        "sha256": lasting_sha256(row),
    }


def _inputs(row: DecisionRow) -> object:
    return row.kept.sha256.hex() if row.kept else row.inputs


def _has_lost(row: DecisionRow) -> bool:
    """Tell whether a gate stands without data that it had; one that is new never had any."""
    return row.before is not None and any(reason["code"] in _LOST for reason in row.reasons)


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=list).encode()
