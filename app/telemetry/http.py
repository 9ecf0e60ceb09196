"""Counts and times HTTP requests by route template: plain ASGI around the router."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.telemetry.metrics import Metrics

UNMATCHED = "unmatched"


class HttpMetrics:
    """ASGI middleware that tells the app's Metrics about each request. An exception counts as a 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        metrics: Metrics = scope["state"]["metrics"]
        started, status = time.perf_counter(), 500

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_noting_status)
        finally:
            metrics.http_request(scope["method"], route_template(scope), status, time.perf_counter() - started)


def route_template(scope: Scope) -> str:
    """Return the template of the route that answered, "/api/v1/gates/{gate}/policy" say; never a caller's own text.

    A mounted folder is "/static/*", no route at all "unmatched".
    """
    template: str | None = getattr(scope.get("route"), "path_format", None)
    if template is None:
        mount: str = scope.get("root_path", "")
        return f"{mount}/*" if mount else UNMATCHED
    # FastAPI keeps the prefix under which a router is included apart from the route: it is what the path has in front.
    path: str = scope["path"]
    ending = template.format_map(scope.get("path_params", {}))
    return path[: -len(ending)] + template if path.endswith(ending) else template
