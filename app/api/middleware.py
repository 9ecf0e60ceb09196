"""What is true of every request: it has an id, its body is bounded, and a fault of ours tells nothing of our insides.

Plain ASGI: Starlette's BaseHTTPMiddleware costs two thirds of the throughput (docs/performance.md).
"""

import logging
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from random import getrandbits

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import FORBIDDEN, INTERNAL, TOO_LARGE, Refused, send_problem
from app.core.campaign.images import MAX_IMAGE_BYTES
from app.services.agreement import asking
from app.settings import is_loopback

log = logging.getLogger(__name__)

FORBIDDEN_CLOSE = 4403
MAX_BODY_BYTES = 1024 * 1024
_IMAGES = "/briefing/images"  # the one path that takes files
_GIVEN_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_API_PATHS = ("/api/", "/livez", "/readyz", "/-/", "/openapi.json", "/metrics")
_API_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


RequestContext = Callable[[str], AbstractContextManager[None]]


def install_middleware(app: FastAPI, context: RequestContext = lambda _: nullcontext()) -> None:
    """Put the middleware around an app: ids and faults outside, the body limit inside.

    context is entered around each request with its id, so that what is logged meanwhile can carry it.
    """
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestShell, context=context)


class RequestShell:
    """Gives each request an id, each API answer its security headers, and each unforeseen fault a 500 problem.

    What a request has changed is known to all replicas before its answer begins.
    """

    def __init__(self, app: ASGIApp, context: RequestContext) -> None:
        self.app, self.context = app, context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = scope.setdefault("state", {})["request_id"] = request_id_of(scope)
        is_api = scope["path"].startswith(_API_PATHS)
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                await asked.settle()
                started = True
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                if is_api:
                    for name, value in _API_HEADERS.items():
                        headers.setdefault(name, value)
            await send(message)

        try:
            with asking() as asked, self.context(request_id):
                await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            log.info("client_hung_up", extra={"request_id": request_id, "path": scope["path"]})
        except Exception:
            log.exception("request_failed", extra={"request_id": request_id, "path": scope["path"]})
            if started:
                raise
            fault = Refused(INTERNAL, f"the request could not be served; the log has the cause under {request_id}")
            await send_problem(scope, send_with_headers, fault)


def request_id_of(scope: Scope) -> str:
    """Return the caller's X-Request-ID where it is 1 to 128 harmless characters, else a fresh one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _GIVEN_ID.fullmatch(value):
            return str(value, "ascii")
    return f"req_{getrandbits(64):016x}"  # no secret, and the system's randomness is a call of the kernel's


class BodyLimit:
    """Refuses bodies above the limit: by their declared length before reading, else as soon as too much has come."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = MAX_IMAGE_BYTES if scope["path"].endswith(_IMAGES) else self.limit
        sentence = f"the body is larger than {limit:,} bytes; send less at once"
        if _declared_length(scope) > limit:
            await send_problem(scope, send, Refused(TOO_LARGE, sentence, headers={"Connection": "close"}))
            return
        received = 0

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(TOO_LARGE.status, sentence, headers={"Connection": "close"})
            return message

        await self.app(scope, receive_bounded, send)


class LocalOnly:
    """Answers only who names this machine as the host: for a server without authentication.

    A web page elsewhere can have its own name lead to a loopback address; its requests then carry that name, and would
    otherwise be answered as if they came from our own pages.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or _names_this_machine(_host(scope)):
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            detail = (
                f"authentication is off, so only this machine is answered, not host {_host(scope).decode('latin-1')!r}"
            )
            await send_problem(scope, send, Refused(FORBIDDEN, detail))
        else:
            await send({"type": "websocket.close", "code": FORBIDDEN_CLOSE})


def _host(scope: Scope) -> bytes:
    return next((value for name, value in scope["headers"] if name == b"host"), b"")


@lru_cache(maxsize=256)
def _names_this_machine(host: bytes) -> bool:
    text = host.decode("latin-1")
    name = text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]
    return is_loopback(name)


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:19])  # more digits would only be more too much
    return 0
