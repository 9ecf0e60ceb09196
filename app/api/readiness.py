"""GET /api/v1/readiness as a raw ASGI branch ahead of the router: finished bytes, chosen per request.

docs/performance.md shows what each layer above this would cost. The route's documentation for OpenAPI is in
app.api.openapi; its errors are the same problem documents as everywhere else.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from app.api.auth import authorize
from app.api.problems import refused, send_problem
from app.core.permit.request import DEFAULT_GATE, MAX_AUDIENCE
from app.core.problem import Problem
from app.errors import HoldfireError, Invalid
from app.services.asks import Question
from app.services.container import Services

PATH = "/api/v1/readiness"
MAX_NAME = 128
KEPT_QUESTIONS = 4_096


class ReadinessEndpoint:
    """Answers readiness requests straight from the services in the connection's state."""

    def __init__(self) -> None:
        self._questions: dict[bytes, Question] = {}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        started = perf_counter()
        services: Services = scope["state"]["services"]
        try:
            if scope["method"] not in ("GET", "HEAD"):
                await send_problem(
                    scope, send, 405, f"{scope['method']} is not allowed here; use GET", allow="GET, HEAD"
                )
                return
            asker = authorize(services, scope["headers"], "readiness")
            answer = services.readiness.answer(asker.id, self._question(scope["query_string"]), asker.profile)
        except HoldfireError as fault:
            services.readiness.refused(refused(fault).kind.status)
            await send_problem(scope, send, fault)
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})
        services.readiness.took(perf_counter() - started)

    def _question(self, query: bytes) -> Question:
        question = self._questions.get(query)
        if question is None:
            question = parse_question(query)
            if len(self._questions) >= KEPT_QUESTIONS:
                self._questions.clear()
            self._questions[query] = question
        return question


def parse_question(query: bytes) -> Question:
    """Return what a query string asks. Raises Invalid naming each parameter that is unknown, repeated or out of range.

    Unknown names are refused: a mistyped `audience` must not turn into a question about nobody.
    """
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=32)
    except ValueError:
        raise Invalid("the query string is not valid percent-encoded UTF-8") from None
    given: dict[str, str] = {}
    problems: list[Problem] = []
    for name, value in pairs:
        if name not in _PARSERS:
            problems.append(Problem(f"/{name}", f"unknown parameter {name!r}; known are {', '.join(sorted(_PARSERS))}"))
        elif name in given:
            problems.append(Problem(f"/{name}", f"{name} is given twice; give it once"))
        else:
            given[name] = value
    parsed: dict[str, Any] = {"gate": DEFAULT_GATE, "audience": None, "campaign": None, "accept_partial": False}
    for name, value in given.items():
        try:
            parsed[name] = _PARSERS[name](value)
        except ValueError as fault:
            problems.append(Problem(f"/{name}", f"{name}={value!r}: {fault}"))
    if problems:
        raise Invalid("the question cannot be understood", problems)
    return Question(**parsed)


def _name(value: str) -> str:
    if not 0 < len(value) <= MAX_NAME or not value.isprintable():
        raise ValueError(f"must be 1 to {MAX_NAME} printable characters")
    return value


def _audience(value: str) -> int:
    if not (value.isascii() and value.isdigit()) or not 1 <= int(value) <= MAX_AUDIENCE:
        raise ValueError(f"must be a whole number of recipients, 1 to {MAX_AUDIENCE:,}, written in digits only")
    return int(value)


def _flag(value: str) -> bool:
    if value not in ("true", "false", "1", "0"):
        raise ValueError("must be true or false")
    return value in ("true", "1")


_PARSERS: dict[str, Callable[[str], Any]] = {
    "gate": _name,
    "audience": _audience,
    "campaign": _name,
    "accept_partial": _flag,
}
