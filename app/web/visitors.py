"""Who looks at a page, and may they? Cookies count here and nowhere else; every POST must come from our own pages."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request

from app.services.container import Services
from app.services.origins import origin_allowed
from app.services.sessions import Identity, cookie_in

OWN_SITE = frozenset({"same-origin", "none"})


class SignInNeeded(Exception):
    """The page may only be seen by somebody who is signed in; `location` leads to the form and back."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


class CrossSite(Exception):
    """A form was sent from somebody else's page."""


async def visitor(request: Request) -> Identity | None:
    """Return who looks, None with authentication off. Raises SignInNeeded for anybody unknown."""
    services: Services = request.state.services
    if services.settings.auth == "off":
        return None
    cookie = cookie_in(request.cookies)
    identity = await services.sessions.find(cookie) if cookie else None
    if identity is None:
        query = f"?{request.url.query}" if request.url.query else ""
        raise SignInNeeded(f"/sign-in?next={quote(request.url.path + query, safe='')}")
    return identity


async def own_form(request: Request) -> None:
    """Raise CrossSite unless a form comes from our own pages, by Sec-Fetch-Site or else by Origin."""
    services: Services = request.state.services
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    allowed = services.settings.allowed_origins
    if origin in allowed:
        return
    if site is not None and site not in OWN_SITE:
        raise CrossSite
    if site is None and not (origin and origin_allowed(origin, request.headers.get("host", ""), allowed)):
        raise CrossSite


def local_path(target: str) -> str:
    """Return a path of ours to go on to; `/` for anything that could lead elsewhere."""
    safe = target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target
    return target if safe and target.isprintable() else "/"


Visitor = Annotated[Identity | None, Depends(visitor)]
OwnForm = Annotated[None, Depends(own_form)]
