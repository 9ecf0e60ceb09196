"""Who looks at a page, and may they? Cookies count here and nowhere else; every POST must come from our own pages.

A page's handler names the one scope that it needs by the type of its visitor; install_pages refuses one that does not.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import SecurityScopes

from app.core.access import ADMIN_SCOPE, may
from app.core.event import Actor
from app.services.container import Services
from app.services.origins import origin_allowed
from app.services.sessions import SignedIn, cookie_in
from app.settings import Settings

OWN_SITE = frozenset({"same-origin", "none"})
READING = frozenset({"GET", "HEAD"})
TOKEN_FIELD, TOKEN_HEADER = "csrf", "x-csrf-token"


class SignInNeeded(Exception):
    """The page may only be seen by somebody who is signed in; `location` leads to the form and back."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


class NotAllowed(Exception):
    """Who is signed in may not do what needs this scope."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


class CrossSite(Exception):
    """A form was sent from somebody else's page."""


class StaleForm(Exception):
    """A form is not of this session: its page was opened before somebody signed in, or before a restart."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks. With authentication off it is anybody, who may do everything, and has no name and no session."""

    actor: Actor
    scopes: frozenset[str]
    signed_in: SignedIn | None = None

    @property
    def name(self) -> str | None:
        """What others call them; None for anybody."""
        return self.signed_in.user.name if self.signed_in else None

    def seconds_left(self, now: datetime) -> int | None:
        """Return how long they stay signed in at most; None for anybody."""
        return int((self.signed_in.session.expires_at - now).total_seconds()) if self.signed_in else None

    def may(self, scope: str) -> bool:
        """Return whether the visitor may do what needs a scope; for what a page offers or leaves out."""
        return may(self.scopes, scope)


ANYBODY = Visit(Actor("anonymous", "anonymous"), frozenset({ADMIN_SCOPE}))


async def visitor(scopes: SecurityScopes, request: Request) -> Visit:
    """Return who looks. Raises SignInNeeded for anybody unknown, NotAllowed for who lacks the page's scope."""
    services: Services = request.state.services
    visit = ANYBODY if services.settings.auth == "off" else await _signed_in(services, request)
    request.state.visit = visit
    (scope,) = scopes.scopes
    if not visit.may(scope):
        raise NotAllowed(scope)
    return visit


async def _signed_in(services: Services, request: Request) -> Visit:
    cookie = session_cookie(request)
    found = await services.sessions.find(cookie) if cookie else None
    if found is None:
        raise SignInNeeded(f"/sign-in?next={quote(_way_back(request), safe='')}")
    return Visit(found.user.actor, found.user.scopes, found)


def _way_back(request: Request) -> str:
    """Return the path to go on to after signing in: this page, or the one whose form was sent."""
    url = request.url
    if request.method not in READING:
        sender = urlsplit(request.headers.get("referer", ""))
        return local_path(f"{sender.path}?{sender.query}" if sender.query else sender.path or "/")
    return f"{url.path}?{url.query}" if url.query else url.path


def is_secure(request: Request) -> bool:
    """Return whether the visitor's browser came by https: to us, or to the proxy in front that we are known by."""
    settings: Settings = request.state.services.settings
    return request.url.scheme == "https" or settings.public_url.startswith("https://")


def session_cookie(request: Request) -> str | None:
    """Return the session id among a request's cookies, None without one."""
    return cookie_in(request.cookies, secure=is_secure(request))


async def own_form(request: Request) -> None:
    """Raise CrossSite or StaleForm unless a form comes from our own pages, and from this very session's."""
    await own_site(request)
    services: Services = request.state.services
    cookie, needed = _forms_of(request)
    sent = request.headers.get(TOKEN_HEADER) or (await request.form()).get(TOKEN_FIELD) if needed else ""
    if needed and not (isinstance(sent, str) and services.sessions.is_form_token(cookie, sent)):
        raise StaleForm


def form_token(request: Request) -> str:
    """Return what forms on a page must carry; empty where nobody is signed in, so that nobody's rights can be misused.

    With authentication off it is the process's own.
    """
    services: Services = request.state.services
    cookie, needed = _forms_of(request)
    return services.sessions.form_token(cookie) if needed else ""


def _forms_of(request: Request) -> tuple[str | None, bool]:
    """Return the session that a request's forms belong to, None for the process itself; and whether any must."""
    services: Services = request.state.services
    if services.settings.auth == "off":
        return None, True
    cookie = session_cookie(request)
    return cookie, cookie is not None


async def own_site(request: Request) -> None:
    """Raise CrossSite unless a request comes from our own pages, by Sec-Fetch-Site or else by Origin."""
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


Visitor = Annotated[Visit, Security(visitor, scopes=["read"])]
CampaignVisitor = Annotated[Visit, Security(visitor, scopes=["campaigns"])]
PermitVisitor = Annotated[Visit, Security(visitor, scopes=["permits"])]
PolicyVisitor = Annotated[Visit, Security(visitor, scopes=["policies"])]
AdminVisitor = Annotated[Visit, Security(visitor, scopes=["admin"])]
OwnForm = Annotated[None, Depends(own_form)]
OwnSite = Annotated[None, Depends(own_site)]  # for signing in, when there is no session yet
