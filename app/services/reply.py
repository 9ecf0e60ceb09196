"""An answer as HTTP gives it: status, headers and body; the same for readiness, permits and a campaign's gate."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from app.core.client_profile import PLAIN, ClientProfile, RetryUnit
from app.core.gate.decision import Verdict
from app.core.gate.override import Override, next_edge
from app.services.answering import Looked
from app.services.shapes import Shape, instant, only_watches, reason_shape, summary_of, wire_decision

OK = 200
# What an answer that names no time of its own is good for: data may be back with the next report of a source.
RETRY_SECONDS = 15.0
QUOTA = ("https://iana.org/assignments/http-problem-types#quota-exceeded", "It may not go now")
REDUCED = ("https://iana.org/assignments/http-problem-types#temporary-reduced-capacity", "It cannot be known now")

Headers = list[tuple[bytes, bytes]]


class Reply(NamedTuple):
    """A finished answer: HTTP status, the headers that belong to it, and the JSON body."""

    status: int
    headers: Headers
    body: bytes


def status_of(looked: Looked, profile: ClientProfile = PLAIN) -> int:
    """Return the HTTP status: 200 when what was asked may go (or the gate only watches), else as the profile says."""
    verdict = looked.answered.verdict
    if is_go(looked):
        return OK
    return profile.unknown_status if verdict is Verdict.UNKNOWN else profile.hold_status


def is_go(looked: Looked) -> bool:
    """Tell whether what was asked may go: `proceed` in the body, whatever the status is."""
    verdict = looked.answered.verdict
    if _watches(looked) or verdict is Verdict.SEND:
        return True
    return verdict is Verdict.THROTTLE and looked.request.accept_partial


def allowed(looked: Looked) -> int | None:
    """Return how many may go: all that were asked about where the gate only watches; None: no limit."""
    return looked.request.audience if _watches(looked) else looked.answered.allow


def _watches(looked: Looked) -> bool:
    return only_watches(looked.state.decision.mode, looked.answered.reasons)


def summary_for(looked: Looked) -> str:
    """Return in one line what the asker is told and why."""
    answered, audience = looked.answered, looked.request.audience
    text = summary_of(answered.verdict, answered.reasons, looked.state.basis.queues_looked_at)
    if answered.verdict is Verdict.THROTTLE:
        return f"{answered.allow:,} of {audience:,} now: {text}"
    return text


def go_until(looked: Looked) -> datetime:
    """Return the instant from which a go must not be given any more.

    The floor may differ then, an override begin or end, or the campaign's deadline come.
    """
    facts = looked.request.facts
    deadline = facts.give_up_at if facts is not None else None
    ends = next_edge(looked.state.overrides, looked.at), deadline
    return min((looked.state.basis.valid_until, *(at for at in ends if at is not None and at > looked.at)))


def reply(
    looked: Looked,
    decision_id: str,
    wall_seconds: Callable[[float], float],
    *,
    profile: ClientProfile = PLAIN,
    members: Mapping[str, object] | None = None,
    max_age_seconds: int = 0,
) -> Reply:
    """Return an answer in the words of the outside contract.

    looked: from Answering.look. decision_id: of the row that logs it. wall_seconds: the clock's, because Retry-After
    counts seconds of the caller's life. members: more of them for the body (a permit's), after `decision_id`; one of
    the same name replaces ours. max_age_seconds: how long the caller may keep it; 0: not at all.
    """
    status, retry_at = status_of(looked, profile), None if is_go(looked) else _retry_at(looked)
    wait = None if retry_at is None else wall_seconds((retry_at - looked.at).total_seconds())
    body = _body(looked, decision_id) | _again(retry_at, wait) | dict(members or {})
    headers: Headers = [
        (b"cache-control", b"private, max-age=%d" % max_age_seconds if max_age_seconds else b"no-store"),
        (b"holdfire-decision", str(body["decision"]).encode()),
        (b"holdfire-decision-id", decision_id.encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    if status == OK:
        headers.append((b"content-type", b"application/json"))
    else:
        body |= _problem(looked.answered.verdict, status, str(body["summary"]), decision_id)
        headers.append((b"content-type", b"application/problem+json"))
    if wait is not None:
        headers.append((b"retry-after", retry_after(wait, profile)))
    return finished(status, headers, body)


def finished(status: int, headers: Headers, body: Shape) -> Reply:
    """Return a reply of a body, its length among the headers."""
    encoded = msgspec.json.encode(body)
    return Reply(status, [*headers, (b"content-length", b"%d" % len(encoded))], encoded)


def retry_after(wall_seconds: float, profile: ClientProfile) -> bytes:
    """Return the value of Retry-After: whole seconds, at least 1, or as many milliseconds for who reads those."""
    seconds = whole_seconds(wall_seconds)
    return b"%d" % (seconds * 1000 if profile.retry_after_unit is RetryUnit.MILLISECONDS else seconds)


def whole_seconds(wall_seconds: float) -> int:
    """Return a time to wait in whole seconds, never too short, at least 1."""
    return max(1, math.ceil(wall_seconds))


def override_shape(override: Override | None) -> Shape | None:
    """Return the override that took part in an answer as the answer shows it."""
    if override is None:
        return None
    return {
        "id": override.id,
        "effect": override.effect,
        "created_by": override.created_by,
        "comment": override.comment,
        "ends_at": instant(override.ends_at),
    }


def _retry_at(looked: Looked) -> datetime:
    """Return the instant to name as worth asking again, to a whole second, not before the next one."""
    at = looked.answered.retry_at or looked.at + timedelta(seconds=RETRY_SECONDS)
    return looked.at + timedelta(seconds=max(1, math.ceil((at - looked.at).total_seconds())))


def _again(retry_at: datetime | None, wait: float | None) -> Shape:
    return {
        "retry_after_seconds": None if wait is None else whole_seconds(wait),
        "retry_at": instant(retry_at),
    }


def _body(looked: Looked, decision_id: str) -> Shape:
    state, request, answered, decision = looked.state, looked.request, looked.answered, looked.state.basis
    shadow = only_watches(decision.mode, answered.reasons)
    word = wire_decision(answered.verdict, shadow=shadow)
    as_of = decision.data_as_of
    return {
        "decision": word,
        "proceed": is_go(looked),
        "branchResult": word,
        "allow": allowed(looked),
        "requested": request.audience,
        "retry_after_seconds": None,
        "retry_at": None,
        "gate": state.gate,
        "campaign": request.campaign,
        "decision_id": decision_id,
        "mode": decision.mode,
        "state": answered.verdict,
        "would_decide": wire_decision(answered.verdict, shadow=False) if shadow else None,
        "policy_version": state.policy_version,
        "since": instant(state.decision.since),
        "evaluated_at": instant(decision.at),
        "valid_until": instant(go_until(looked)),
        "data_as_of": instant(as_of),
        "data_age_seconds": None if as_of is None else round(max(0.0, (looked.at - as_of).total_seconds()), 3),
        "summary": summary_for(looked),
        "reasons": [reason_shape(reason) for reason in answered.reasons],
        "override": override_shape(answered.override),
        "next_window": _next_window(looked),
    }


def _next_window(looked: Looked) -> Shape | None:
    """Return when more may go, and how much, as the outlook has it; None where that is not known or not needed."""
    state, answered = looked.state, looked.answered
    if answered.verdict in (Verdict.SEND, Verdict.UNKNOWN) or state.foresight is None:
        return None
    room = state.foresight.room(looked.request.facts.id if looked.request.facts else None)
    coming = [portion for portion in room.next_portions if portion.starts_at > looked.at] if room else []
    return {"starts_at": instant(coming[0].starts_at), "allow": coming[0].audience} if coming else None


def _problem(verdict: Verdict, status: int, detail: str, decision_id: str) -> Shape:
    kind, title = REDUCED if verdict is Verdict.UNKNOWN else QUOTA
    instance = f"/api/v1/decisions/{decision_id}"
    return {"type": kind, "title": title, "status": status, "detail": detail, "instance": instance}
