"""People who look at pages: signed in to a real server, by the same forms as anybody."""

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Self, TypeVar

import httpx2

from app.clocks import SystemClock
from app.core.access import Role
from app.core.event import HOLDFIRE
from app.services.passwords import Passwords
from app.settings import load_settings
from app.store.bundle import open_store
from app.wiring.people import people_services
from tests.support.server import NO_TLS, Server
from tests.support.signing_in import CHEAP

PASSWORD = "four words in a row"
_TOKEN = re.compile(r'<meta name="csrf-token" content="([\w-]+)">')
_numbers = count(1)
Client = TypeVar("Client", bound=httpx2.Client)


class Visitor(httpx2.Client):
    """A browser's cookies and headers on one server. It has sent requests already where a with statement takes it."""

    def __init__(self, server: Server) -> None:
        super().__init__(base_url=server.url, headers=from_own_pages(server), timeout=60, verify=NO_TLS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def visiting(server: Server) -> Visitor:
    """Return a client that looks at a server without sign-in and sends its forms as its pages would."""
    return take_token(Visitor(server))


def signed_in(server: Server, role: str = Role.ADMIN, email: str | None = None) -> Visitor:
    """Return a client in which a new user of that role is signed in and sends forms as our pages would; close it.

    email: whose; else somebody nobody has met yet.
    """
    address = email or f"{role}-{next(_numbers)}@example.com"
    a_user(server.environment, address, role)
    return sign_in(server, address)


def a_user(environment: Mapping[str, str], email: str, role: str = Role.ADMIN, password: str = PASSWORD) -> None:
    """Add somebody, called as their address begins, to the database that an environment names."""

    async def add() -> None:
        settings, clock = load_settings(environ=environment), SystemClock()
        async with open_store(settings.resolved_database_url, clock) as store:
            accounts = people_services(settings, clock, store, Passwords(CHEAP)).accounts
            await accounts.add(email, email.partition("@")[0], Role(role), password, by=HOLDFIRE)

    with ThreadPoolExecutor(1) as elsewhere:  # a test may have an event loop of its own
        elsewhere.submit(asyncio.run, add()).result()


def sign_in(server: Server, email: str, password: str = PASSWORD) -> Visitor:
    """Return a client in which somebody is signed in and sends forms as our pages would; close it."""
    client = Visitor(server)
    answer = client.post("/sign-in", data={"email": email, "password": password})
    assert answer.status_code == 303, answer.text
    return take_token(client)


def session_cookies(server: Server, role: str = Role.ADMIN) -> list[dict[str, str]]:
    """Return what signs somebody of that role in to a browser: `page.context.add_cookies(session_cookies(server))`."""
    with signed_in(server, role) as client:
        return [{"name": name, "value": value, "url": server.url} for name, value in client.cookies.items()]


def from_own_pages(server: Server) -> dict[str, str]:
    """Return the headers with which a browser marks what our own pages send."""
    return {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}


def take_token(client: Client) -> Client:
    """Return the client, which sends its session's token from now on with everything, as our pages' forms do."""
    found = _TOKEN.search(client.get("/settings/me").text)
    assert found, "the page has no token"
    client.headers["X-CSRF-Token"] = found[1]
    return client
