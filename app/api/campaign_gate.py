"""GET /api/v1/campaigns/{id}/gate as a raw ASGI branch ahead of the router, for tools that ask once per recipient.

Its documentation for OpenAPI is in app.api.campaign_reference; its errors are the same problem documents as everywhere.
"""

import re
from collections.abc import Iterable
from time import perf_counter
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from app.api.auth import authorize
from app.api.problems import refused, send_problem
from app.core.problem import Problem
from app.errors import HoldfireError, Invalid
from app.services.campaign_gate import CampaignAnswer
from app.services.container import Services

PATH = "/api/v1/campaigns/{campaign_id}/gate"
_PATH = re.compile(r"/api/v1/campaigns/([^/]+)/gate")
_KEPT_ON_304 = {b"cache-control", b"etag", b"holdfire-decision", b"holdfire-decision-id"}


def campaign_in(path: str) -> str | None:
    """Return which campaign's gate a path asks for; None for any other path."""
    found = _PATH.fullmatch(path)
    return found[1] if found else None


class CampaignGateEndpoint:
    """Answers for campaigns' open waves straight from the services in the connection's state."""

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        started = perf_counter()
        services: Services = scope["state"]["services"]
        try:
            if scope["method"] not in ("GET", "HEAD"):
                sentence = f"{scope['method']} is not allowed here; use GET"
                await send_problem(scope, send, 405, sentence, allow="GET, HEAD")
                return
            asker = authorize(services, scope["headers"], "readiness")
            _refuse_query(scope["query_string"])
            answer = services.campaign_gate.answer(asker.id, campaign_in(scope["path"]) or "", asker.profile)
        except HoldfireError as fault:
            services.readiness.refused(refused(fault).kind.status)
            await send_problem(scope, send, fault)
            return
        await _send(scope, send, answer)
        services.readiness.took(perf_counter() - started)


async def _send(scope: Scope, send: Send, answer: CampaignAnswer) -> None:
    """Send an answer; of a go that the caller has already, only that it is still so."""
    status, headers, body = answer.status, answer.headers, answer.body
    if answer.etag is not None and _has(scope["headers"], answer.etag):
        status, headers, body = 304, [each for each in headers if each[0] in _KEPT_ON_304], b""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _has(headers: Iterable[tuple[bytes, bytes]], etag: bytes) -> bool:
    """Tell whether If-None-Match names a tag; tags are compared weakly, as RFC 9110 13.1.2 has it."""
    opaque = etag.removeprefix(b"W/")
    for name, value in headers:
        if name == b"if-none-match":
            return any(tag.strip().removeprefix(b"W/") == opaque for tag in value.split(b","))
    return False


def _refuse_query(query: bytes) -> None:
    """Raise Invalid for any parameter: whoever adds one expects another answer than this one."""
    if query:
        name = quote(query.split(b"=")[0].decode("latin-1"), safe="")
        raise Invalid("the question cannot be understood", [Problem(f"/query/{name}", "there are no parameters here")])
