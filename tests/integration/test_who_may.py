"""Who may do what: every route of the app, asked by everybody there can be.

A route says itself which scope it needs; here it is asked whether it means it. New routes are found by themselves.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from starlette.types import Message, Receive, Scope, Send

from app.api.campaign_gate import PATH as CAMPAIGN_GATE
from app.api.readiness import PATH as READINESS
from app.api.routes import OWN_GUARDS, scope_of
from app.core.access import SCOPES_OF, Role, may
from app.main import HoldfireApp, create_app
from app.ports.keys import SCOPES
from app.ports.sessions import Session
from app.ports.users import User
from app.services.container import Services
from app.services.sessions import PLAIN_COOKIE
from app.settings import Settings
from app.store.bundle import open_store
from app.store.sessions import SqlSessions
from app.web.pages import OPEN, page_scope
from tests.support.people import PASSWORD
from tests.support.routes import Served, served

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOST = "holdfire.example"
OWN = {"Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"}
# Served to everybody, by intent: no page of ours, no operation on data.
FREE = {"/openapi.json", "/docs", "/livez", "/-/healthy", "/readyz", "/-/ready", "/metrics", "/static"}
AHEAD_OF_THE_ROUTER = (("GET", READINESS, "readiness"), ("GET", CAMPAIGN_GATE, "readiness"))


@dataclass
class House:
    """A started app, and what each kind of person or program would send to be let in."""

    app: HoldfireApp
    state: Mapping[str, Any]
    services: Services

    def __post_init__(self) -> None:
        self.keys: dict[str, str] = {}
        self.cookies: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = dict(self.state)
        await self.app(scope, receive, send)

    async def ask(self, one: Served, headers: Mapping[str, str]) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=self)
        async with httpx2.AsyncClient(transport=transport, base_url=f"http://{HOST}", timeout=30) as client:
            return await client.request(one.method, one.example, headers=headers)

    def page_headers(self, cookie: str | None) -> dict[str, str]:
        """Return what a browser sends from a page of ours with this cookie."""
        if cookie is None:
            return dict(OWN)
        token = self.services.sessions.form_token(cookie)
        return {**OWN, "Cookie": f"{PLAIN_COOKIE}={cookie}", "X-CSRF-Token": token}

    async def watch(self, path: str, headers: Mapping[str, str], prefix: str = "") -> int | None:
        """Return the code with which a socket is ended at once, None where it sends a frame.

        prefix: under which a proxy serves us, so that no branch ahead of the router takes the socket.
        """
        scope: dict[str, Any] = {
            "type": "websocket",
            "path": prefix + path,
            "raw_path": (prefix + path).encode(),
            "query_string": b"",
            "root_path": prefix,
            "scheme": "ws",
            "headers": [(name.lower().encode(), value.encode()) for name, value in {"Host": HOST, **headers}.items()],
            "subprotocols": [],
            "client": ("192.0.2.1", 1),
            "server": (HOST, 80),
        }
        said: asyncio.Queue[Message] = asyncio.Queue()
        began = False

        async def receive() -> Message:
            nonlocal began
            if began:
                await asyncio.Event().wait()
            began = True
            return {"type": "websocket.connect"}

        task = asyncio.create_task(self(scope, receive, said.put))
        try:
            while (message := await asyncio.wait_for(said.get(), 10))["type"] == "websocket.accept":
                pass
            return int(message["code"]) if message["type"] == "websocket.close" else None
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def a_house(folder: Path) -> AsyncIterator[House]:
    """Yield an app with a user of each role and a key of each scope; and some that are good no more."""
    settings = Settings(data_dir=folder)
    app = create_app(settings)
    async with app.router.lifespan_context(app) as state:
        assert state is not None
        house = House(app, state, state["services"])
        users = {role: await _user(house.services, role) for role in Role}
        for role, user in users.items():
            house.cookies[role] = (await house.services.sessions.begin(user, "", None))[1]
        for scope in SCOPES:
            house.keys[scope] = (await house.services.keys.create(str(scope), [str(scope)]))[1]
        revoked, house.keys["revoked"] = await house.services.keys.create("revoked", ["admin"])
        await house.services.keys.revoke(revoked.id)
        await _add_what_is_good_no_more(house, settings, users[Role.ADMIN])
        yield house


async def _user(services: Services, name: str, role: Role = Role.ADMIN) -> User:
    kind = Role(name) if name in set(Role) else role
    return await services.accounts.add(f"{name}@example.com", name, kind, PASSWORD)


async def _add_what_is_good_no_more(house: House, settings: Settings, admin: User) -> None:
    """Put an old session of the admin's, and one of somebody disabled, into the table: nobody else would."""
    disabled = await _user(house.services, "disabled")
    await house.services.accounts.change(disabled, admin.actor, disabled=True)
    async with open_store(settings.resolved_database_url, house.services.clock) as store:
        sessions = SqlSessions(store.database)
        for name, user, age in (("expired", admin, timedelta(days=2)), ("disabled", disabled, timedelta(0))):
            session, cookie = await house.services.sessions.begin(user, "", None)
            old = replace(session, created_at=session.created_at - age, expires_at=session.expires_at - age)
            await sessions.delete_sessions([session.id_sha256], None)
            await sessions.add_session(Session(**{part: getattr(old, part) for part in Session.__slots__}), None)
            house.cookies[name] = cookie


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with a_house(tmp_path_factory.mktemp("house")) as made:
        yield made


