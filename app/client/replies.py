"""What a reply means.

A go is believed only where everything fits: the status, the body, the header that repeats the decision, and the
question as the body repeats it. What does not fit raises Unanswered. So a proxy's page, a cache's old answer, or an
answer to somebody else's question is never a go. What plainly says hold is one, whoever says it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, NamedTuple

from app.client.answers import Answer, Permit, PermitAnswer, Unanswered
from app.core.gate.decision import Verdict
from app.core.permit.permit import PermitState

# A key may have its holds answered with any of these (its client profile); a go comes with 200 only.
ANSWERS = frozenset({HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
LONGEST_SECONDS = 10**9
OLDEST_SECONDS = 5  # the longest that an answer may have been in a cache: what a campaign's gate allows

Body = Mapping[str, Any]


class Reply(NamedTuple):
    """What came back: status, headers by lower-case name, and the whole body."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Question(NamedTuple):
    """What was asked, as far as the answer has to repeat it. None: it was not said."""

    gate: str | None = None
    campaign: str | None = None
    audience: int | None = None
    accept_partial: bool = False


def read_answer(question: Question, reply: Reply) -> Answer:
    """Return the answer to a question. Raises Unanswered."""
    return Answer(**_members(question, reply))


def read_permit_answer(question: Question, reply: Reply, *, reserves: bool) -> PermitAnswer:
    """Return the answer to an ask for a permit; a go has to bring one if it reserves. Raises Unanswered."""
    members = _members(question, reply)
    body, granted = members["body"], members["proceed"] and reserves
    try:
        permit_id = _id(body["permit_id"]) if granted else None
        expires_at = _instant(body["permit_expires_at"]) if granted else None
    except (KeyError, TypeError, ValueError) as fault:
        raise _unfit(reply, f"it grants without a permit ({fault!r})") from fault
    return PermitAnswer(**members, permit_id=permit_id, expires_at=expires_at)


