"""How somebody arrives: from which address and in which browser; and the cookie with which they stay."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from fastapi import Request
from starlette.responses import Response

from app.services.sessions import PLAIN_COOKIE, SECURE_COOKIE
from app.settings import Settings
from app.web.visitors import is_secure

# In the order in which they are looked for: many browsers also name those whose pages they want to be given.
BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser_name(user_agent: str) -> str:
    """Return a short description of a browser from what it says of itself: `Firefox on Windows`."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "A browser")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


def client_address(peer: str, forwarded: str, trusted: Sequence[str]) -> str:
    """Return the address that a request came from.

    peer: who is connected with us; forwarded: the X-Forwarded-For that came with it. Its entries are believed from the
    last one on, as long as whoever wrote them is in one of the trusted networks.
    """
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    address = peer
    while hops and _is_in(address, trusted):
        address = hops.pop()
    return address


def _is_in(address: str, networks: Sequence[str]) -> bool:
    try:
        return any(ip_address(address) in ip_network(network) for network in networks)
    except ValueError:  # somebody wrote something else into the header
        return False


def address_of(request: Request) -> str:
    """Return the address that a request came from."""
    settings: Settings = request.state.services.settings
    peer = request.client.host if request.client else ""
    return client_address(peer, ",".join(request.headers.getlist("x-forwarded-for")), settings.trusted_proxies)


def browser_of(request: Request) -> str:
    """Return a short description of the browser that sent a request."""
    return browser_name(request.headers.get("user-agent", ""))


def own_address(request: Request) -> str:
    """Return the address at which people open holdfire, for links: as set, else as this visitor's browser has it."""
    settings: Settings = request.state.services.settings
    return settings.public_url or request.headers.get("origin") or str(request.base_url).rstrip("/")


def stay(request: Request, response: Response, cookie: str) -> None:
    """Give the browser its session's id: not to scripts, not from other sites, over https where there is."""
    settings: Settings = request.state.services.settings
    secure = _came_by_https(request)
    response.set_cookie(
        SECURE_COOKIE if secure else PLAIN_COOKIE,
        cookie,
        max_age=int(settings.session_hours * 3600),
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def leave(request: Request, response: Response) -> None:
    """Take the session's id back from the browser."""
    response.delete_cookie(PLAIN_COOKIE, httponly=True, samesite="lax")
    if _came_by_https(request):
        response.delete_cookie(SECURE_COOKIE, secure=True, httponly=True, samesite="lax")


def _came_by_https(request: Request) -> bool:
    """Return whether the browser is on https, though a proxy in front may speak plain HTTP to us: it says so itself."""
    return is_secure(request) or request.headers.get("origin", "").startswith("https://")
