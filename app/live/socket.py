"""The live socket, WS /api/v1/live, as a raw ASGI branch ahead of the router: who may open it, and what ends it.

Close codes: 4401 not signed in or no longer, or a screen that was taken down, 4403 may not read, 4404 no such gate,
1008 too many words from the other side, 1012 the server restarts, 1013 too slow or too many. A foreign Origin is
refused with 403 before the handshake: browsers send cookies with sockets to anywhere (OWASP ASVS 5.0.0, 4.4.2).

Middleware and router would stay around each socket while it is open, and hold more memory than all the rest of it.
"""

import asyncio
import resource
from collections import Counter
from functools import partial

from fastapi import APIRouter, WebSocket
from starlette.datastructures import Headers, QueryParams, State
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from app.live.hub import PLAIN, Hub, Seat, Topic
from app.live.line import SEND_TIMEOUT_SECONDS, SIGNED_OUT, TRY_LATER, Line
from app.live.watcher import PROTOCOL, Watcher, ending, still_there, watcher
from app.services.live_view import LiveView
from app.services.origins import origin_allowed

PATH = "/api/v1/live"
FORBIDDEN, NO_GATE = 4403, 4404

MAX_CONNECTIONS = 10_000
MAX_PER_NAME = 1_000  # sockets of one key, or of one person


class Refused(Exception):
    """The socket ends, with this close code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class LiveEndpoint:
    """Sends a gate's snapshot now, after each change and at least every 5 s; ?view=page is the board's own.

    A screen on the wall gets what it shows, whatever it asks for. app_state: where pages put their views.
    """

    def __init__(self, app_state: State) -> None:
        self._app_state = app_state
        self._held: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not await _accepted(scope, receive, send):
            return
        code: int | None
        try:
            code = await self._serve(await _admit(scope), scope, receive, send)
        except Refused as refused:
            code = refused.code
        if code is not None:
            await _close(send, code)

    async def _serve(self, who: Watcher, scope: Scope, receive: Receive, send: Send) -> int | None:
        """Return with which code the socket has to be closed, once it does; None when the other side has gone."""
        services, hub, metrics = (scope["state"][name] for name in ("services", "hub", "metrics"))
        self._held[who.name] += 1
        try:
            topic, seat = await self._seat(who, scope)
            scope.clear()  # a socket stays for hours, and nobody needs any more what was said at its beginning
            line = Line(seat, send, partial(still_there, services, who), metrics.socket_dropped)
            try:
                with ending(services, who, line.sign_out):
                    return await line.serve(receive)
            finally:
                hub.leave(topic, seat)
        finally:
            self._held[who.name] -= 1

    async def _seat(self, who: Watcher, scope: Scope) -> tuple[Topic, Seat]:
        hub: Hub = scope["state"]["hub"]
        within = self._held[who.name] <= MAX_PER_NAME or not who.name
        if not within or hub.connections >= most_sockets():
            scope["state"]["metrics"].socket_dropped("too_many")
            raise Refused(TRY_LATER)
        joined = await hub.join(*self._sight(who, scope))
        if joined is None:
            raise Refused(NO_GATE)
        return joined

    def _sight(self, who: Watcher, scope: Scope) -> tuple[str, LiveView]:
        """Return what is watched, and through which view: what was asked for, but of a screen only what it shows."""
        if who.display is not None:
            return who.display.gate, self._app_state.wall_view(who.display)
        asked = QueryParams(scope["query_string"])
        views: dict[str, LiveView] = {"data": PLAIN} | getattr(self._app_state, "live_views", {})
        return asked.get("gate", "default"), views.get(asked.get("view", "data"), PLAIN)


def live_router(endpoint: LiveEndpoint) -> APIRouter:
    """Return a router through which the socket is found, too: by who lists all routes, or serves us under a prefix."""
    router = APIRouter()

    @router.websocket(PATH)
    async def live(websocket: WebSocket) -> None:
        await endpoint(websocket.scope, websocket.receive, websocket.send)

    return router


def most_sockets() -> int:
    """Return how many sockets may be open at once: of the files that this process may open, others need some, too."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if files == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, files * 3 // 5)


async def _accepted(scope: Scope, receive: Receive, send: Send) -> bool:
    """Finish the handshake, but not with a foreign page. Who it is that connects is asked afterwards."""
    await receive()
    headers, services = Headers(scope=scope), scope["state"]["services"]
    origin = headers.get("origin")
    if origin and not origin_allowed(origin, headers.get("host", ""), services.settings.allowed_origins):
        scope["state"]["metrics"].socket_dropped("origin")
        await send({"type": "websocket.close", "code": FORBIDDEN})
        return False
    protocol = PROTOCOL if PROTOCOL in scope["subprotocols"] else None
    await send({"type": "websocket.accept", "subprotocol": protocol, "headers": []})
    return True


async def _admit(scope: Scope) -> Watcher:
    """Return who connects. Raises Refused without a session or a key, or with one that may not read."""
    socket = HTTPConnection(scope)
    who = await watcher(socket, scope["state"]["services"])
    if who is None or (who.session is not None and not socket.headers.get("origin")):
        raise Refused(SIGNED_OUT)
    if not who.may_watch:
        raise Refused(FORBIDDEN)
    return who


async def _close(send: Send, code: int) -> None:
    try:
        async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
            await send({"type": "websocket.close", "code": code, "reason": ""})
    except (OSError, RuntimeError):  # nobody is there to be told
        return
