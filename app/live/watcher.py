"""Who opens a live socket, and whether they still may: a person by session, a program by key, a screen by its token."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from app.core.access import may
from app.ports.displays import Display
from app.ports.keys import ApiKey
from app.ports.sessions import Session
from app.services.container import Services
from app.services.displays import PREFIX as DISPLAY_PREFIX
from app.services.sessions import cookie_in

SCOPE = "read"
PROTOCOL, BEARER = "holdfire.v1", "bearer."


@dataclass(frozen=True, slots=True)
class Watcher:
    """Somebody who watches: with a key, or signed in; with authentication off neither. Or a screen on the wall.

    name: under which their sockets are counted. display: a screen sees what it shows, and nothing else.
    """

    name: str = ""
    scopes: frozenset[str] = frozenset({SCOPE})
    key: ApiKey | None = None
    session: Session | None = None
    display: Display | None = None

    @property
    def may_watch(self) -> bool:
        """Whether they may read at all."""
        return may(self.scopes, SCOPE)


async def watcher(socket: HTTPConnection, services: Services) -> Watcher | None:
    """Return who connects, None for who did not say, or is not known.

    A key comes as Authorization: Bearer, or, from browsers of other programs, as the second sub-protocol
    `bearer.<key>` beside `holdfire.v1`, as a screen's token does; a page's session comes as its cookie.
    """
    token = _token(socket)
    if token and token.startswith(DISPLAY_PREFIX):
        display = services.displays.authenticate(token)
        return Watcher(display.id, display=display) if display else None
    if services.settings.auth == "off":
        return Watcher()
    if token:
        key = services.keys.authenticate(token)
        return Watcher(key.id, key.scopes, key=key) if key else None
    cookie = cookie_in(socket.cookies, secure=services.settings.public_url.startswith("https"))
    found = await services.sessions.find(cookie) if cookie else None
    return Watcher(found.user.id, found.user.scopes, session=found.session) if found else None


def still_there(services: Services, who: Watcher) -> bool:
    """Return, from memory, whether a watcher's key is still good. Of a session's or screen's end `ending` tells."""
    return who.key is None or services.keys.valid(who.key.id) is not None


def ending(services: Services, who: Watcher, over: Callable[[], None]) -> AbstractContextManager[None]:
    """Have `over` called as soon as the watcher's session is over, or the screen taken down; else never."""
    if who.session is not None:
        return services.sessions.watching(who.session, over)
    if who.display is not None:
        return services.displays.watching(who.display, over)
    return nullcontext()


def _token(socket: HTTPConnection) -> str | None:
    scheme, _, token = socket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    protocols: list[str] = socket.scope["subprotocols"]
    return next((name.removeprefix(BEARER) for name in protocols if name.startswith(BEARER)), None)