def read_permit(permit_id: str, reply: Reply) -> Permit:
    """Return how a permit stands. Raises Unanswered."""
    body = _object(reply)
    if reply.status != HTTPStatus.OK:
        raise _refused(reply, body)
    try:
        state = PermitState(body["state"])
        found = Permit(
            id=_id(body["id"]),
            state=state,
            must_stop=body["must_stop"] is not False or state is not PermitState.ACTIVE,
            allow=int(body["allow"]),
            sent=int(body["sent"]),
            granted_at=_instant(body["granted_at"]),
            expires_at=_instant(body["expires_at"]),
            body=body,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as fault:
        raise _unfit(reply, f"it is no permit ({fault!r})") from fault
    if found.id != permit_id:
        raise _unfit(reply, f"it is about permit {found.id}")
    return found


def _members(question: Question, reply: Reply) -> dict[str, Any]:
    """Return what every answer has. Raises Unanswered where it is none, or contradicts itself or the question."""
    body = _object(reply)
    if reply.status not in ANSWERS or "decision" not in body or "proceed" not in body:
        raise _refused(reply, body)
    for fault in _faults(question, reply, body):
        raise _unfit(reply, fault)
    go = body["proceed"]
    return {
        "state": _state(reply.status, body),
        "proceed": go,
        "gate": body.get("gate"),
        "decision_id": body.get("decision_id"),
        "allow": body.get("allow"),
        "requested": body.get("requested"),
        "retry_after_seconds": None if go else _retry_after(reply, body),
        "summary": str(body.get("summary") or ""),
        "reasons": tuple(_objects(body.get("reasons"))),
        "body": body,
    }


def _faults(question: Question, reply: Reply, body: Body) -> Iterable[str]:
    """Yield what does not fit in an answer."""
    decision, go = body["decision"], body["proceed"]
    if decision not in ("send", "throttle", "hold") or not isinstance(go, bool):
        yield f"decision {decision!r}, proceed {go!r}"
    said = reply.headers.get("holdfire-decision", decision)
    if said != decision:
        yield f"its header says {said}, its body {decision}"
    if go:
        yield from _faults_of_a_go(question, reply, body)
    elif decision == "send":
        yield "it says send, and not to proceed"


def _faults_of_a_go(question: Question, reply: Reply, body: Body) -> Iterable[str]:
    """Yield why a go must not be believed: its words, its age, or because it answers something else."""
    decision = body["decision"]
    if reply.status != HTTPStatus.OK or decision == "hold":
        yield f"it says to proceed with {decision}"
    if body.get("mode") != "shadow" and body.get("state", decision) != decision:
        yield f"it says to proceed in state {body['state']}"
    age = reply.headers.get("age", "0")
    if not (re.fullmatch("[0-9]{1,9}", age) and int(age) <= OLDEST_SECONDS):
        yield f"it is {age} s old, out of some cache"
    if not (isinstance(body.get("decision_id"), str) and isinstance(body.get("gate"), str)):
        yield "it has no decision_id or no gate"
    asked = {"gate": question.gate, "campaign": question.campaign, "requested": question.audience}
    for name, value in asked.items():
        if value is not None and body.get(name) != value:
            yield f"{name} was {value!r}, and it answers {body.get(name)!r}"
    yield from _faults_of_a_number(question, body)


def _faults_of_a_number(question: Question, body: Body) -> Iterable[str]:
    decision, allow, asked = body["decision"], body.get("allow"), question.audience
    if decision == "throttle" and not question.accept_partial:
        yield "it lets a part go where the whole was asked for"
    if allow is None and asked is None:
        return
    if not isinstance(allow, int) or isinstance(allow, bool) or allow < 1:
        yield f"it lets {allow!r} go"
    elif asked is not None and (allow > asked or (decision == "send" and allow < asked)):
        yield f"it lets {allow} of {asked} go and calls that {decision}"


def _state(status: int, body: Body) -> Verdict:
    if body["decision"] != "hold":
        return Verdict(body["decision"])
    unknown = status == HTTPStatus.SERVICE_UNAVAILABLE if "state" not in body else body["state"] == Verdict.UNKNOWN
    return Verdict.UNKNOWN if unknown else Verdict.HOLD


# --- pieces -----------------------------------------------------------------------------------------------------------


def _object(reply: Reply) -> dict[str, Any]:
    try:
        body = json.loads(reply.content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise _unfit(reply, "it is no JSON object")
    return body


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _unfit(reply: Reply, why: str) -> Unanswered:
    return _unanswered(reply, f"what came with status {reply.status} is not holdfire's answer: {why}", {})


def _refused(reply: Reply, body: Body) -> Unanswered:
    problems = [f"{each.get('pointer')}: {each.get('detail')}" for each in _objects(body.get("errors"))]
    said = "; ".join([str(body.get("detail") or "no reason given"), *problems])
    return _unanswered(reply, f"status {reply.status}: {said}", body)


def _unanswered(reply: Reply, message: str, body: Body) -> Unanswered:
    lasting = reply.status < HTTPStatus.INTERNAL_SERVER_ERROR and reply.status not in PASSING
    seconds = _retry_after(reply, body)
    return Unanswered(message, lasting=lasting, status=reply.status, retry_after_seconds=seconds)


def _retry_after(reply: Reply, body: Body) -> float | None:
    """Return the pause that was asked for. The body goes first: a key may have the header in milliseconds."""
    seconds = body.get("retry_after_seconds")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds < LONGEST_SECONDS:
        return float(seconds)
    header = reply.headers.get("retry-after", "").strip()
    if re.fullmatch("[0-9]{1,9}", header):
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def _id(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{value!r} is no id")
    return value


def _instant(value: object) -> datetime:
    at = datetime.fromisoformat(value) if isinstance(value, str) else None
    if at is None or at.tzinfo is None:
        raise TypeError(f"{value!r} is no instant")
    return at
