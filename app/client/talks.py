"""What the client does, written once for both kinds of it: each talk says what to send and how long to pause.

A talk is a generator. It yields a Call and is given what came of it; it yields a Pause and goes on after it; what it
returns is the result. So nothing here waits, sends, or knows of asyncio.
"""

import random
import re
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote
from uuid import uuid4

from app.client.answers import Answer, NotCleared, Permit, PermitAnswer, Unanswered
from app.client.replies import Question, Reply, read_answer, read_permit, read_permit_answer

MAX_PAUSE_SECONDS = 300.0
UNREACHABLE_PAUSE_SECONDS = 10.0
REPEAT_PAUSES_SECONDS = (0.5, 1.0, 2.0)
MAX_REPEAT_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request, its path below the server's address."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait that long."""

    seconds: float


Result = TypeVar("Result")
Talk: TypeAlias = Generator[Call | Pause, Reply | Unanswered | None, Result]
Watch: TypeAlias = Callable[[Answer | Unanswered, float], None]


def ready(
    gate: str, audience: int | None = None, campaign: str | None = None, *, accept_partial: bool = False
) -> Talk[Answer]:
    """Return whether so many may go now; reserves nothing. Raises Unanswered."""
    question = Question(gate, campaign, audience, accept_partial)
    query = {name: _text(value) for name, value in _given(question).items()}
    return read_answer(question, (yield from _send(Call("GET", "/api/v1/readiness", query))))


def campaign_gate(campaign: str) -> Talk[Answer]:
    """Return whether the open wave of a campaign may go. Raises Unanswered."""
    question = Question(campaign=campaign, accept_partial=True)
    return read_answer(question, (yield from _send(Call("GET", f"/api/v1/campaigns/{_part(campaign)}/gate"))))


def wait_until_clear(
    gate: str,
    audience: int | None = None,
    campaign: str | None = None,
    *,
    accept_partial: bool = False,
    timeout: float,
    watch: Watch = lambda _last, _pause: None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Talk[Answer]:
    """Return the go, asked for as often as the answers say. timeout: seconds; before each pause, watch gets both.

    Raises NotCleared when the time is over, and Unanswered at once where asking again will not help.
    """
    deadline = monotonic() + timeout
    while True:
        last: Answer | Unanswered
        try:
            last = yield from ready(gate, audience, campaign, accept_partial=accept_partial)
        except Unanswered as fault:
            if fault.lasting:
                raise
            last = fault
        if isinstance(last, Answer) and last.proceed:
            return last
        left = deadline - monotonic()
        if left <= 0:
            raise NotCleared(last)
        pause = min(left, pause_seconds(last))
        watch(last, pause)
        yield Pause(pause)


def permit(
    gate: str,
    audience: int,
    campaign: str | None = None,
    *,
    accept_partial: bool = False,
    ttl_seconds: int | None = None,
    idempotency_key: str | None = None,
    dry_run: bool = False,
) -> Talk[PermitAnswer]:
    """Return whether so many may go, and if so reserve them; a dry run reserves nothing.

    Where the answer is lost, the same is asked again under the same idempotency key, so that it is reserved once.
    Raises Unanswered; it may be reserved even then, and asking again with the same idempotency_key of yours finds it.
    """
    question = Question(gate, campaign, audience, accept_partial)
    extra = {"ttl_seconds": ttl_seconds, "dry_run": dry_run}
    body = _given(question) | {name: value for name, value in extra.items() if value not in (None, False)}
    headers = {"Idempotency-Key": f'"{_key(idempotency_key)}"'}
    call = Call("POST", "/api/v1/permits", body=body, headers=headers)

    def read(reply: Reply) -> PermitAnswer:
        return read_permit_answer(question, reply, reserves=not dry_run)

    return (yield from _repeated(call, read, _may_be_settled))


def permit_state(permit_id: str) -> Talk[Permit]:
    """Return how a permit stands. Raises Unanswered."""
    return read_permit(permit_id, (yield from _send(Call("GET", f"/api/v1/permits/{_part(permit_id)}"))))


def report(permit_id: str, sent: int) -> Talk[Permit]:
    """Say how many were sent under a permit so far, in total, and return how it stands. Raises Unanswered."""
    call = _step(permit_id, "report", {"sent": sent})
    return (yield from _repeated(call, lambda reply: read_permit(permit_id, reply), _may_pass))


def release(permit_id: str) -> Talk[Permit]:
    """Give back what a permit still allows, and return how it stands. Raises Unanswered."""
    call = _step(permit_id, "release")
    return (yield from _repeated(call, lambda reply: read_permit(permit_id, reply), _may_pass))


def renew(permit_id: str, ttl_seconds: int | None = None) -> Talk[Permit]:
    """Have a permit last ttl_seconds (None: an hour) from now, or go on after a pause, and return how it stands.

    Raises Unanswered, with a status of 429 or 503 where its gate does not say go now.
    """
    body = {} if ttl_seconds is None else {"ttl_seconds": ttl_seconds}
    return read_permit(permit_id, (yield from _send(_step(permit_id, "renew", body))))


def pause_seconds(last: Answer | Unanswered) -> float:
    """Return how long to wait before asking again: what was asked for, a little more at random, within limits."""
    asked = last.retry_after_seconds
    if asked is None:
        asked = 1.0 if isinstance(last, Answer) else UNREACHABLE_PAUSE_SECONDS
    return min(MAX_PAUSE_SECONDS, asked * random.uniform(1.0, 1.1))  # noqa: S311 - spreads the asking


def _step(permit_id: str, step: str, body: Mapping[str, Any] | None = None) -> Call:
    return Call("POST", f"/api/v1/permits/{_part(permit_id)}/{step}", body=body)


def _repeated(call: Call, read: Callable[[Reply], Result], repeat: Callable[[Unanswered], bool]) -> Talk[Result]:
    """Send a call, word for word again while `repeat` says so, a few times. Raises the last Unanswered."""
    for pause in REPEAT_PAUSES_SECONDS:
        try:
            return read((yield from _send(call)))
        except Unanswered as fault:
            if not repeat(fault):
                raise
            asked = min(MAX_REPEAT_PAUSE_SECONDS, fault.retry_after_seconds or 0.0)
        yield Pause(max(pause, asked) * random.uniform(1.0, 1.1))  # noqa: S311 - spreads the asking
    return read((yield from _send(call)))


def _may_pass(fault: Unanswered) -> bool:
    return not fault.lasting


def _may_be_settled(fault: Unanswered) -> bool:
    """Tell whether an ask for a permit is worth repeating: its first copy may be in flight still."""
    return not fault.lasting or fault.status == HTTPStatus.CONFLICT


def _send(call: Call) -> Talk[Reply]:
    came = yield call
    if isinstance(came, Reply):
        return came
    raise came or TypeError("whoever carries out a talk gives it something for each Call")


def _given(question: Question) -> dict[str, Any]:
    return {name: value for name, value in question._asdict().items() if value not in (None, False)}


def _key(given: str | None) -> str:
    key = str(uuid4()) if given is None else given
    if not re.fullmatch(r"[!#-\[\]-~]{1,255}", key):
        raise ValueError(f"idempotency_key={key!r} must be 1 to 255 visible ASCII characters, no quotes or backslashes")
    return key


def _text(value: object) -> str:
    return "true" if value is True else str(value)


def _part(name: str) -> str:
    return quote(name, safe="")
