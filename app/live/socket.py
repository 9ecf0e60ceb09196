"""The live socket, WS /api/v1/live: who may open it, what ends it, and two loops that run side by side.

Close codes: 4401 not signed in or no longer, or a screen that was taken down, 4403 may not read, 4404 no such gate,
1008 too many words from the other side, 1012 the server restarts, 1013 too slow or too many. A foreign Origin is
refused with 403 before the handshake: browsers send cookies with sockets to anywhere (OWASP ASVS 5.0.0, 4.4.2).
"""

import asyncio
import resource
from collections import Counter

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from app.live.hub import PLAIN, Hub, Seat
from app.live.watcher import PROTOCOL, Watcher, ending, still_there, watcher
from app.services.container import Services
from app.services.live_view import LiveView
from app.services.origins import origin_allowed

SIGNED_OUT, FORBIDDEN, NO_GATE, CHATTER, RESTART, TRY_LATER = 4401, 4403, 4404, 1008, 1012, 1013

SEND_TIMEOUT_SECONDS = 5.0
MAX_MESSAGES = 100
MAX_CONNECTIONS = 10_000
MAX_PER_NAME = 1_000  # sockets of one key, or of one person


class Refused(Exception):
    """The socket ends, with this close code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def live_router() -> APIRouter:
    """Return the router with the live socket."""
    router = APIRouter()
    held: Counter[str] = Counter()

    @router.websocket("/api/v1/live")
    async def live(websocket: WebSocket, gate: str = "default", view: str = "data") -> None:
        """Send a gate's snapshot now, after each change and at least every 5 s; view "page" is the board's own.

        A screen on the wall gets what it shows, whatever it asks for.
        """
        await _live(websocket, gate, view, held)

    return router


async def _live(websocket: WebSocket, gate: str, view: str, held: Counter[str]) -> None:
    services: Services = websocket.state.services
    origin = websocket.headers.get("origin")
    if origin and not origin_allowed(origin, websocket.headers.get("host", ""), services.settings.allowed_origins):
        websocket.state.metrics.socket_dropped("origin")
        await websocket.close(FORBIDDEN)
        return
    protocols = websocket.scope["subprotocols"]
    await websocket.accept(subprotocol=PROTOCOL if PROTOCOL in protocols else None)
    try:
        who = await _admit(websocket, services)
        held[who.name] += 1
        try:
            await _seated(websocket, gate, view, who, within=held[who.name] <= MAX_PER_NAME or not who.name)
        finally:
            held[who.name] -= 1
    except Refused as refused:
        await _close(websocket, refused.code)


async def _admit(websocket: WebSocket, services: Services) -> Watcher:
    """Return who connects. Raises Refused without a session or a key, or with one that may not read."""
    who = await watcher(websocket, services)
    if who is None or (who.session is not None and not websocket.headers.get("origin")):
        raise Refused(SIGNED_OUT)
    if not who.may_watch:
        raise Refused(FORBIDDEN)
    return who


async def _seated(websocket: WebSocket, gate: str, view: str, who: Watcher, *, within: bool) -> None:
    hub: Hub = websocket.state.hub
    if not within or hub.connections >= most_sockets():
        websocket.state.metrics.socket_dropped("too_many")
        raise Refused(TRY_LATER)
    joined = await hub.join(*_sight(websocket, gate, view, who))
    if joined is None:
        raise Refused(NO_GATE)
    topic, seat = joined
    try:
        with ending(websocket.state.services, who) as over:
            await _serve(websocket, seat, who, over)
    finally:
        hub.leave(topic, seat)


def most_sockets() -> int:
    """Return how many sockets may be open at once: of the files that this process may open, others need some, too."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if files == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, files * 3 // 5)


def _sight(websocket: WebSocket, gate: str, view: str, who: Watcher) -> tuple[str, LiveView]:
    """Return what is watched, and through which view: what was asked for, but of a screen only what it shows."""
    state = websocket.app.state
    if who.display is not None:
        return who.display.gate, state.wall_view(who.display)
    views: dict[str, LiveView] = {"data": PLAIN} | getattr(state, "live_views", {})
    return gate, views.get(view, PLAIN)


async def _serve(websocket: WebSocket, seat: Seat, who: Watcher, over: asyncio.Event) -> None:
    """Send and listen until one of both ends, or the session does: who left unheard would never be noticed."""
    jobs = (_send(websocket, seat, who), _listen(websocket), _until(over))
    loops = [asyncio.ensure_future(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
        for loop in done:
            loop.result()
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def _until(over: asyncio.Event) -> None:
    await over.wait()
    raise Refused(SIGNED_OUT)


async def _send(websocket: WebSocket, seat: Seat, who: Watcher) -> None:
    services: Services = websocket.state.services
    while (frame := await seat.take()) is not None:
        if not still_there(services, who):
            raise Refused(SIGNED_OUT)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                await websocket.send(frame)
        except TimeoutError:
            websocket.state.metrics.socket_dropped("slow")
            raise Refused(TRY_LATER) from None
        except (WebSocketDisconnect, RuntimeError):  # it left while we wrote
            return
    raise Refused(RESTART)


async def _listen(websocket: WebSocket) -> None:
    """Return when the other side has gone. Nothing it says means anything; too much of it ends the connection."""
    for _ in range(MAX_MESSAGES):
        if (await websocket.receive())["type"] == "websocket.disconnect":
            return
    raise Refused(CHATTER)


async def _close(websocket: WebSocket, code: int) -> None:
    try:
        async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
            await websocket.close(code)
    except (TimeoutError, WebSocketDisconnect, RuntimeError):  # nobody is there to be told
        return
