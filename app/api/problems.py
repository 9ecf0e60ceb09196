"""Every error answer, in one place: RFC 9457 problem documents.

A problem's `type` is a stable path into our own reference page, by which programs may tell errors apart.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Scope, Send

from app.core.floor.fields import shown
from app.errors import Conflict, HoldfireError, Invalid, NotComputed, NotDurable, NotFound
from app.services.reply import Reply

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_RETRY = {"Retry-After": "5"}


class Kind(NamedTuple):
    """One kind of error: its HTTP status, the last part of its type, its title and what to do about it."""

    status: int
    slug: str
    title: str
    remedy: str

    @property
    def type(self) -> str:
        """The problem's type: a URI reference that leads to its description."""
        return f"/docs#problem-{self.slug}"


BAD_REQUEST = Kind(400, "bad-request", "The request cannot be understood", "Read the detail and mend the request.")
UNAUTHENTICATED = Kind(401, "unauthenticated", "A valid key is needed", "Send Authorization: Bearer hf_….")
FORBIDDEN = Kind(403, "forbidden", "The key lacks a scope", "Use a key that has the scope named in the detail.")
NOT_FOUND = Kind(404, "not-found", "There is no such thing", "Check the name; the detail says what exists.")
METHOD = Kind(405, "method-not-allowed", "The method is not allowed here", "Use a method named in the Allow header.")
CONFLICT = Kind(
    409, "conflict", "It cannot be done as things stand", "The detail says how they stand; read it again, then decide."
)
CHANGED = Kind(412, "precondition-failed", "It changed since you read it", "Read it again and use its new ETag.")
TOO_LARGE = Kind(413, "too-large", "The body is too large", "Send it in several requests.")
MEDIA = Kind(415, "unsupported-media-type", "The body's form is not supported", "Use a form named in the detail.")
INVALID = Kind(
    422, "invalid", "The input was refused", "Each entry of errors says where it is wrong and what is allowed."
)
IF_MATCH = Kind(428, "precondition-required", "If-Match is required", "Read it first and send its ETag as If-Match.")
CLIENT_RATE = Kind(
    429, "client-rate", "The client asks too often", "Wait for Retry-After; the key's max_rps is set in its profile."
)
INTERNAL = Kind(500, "internal", "Something went wrong on our side", "Report the request_id; the log has the cause.")
NOT_DURABLE = Kind(503, "not-durable", "It could not be written down", "Send the same again later; that is safe.")
UNAVAILABLE = Kind(503, "unavailable", "It cannot be served now", "Try again after Retry-After; the log has the cause.")
NOT_READY = Kind(503, "not-ready", "Not ready to serve", "Wait; the checks say what is missing.")

KINDS = (
    BAD_REQUEST, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, METHOD, CONFLICT, CHANGED, TOO_LARGE, MEDIA, INVALID, IF_MATCH,
    CLIENT_RATE, INTERNAL, NOT_DURABLE, UNAVAILABLE, NOT_READY,
)  # fmt: skip
_BY_STATUS = {kind.status: kind for kind in reversed(KINDS)}


class Refused(HoldfireError):
    """A request was refused for a reason of HTTP's own: kind, headers and errors go into the answer as they are."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: Sequence[Mapping[str, object]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.errors, self.headers = kind, errors, dict(headers or {})


class TooOften(Refused):
    """A key asked more often than it may: the answer is finished already, because it must cost next to nothing."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(CLIENT_RATE, "the key asks more often than it may")
        self.reply = reply


def refused(fault: HoldfireError) -> Refused:
    """Return what a fault of the services means in HTTP."""
    match fault:
        case Refused():
            return fault
        case Invalid():
            return Refused(INVALID, str(fault), errors=[problem._asdict() for problem in fault.problems])
        case NotFound():
            return Refused(NOT_FOUND, str(fault))
        case Conflict():
            return Refused(CONFLICT, str(fault))
        case NotDurable():
            return Refused(NOT_DURABLE, str(fault), headers=_RETRY)
        case _:
            detail = str(fault) if isinstance(fault, NotComputed) else "what is kept cannot be reached now; try again"
            return Refused(UNAVAILABLE, detail, headers=_RETRY)


