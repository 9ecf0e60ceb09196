"""May this send go now? The answer of a gate to one caller, from memory only.

The evaluator's last publication is the only input. An answer is built once per publication, caller and question,
and given out as finished bytes after that. Whatever stands in the way of knowing (no evaluation yet, a late
evaluator, stale data) is unknown, and unknown is never a go.
"""

import math
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from app.core.gate.decision import Decision, Verdict
from app.core.gate.policy import Mode
from app.ports import Clock
from app.services.answering import Answering, Looked
from app.services.asks import Ask, Asks, Question, Told
from app.services.published import GateState, Published
from app.services.shapes import Shape, check_shape, decision_shape, instant, wire_decision
from app.services.standing import GO, is_late

RETRY_UNKNOWN_SECONDS = 15
RETRY_THROTTLE_SECONDS = 60
MAX_KEPT_ANSWERS = 10_000

PROBLEM_TYPES = {
    429: ("https://iana.org/assignments/http-problem-types#quota-exceeded", "The contact center has no room now"),
    503: ("https://iana.org/assignments/http-problem-types#temporary-reduced-capacity", "It cannot be known now"),
}


class Answer(NamedTuple):
    """A finished answer: HTTP status, the headers that belong to it, and the JSON body.

    go_until: the instant from which this go must not be given any more; None for an answer that is no go.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    verdict: Verdict
    ask: Ask
    go_until: datetime | None


class Readiness:
    """Answers readiness questions. Looks at nothing but memory.

    answered, refused and took are told of each answer, of each question that got none, and how long answers took.
    """

    def __init__(
        self,
        published: Callable[[], Published],
        answering: Answering,
        asks: Asks,
        clock: Clock,
        *,
        answered: Callable[[Verdict, int], None] = lambda _verdict, _status: None,
        refused: Callable[[int], None] = lambda _status: None,
        took: Callable[[float], None] = lambda _seconds: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._published, self._answering, self._asks, self._clock = published, answering, asks, clock
        self._answered, self._monotonic = answered, monotonic
        self.refused, self.took = refused, took
        self._seq = -1
        self._late = False
        self._kept: dict[tuple[str, Question], Answer] = {}

    def answer(self, asker: str, question: Question) -> Answer:
        """Return the answer for this asker (a key's id) and question. Raises NotFound for a gate that is not there."""
        published = self._published()
        late = is_late(published, self._monotonic())
        if published.seq != self._seq or late is not self._late:
            self._kept.clear()
            self._seq, self._late = published.seq, late
        now = self._clock.now()
        answer = self._kept.get((asker, question))
        if answer is None or (answer.go_until is not None and now >= answer.go_until):
            answer = self._build(asker, question)
            if len(self._kept) < MAX_KEPT_ANSWERS:
                self._kept[(asker, question)] = answer
        self._asks.count(answer.ask, published.at)
        self._answered(answer.verdict, answer.status)
        return answer

    def _build(self, asker: str, question: Question) -> Answer:
        request = self._answering.request(question.audience, question.campaign, accept_partial=question.accept_partial)
        return self._finish(asker, question, self._answering.look(question.gate, request))

    def _finish(self, asker: str, question: Question, looked: Looked) -> Answer:
        state, answered, now = looked.state, looked.answered, looked.at
        shadow = state.decision.mode == Mode.SHADOW
        verdict, allowed = answered.verdict, answered.allow
        status = status_of(verdict, accept_partial=question.accept_partial, shadow=shadow)
        body = decision_shape(state, now) | {
            "decision": wire_decision(verdict, shadow=shadow),
            "state": verdict,
            "proceed": status == OK,
        }
        told = Told(
            verdict,
            status,
            question.audience if shadow else allowed,
            state.policy_version,
            tuple((reason.code, reason.queue) for reason in state.decision.reasons),
        )
        ask = self._asks.tell(
            asker,
            question,
            told,
            now,
            lambda: (body["summary"], body["reasons"], [check_shape(check) for check in state.decision.checks]),
        )
        return _render(question, state, body, told, ask)


OK, HOLD, CANNOT_KNOW = 200, 429, 503


def status_of(verdict: Verdict, *, accept_partial: bool, shadow: bool) -> int:
    """Return the HTTP status: 200 exactly when what was asked may go (or the gate only watches)."""
    if shadow or verdict is Verdict.SEND:
        return OK
    if verdict is Verdict.THROTTLE:
        return OK if accept_partial else HOLD
    return HOLD if verdict is Verdict.HOLD else CANNOT_KNOW


def retry_after_seconds(status: int, verdict: Verdict, decision: Decision) -> int | None:
    """Return how long to wait before asking again, whole seconds, at least 1; None when the send may go."""
    if status == OK:
        return None
    if verdict is Verdict.THROTTLE:
        return RETRY_THROTTLE_SECONDS
    if decision.retry_at is None:
        return RETRY_UNKNOWN_SECONDS
    return max(1, math.ceil((decision.retry_at - decision.at).total_seconds()))


def _render(question: Question, state: GateState, shape: Shape, told: Told, ask: Ask) -> Answer:
    verdict, decision = Verdict(told.verdict), state.decision
    wait = retry_after_seconds(told.status, verdict, decision)
    text = _summary(question, verdict, told.allow, shape["summary"])
    body = {
        "decision": shape["decision"],
        "proceed": shape["proceed"],
        "branchResult": shape["decision"],
        "allow": told.allow,
        "requested": question.audience,
        "retry_after_seconds": wait,
        "retry_at": instant(decision.at + timedelta(seconds=wait)) if wait else None,
        "gate": question.gate,
        "campaign": question.campaign,
        "decision_id": ask.row.id,
        "mode": shape["mode"],
        "state": shape["state"],
        "would_decide": shape["would_decide"],
        "policy_version": shape["policy_version"],
        "since": shape["since"],
        "evaluated_at": shape["evaluated_at"],
        "valid_until": shape["valid_until"],
        "data_as_of": shape["data_as_of"],
        "data_age_seconds": shape["data_age_seconds"],
        "summary": text,
        "reasons": shape["reasons"],
        "override": None,
        "next_window": None,
    }
    headers = [
        (b"cache-control", b"no-store"),
        (b"holdfire-decision", str(shape["decision"]).encode()),
        (b"holdfire-decision-id", ask.row.id.encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    if told.status == OK:
        headers.append((b"content-type", b"application/json"))
    else:
        kind, title = PROBLEM_TYPES[told.status]
        body |= {"type": kind, "title": title, "status": told.status, "detail": text}
        body["instance"] = f"/api/v1/decisions/{ask.row.id}"
        headers += [(b"content-type", b"application/problem+json"), (b"retry-after", str(wait).encode())]
    encoded = msgspec.json.encode(body)
    headers.append((b"content-length", str(len(encoded)).encode()))
    return Answer(told.status, headers, encoded, verdict, ask, decision.valid_until if verdict in GO else None)


def _summary(question: Question, verdict: Verdict, allowed: int | None, text: str) -> str:
    if verdict is Verdict.THROTTLE:
        return f"{allowed:,} of {question.audience:,} now: the policy allows that many in one wave."
    return text
