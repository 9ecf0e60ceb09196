"""Who opens a live socket, and whether they still may: a person by their session, a program by its key."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import WebSocket

from app.core.access import may
from app.ports.keys import ApiKey
from app.ports.sessions import Session
from app.services.container import Services
from app.services.sessions import cookie_in

SCOPE = "read"
PROTOCOL, BEARER = "holdfire.v1", "bearer."


@dataclass(frozen=True, slots=True)
class Watcher:
    """Somebody who watches: with a key, or signed in; with authentication off neither.

    name: under which their sockets are counted.
    """

    name: str = ""
    scopes: frozenset[str] = frozenset({SCOPE})
    key: ApiKey | None = None
    session: Session | None = None

    @property
    def may_watch(self) -> bool:
        """Whether they may read at all."""
        return may(self.scopes, SCOPE)


async def watcher(websocket: WebSocket, services: Services) -> Watcher | None:
    """Return who connects, None for who did not say, or is not known.

    A key comes as Authorization: Bearer, or, from browsers of other programs, as the second sub-protocol
    `bearer.<key>` beside `holdfire.v1`; a page's session comes as its cookie.
    """
    if services.settings.auth == "off":
        return Watcher()
    if token := _token(websocket):
        key = services.keys.authenticate(token)
        return Watcher(key.id, key.scopes, key=key) if key else None
    cookie = cookie_in(websocket.cookies, secure=services.settings.public_url.startswith("https"))
    found = await services.sessions.find(cookie) if cookie else None
    return Watcher(found.user.id, found.user.scopes, session=found.session) if found else None


def still_there(services: Services, who: Watcher) -> bool:
    """Return, from memory, whether a watcher's key is still good. Of a session's end `ending` tells."""
    return who.key is None or services.keys.valid(who.key.id) is not None


@contextmanager
def ending(services: Services, who: Watcher) -> Iterator[asyncio.Event]:
    """Yield what is set as soon as the watcher's session is over; never, for who has none."""
    if who.session is None:
        yield asyncio.Event()
        return
    with services.sessions.watching(who.session) as over:
        yield over


def _token(websocket: WebSocket) -> str | None:
    scheme, _, token = websocket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    protocols: list[str] = websocket.scope["subprotocols"]
    return next((name.removeprefix(BEARER) for name in protocols if name.startswith(BEARER)), None)