def problem_response(scope: Scope, fault: HoldfireError) -> Response:
    """Return a finished problem document for a fault."""
    problem = refused(fault)
    if isinstance(problem, TooOften):
        finished = Response(problem.reply.body, problem.reply.status)
        finished.raw_headers = list(problem.reply.headers)
        return finished
    body: dict[str, Any] = {
        "type": problem.kind.type,
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": str(problem),
        "instance": scope.get("path", ""),
        "request_id": scope.get("state", {}).get("request_id"),
    }
    if problem.errors:
        body["errors"] = problem.errors
    return Response(
        msgspec.json.encode(body),
        status_code=problem.kind.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store"} | problem.headers,
    )


async def send_problem(
    scope: Scope, send: Send, problem: HoldfireError | int, detail: str = "", *, allow: str | None = None
) -> None:
    """Send a problem document from outside the router: a fault, or a status with a sentence."""
    if isinstance(problem, int):
        problem = Refused(_BY_STATUS[problem], detail, headers={"Allow": allow} if allow else None)
    await problem_response(scope, problem)(scope, _nothing, send)


async def _nothing() -> Any:  # a Response never reads; Starlette's signature wants somebody to read from
    return {"type": "http.disconnect"}


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of the app a problem document. What nobody foresaw is caught by the middleware."""

    @app.exception_handler(HoldfireError)
    async def of_holdfire(request: Request, fault: HoldfireError) -> Response:
        return fault_response(request, fault)

    @app.exception_handler(RequestValidationError)
    async def of_validation(request: Request, fault: RequestValidationError) -> Response:
        return problem_response(
            request.scope, Refused(INVALID, "the request was refused", errors=errors_of(fault.errors()))
        )

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, fault: HTTPException) -> Response:
        return fault_response(request, fault)


def fault_response(request: Request, fault: HoldfireError | HTTPException) -> Response:
    """Return the problem document for what a route raised; the log hears of faults that are not the caller's."""
    if isinstance(fault, HTTPException):
        kind = _BY_STATUS.get(fault.status_code, BAD_REQUEST if fault.status_code < INTERNAL.status else INTERNAL)
        return problem_response(request.scope, Refused(kind, _detail(request, fault), headers=_headers(request, fault)))
    answer = problem_response(request.scope, fault)
    if answer.status_code >= INTERNAL.status:
        # Their sentences say all there is to what failed; of anything else the log needs the cause.
        cause = None if isinstance(fault, NotDurable | NotComputed) else fault
        log.error("request_not_served", exc_info=cause, extra={"path": request.scope["path"], "error": str(fault)})
    return answer


def _detail(request: Request, fault: HTTPException) -> str:
    path = request.scope["path"]
    if fault.status_code == NOT_FOUND.status:
        return f"there is nothing at {path}; /docs lists what there is"
    if fault.status_code == METHOD.status:
        return (
            f"{request.method} is not allowed at {path}; allowed: {_headers(request, fault).get('Allow', 'see /docs')}"
        )
    return str(fault.detail)


def _headers(request: Request, fault: HTTPException) -> Mapping[str, str]:
    """Return a fault's headers; Allow names the methods of all routes at the path, where the router knows one's."""
    kept = fault.headers or {}
    if fault.status_code != METHOD.status:
        return kept
    path = request.scope["path"]
    methods = {
        method.upper()
        for template, operations in request.app.openapi()["paths"].items()
        if compile_path(template)[0].match(path)
        for method in operations
    }
    return {**kept, "Allow": ", ".join(sorted(methods))} if methods else kept


def errors_of(faults: Iterable[Mapping[str, Any]]) -> list[dict[str, object]]:
    """Return Pydantic's faults as pointers and sentences."""
    return [{"pointer": _pointer(fault["loc"]), "detail": _sentence(fault)} for fault in faults]


def _pointer(location: Sequence[str | int]) -> str:
    """Return an RFC 6901 pointer: into the body for body faults, else /query/…, /path/… or /header/…."""
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in location]
    if parts and parts[0] == "body":
        parts = parts[1:]
    return "".join(f"/{part}" for part in parts).encode("utf-8", "replace").decode()


def _sentence(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "missing":
        return "is required"
    if fault["type"] == "extra_forbidden":
        return f"unknown field {shown(fault['loc'][-1])}; leave it out"
    if fault["type"] == "json_invalid":
        return str(fault["msg"])
    _, should, rule = fault["msg"].partition(" should ")
    if should:
        return f"{shown(fault.get('input'))} must {rule}"
    return f"{shown(fault.get('input'))}: {fault['msg'].removeprefix('Value error, ')}"