def is_let_in(answer: httpx2.Response) -> bool:
    """Return whether an answer is one of what was asked for, or about it; not of who asked."""
    if answer.status_code == 401:
        return False
    if answer.status_code == 303 and answer.headers["location"].startswith("/sign-in"):
        return False
    return not (
        answer.status_code == 403
        and ("insufficient_scope" in str(answer.headers) or "You may not do this" in answer.text)
    )


def pages(app: HoldfireApp) -> list[tuple[Served, str]]:
    """Return every page's route with the scope that it names."""
    found = []
    for one in served(app):
        if one.path in FREE | OPEN or one.path.startswith("/api/") or one.method == "WS":
            continue
        scope = page_scope(one.route)
        assert scope is not None
        found.append((one, scope))
    return found


def operations(app: HoldfireApp) -> list[tuple[Served, str]]:
    """Return every operation of the API with the scope, or the guard of its own, that it names."""
    found = [(one, scope_of(one.route)) for one in served(app) if one.path.startswith("/api/") and one.method != "WS"]
    return found + [(Served(method, path, found[0][0].route), scope) for method, path, scope in AHEAD_OF_THE_ROUTER]


async def test_pages_are_for_people_whose_role_has_the_scope_and_for_nobody_else(house: House):
    scopes = {**{role.value: SCOPES_OF[role] for role in Role}, "expired": frozenset(), "disabled": frozenset()}
    wrong = []
    for one, scope in pages(house.app):
        for who, has in scopes.items():
            answer = await house.ask(one, house.page_headers(house.cookies[who]))
            if is_let_in(answer) is not may(frozenset(map(str, has)), scope):
                wrong.append(f"{one.method} {one.path} ({scope}) for {who}: {answer.status_code}")
            assert answer.status_code < 500 or answer.status_code == 503, f"{one.method} {one.path}: {answer.text}"
    assert wrong == []


async def test_pages_are_not_for_who_is_not_signed_in_nor_for_keys(house: House):
    strangers = (
        dict(OWN),
        {**OWN, "Cookie": f"{PLAIN_COOKIE}=made-up"} | {"X-CSRF-Token": house.services.sessions.form_token("made-up")},
        {**OWN, "Authorization": f"Bearer {house.keys['admin']}"},
        {**OWN, "Cookie": f"{PLAIN_COOKIE}={house.keys['admin']}"}
        | {"X-CSRF-Token": house.services.sessions.form_token(house.keys["admin"])},
    )
    asked = [(one, await house.ask(one, headers)) for one, _ in pages(house.app) for headers in strangers]
    assert [f"{one.method} {one.path}: {answer.status_code}" for one, answer in asked if is_let_in(answer)] == []


