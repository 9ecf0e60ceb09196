"""May this send go now? The answer of a gate to one caller, from memory only.

The evaluator's last publication is the only input. An answer is built once per publication, caller and question,
and given out as finished bytes after that. Whatever stands in the way of knowing (no evaluation yet, a late
evaluator, stale data) is unknown, and unknown is never a go.
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from app.core.client_profile import PLAIN, ClientProfile
from app.core.gate.decision import Verdict
from app.ports.clock import Clock
from app.services.answering import Answering
from app.services.asks import Ask, Asks, Question
from app.services.published import Published
from app.services.reply import Headers, go_until, is_go, reply, status_of
from app.services.standing import is_late

MAX_KEPT_ANSWERS = 10_000


class Answer(NamedTuple):
    """A finished answer: HTTP status, the headers that belong to it, and the JSON body.

    go_until: the instant from which this go must not be given any more; None for an answer that is no go.
    profile: whose way of answering it is.
    """

    status: int
    headers: Headers
    body: bytes
    verdict: Verdict
    ask: Ask
    go_until: datetime | None
    profile: ClientProfile


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

    def answer(self, asker: str, question: Question, profile: ClientProfile = PLAIN) -> Answer:
        """Return the answer for this asker (a key's id) and question. Raises NotFound for a gate that is not there."""
        published = self._published()
        late = is_late(published, self._monotonic())
        if published.seq != self._seq or late is not self._late:
            self._kept.clear()
            self._seq, self._late = published.seq, late
        answer = self._kept.get((asker, question))
        if answer is None or answer.profile is not profile or self._is_over(answer):
            answer = self._build(asker, question, profile)
            if len(self._kept) < MAX_KEPT_ANSWERS:
                self._kept[(asker, question)] = answer
        self._asks.count(answer.ask, published.at)
        self._answered(answer.verdict, answer.status)
        return answer

    def _is_over(self, answer: Answer) -> bool:
        return answer.go_until is not None and self._clock.now() >= answer.go_until

    def _build(self, asker: str, question: Question, profile: ClientProfile) -> Answer:
        request = self._answering.request(question.audience, question.campaign, accept_partial=question.accept_partial)
        looked = self._answering.look(question.gate, request)
        ask = self._asks.tell(asker, question, looked, status_of(looked, profile))
        status, headers, body = reply(looked, ask.row.id, self._clock.wall_seconds, profile=profile)
        until = go_until(looked) if is_go(looked) else None
        return Answer(status, headers, body, looked.answered.verdict, ask, until, profile)
