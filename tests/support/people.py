"""People who look at pages: signed in to a real server, by the same forms as anybody."""

import json
import re
import time

import httpx2

from app.core.access import SCOPES_OF, Role
from tests.support.server import Server, run_cli

SECONDS = 15
_TOKEN = re.compile(r'<meta name="csrf-token" content="([\w-]+)">')


def visiting(server: Server) -> httpx2.Client:
    """Return a client that looks at a server without sign-in and sends its forms as its pages would."""
    client = server.client()
    client.headers |= from_own_pages(server)
    return take_token(client)


def signed_in(server: Server, role: Role | str = Role.ADMIN) -> httpx2.Client:
    """Return a client in which somebody of that role is signed in and sends forms as our pages would; close it."""
    client = server.client()
    client.headers |= from_own_pages(server)
    chosen = [word for scope in sorted(SCOPES_OF[Role(role)]) for word in ("--scope", scope)]
    made = run_cli("keys", "create", str(role), *chosen, "--json", **server.environment)
    assert made.returncode == 0, made.stderr
    key, latest = json.loads(made.stdout)["key"], time.monotonic() + SECONDS
    while client.post("/sign-in", data={"key": key}).status_code != 303:  # it reads its keys anew every few seconds
        assert time.monotonic() < latest, "the server does not know the key"
        time.sleep(0.2)
    return take_token(client)


def session_cookies(server: Server, role: Role | str = Role.ADMIN) -> list[dict[str, str]]:
    """Return what signs somebody of that role in to a browser: `page.context.add_cookies(session_cookies(server))`."""
    with signed_in(server, role) as client:
        return [{"name": name, "value": value, "url": server.url} for name, value in client.cookies.items()]


def from_own_pages(server: Server) -> dict[str, str]:
    """Return the headers with which a browser marks what our own pages send."""
    return {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}


def take_token(client: httpx2.Client) -> httpx2.Client:
    """Return the client, which sends its session's token from now on with everything, as our pages' forms do."""
    found = _TOKEN.search(client.get("/").text)
    assert found, "the page has no token"
    client.headers["X-CSRF-Token"] = found[1]
    return client