async def test_no_page_is_changed_from_another_site_or_without_the_sessions_token(house: House):
    cookie = house.cookies[Role.ADMIN]
    good = house.page_headers(cookie)
    bad: list[dict[str, str]] = [
        {**good, "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {**good, "Sec-Fetch-Site": "same-site"},
        {name: value for name, value in good.items() if name not in OWN},
        {name: value for name, value in good.items() if name != "X-CSRF-Token"},
        {**good, "X-CSRF-Token": house.services.sessions.form_token(house.cookies[Role.VIEWER])},
        {**good, "X-CSRF-Token": "nonsense"},
    ]
    changing = [one for one, _ in pages(house.app) if one.method not in {"GET", "HEAD"}]
    changing += [one for one in served(house.app) if one.path == "/sign-out"]
    taken = []
    for one in changing:
        for headers in bad:
            answer = await house.ask(one, headers)
            if answer.status_code != 403 or "so nothing was done" not in answer.text:
                taken.append(f"{one.method} {one.path} with {headers}: {answer.status_code}")
    assert len(changing) > 10
    assert taken == []
    assert await house.services.sessions.find(cookie) is not None


async def test_reading_a_page_is_get_and_changing_something_is_not(house: House):
    methods = {one.method for one, _ in pages(house.app)}
    assert methods <= {"GET", "HEAD", "POST"}


async def test_operations_are_for_keys_that_have_the_scope(house: House):
    wrong = []
    for one, scope in operations(house.app):
        for who in (*SCOPES, "revoked"):
            answer = await house.ask(one, {"Authorization": f"Bearer {house.keys[who]}"})
            has = frozenset() if who == "revoked" else frozenset({str(who)})
            expected = scope not in OWN_GUARDS.values() and may(has, scope)
            if is_let_in(answer) is not expected:
                wrong.append(f"{one.method} {one.path} ({scope}) for {who}: {answer.status_code}")
            assert answer.status_code < 500 or answer.status_code == 503, f"{one.method} {one.path}: {answer.text}"
    assert wrong == []


async def test_operations_are_not_for_cookies_whosever_they_are(house: House):
    answers = [
        (one, who, await house.ask(one, house.page_headers(house.cookies.get(who))))
        for one, _ in operations(house.app)
        for who in ("nobody", *Role)
    ]
    let_in = [f"{one.method} {one.path} for {who}" for one, who, answer in answers if answer.status_code != 401]
    assert let_in == []


async def test_sockets_are_for_sessions_and_keys_that_may_read(house: House):
    sockets = [one for one in served(house.app) if one.method == "WS"]
    assert "/api/v1/live" in {one.path for one in sockets}
    for one in sockets:
        assert await house.watch(one.example, {}) is not None
    assert await house.watch("/api/v1/live", {}) == 4401
    for who, cookie in house.cookies.items():
        code = await house.watch("/api/v1/live", house.page_headers(cookie))
        assert code == (None if who in set(Role) else 4401), who
        assert await house.watch("/api/v1/live", {"Cookie": f"{PLAIN_COOKIE}={cookie}"}) == 4401, who
        foreign = house.page_headers(cookie) | {"Origin": "https://evil.example"}
        assert await house.watch("/api/v1/live", foreign) == 4403, who
    for scope in SCOPES:
        code = await house.watch("/api/v1/live", {"Authorization": f"Bearer {house.keys[scope]}"})
        assert code == (None if may(frozenset({str(scope)}), "read") else 4403), scope
    assert await house.watch("/api/v1/live", {"Authorization": f"Bearer {house.keys['revoked']}"}) == 4401


@pytest.mark.parametrize("prefix", ["", "/holdfire"], ids=["ahead of the router", "through the router"])
async def test_whichever_way_a_socket_comes_it_is_asked_who_it_is(house: House, prefix: str):
    assert await house.watch("/api/v1/live", {}, prefix) == 4401
    foreign = house.page_headers(house.cookies[Role.ADMIN]) | {"Origin": "https://evil.example"}
    assert await house.watch("/api/v1/live", foreign, prefix) == 4403
    codes = [await house.watch("/api/v1/live", {"Authorization": f"Bearer {key}"}, prefix) for key in bearers(house)]
    assert codes == [None, 4403, 4401]


def bearers(house: House) -> list[str]:
    """A key that may read, one that may not, and one that was revoked."""
    return [house.keys["read"], house.keys["readiness"], house.keys["revoked"]]


async def test_what_anybody_may_see_is_what_was_meant(house: House):
    named = {one.path for one, _ in (*pages(house.app), *operations(house.app))}
    free = {one.path for one in served(house.app) if one.method != "WS"} - named
    assert free == FREE | OPEN
