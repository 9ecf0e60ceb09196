"""The pages over HTTP, with sign-in on: headers, cookies, forms from elsewhere, static files."""

import asyncio
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect

from app.web.assets import ONLY_COMMENT
from tests.integration.test_live_socket import a_key, end_of
from tests.support.people import PASSWORD, a_user, take_token
from tests.support.server import Server, a_server

READER = "reader@example.com"


class Guarded:
    """A server that wants a sign-in, somebody who may read there, and a key that may, too."""

    def __init__(self, data_dir: Path) -> None:
        self.reader = a_key(data_dir, "read")
        a_user({"HOLDFIRE_DATA_DIR": str(data_dir)}, READER, "viewer")
        self.data_dir = data_dir
        self.server: Server

    def sign_in(self, client: httpx2.Client, password: str = PASSWORD, onward: str = "/", **headers: str):
        sent = headers or {"Origin": self.server.url, "Sec-Fetch-Site": "same-origin"}
        form = {"email": READER, "password": password, "next": onward}
        answer = client.post("/sign-in", data=form, headers=sent)
        if "holdfire" in client.cookies:
            take_token(client)
        return answer


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    made = Guarded(tmp_path_factory.mktemp("guarded"))
    with a_server(made.data_dir, auth="on") as made.server:
        yield made


@pytest.fixture
def client(guarded: Guarded) -> Iterator[httpx2.Client]:
    with guarded.server.client() as opened:
        yield opened


def test_a_stranger_is_led_to_the_form_and_back(guarded: Guarded, client):
    answer = client.get("/?gate=default&range=6h")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2F%3Fgate%3Ddefault%26range%3D6h"
    form = client.get(answer.headers["location"])
    assert 'value="/?gate=default&amp;range=6h"' in form.text
    signed_in = guarded.sign_in(client, onward="/?gate=default&range=6h")
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/?gate=default&range=6h")
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("path", ["/partials/board", "/partials/log", "/partials/charts?queue=x"])
def test_a_script_without_session_hears_401_and_no_data(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.content) == (401, b"")


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(guarded: Guarded, client):
    cookie = guarded.sign_in(client).headers["set-cookie"]
    assert re.match(r"holdfire=[\w-]{43};", cookie)
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=43200" in cookie


def test_a_wrong_password_is_refused_with_the_form_and_is_not_on_it(guarded: Guarded, client):
    answer = guarded.sign_in(client, "a wrong one, this is")
    assert answer.status_code == 403
    assert "do not go together" in answer.text
    assert f'value="{READER}"' in answer.text
    assert "set-cookie" not in answer.headers
    assert "a wrong one" not in answer.text


def test_an_api_key_is_no_cookie_and_a_cookie_is_no_api_key(guarded: Guarded, client):
    assert client.get("/", headers={"Authorization": f"Bearer {guarded.reader['key']}"}).status_code == 303
    guarded.sign_in(client)
    assert client.get("/api/v1/floor").status_code == 401


def test_signing_out_ends_the_session_even_for_who_kept_the_cookie(guarded: Guarded, client):
    guarded.sign_in(client)
    kept = client.cookies["holdfire"]
    client.post("/sign-out", headers={"Sec-Fetch-Site": "same-origin"})
    client.cookies.clear()
    assert client.get("/", headers={"Cookie": f"holdfire={kept}"}).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://other.hold.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Accept": "*/*"},
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
def test_a_form_from_elsewhere_does_nothing(guarded: Guarded, client, path, headers):
    guarded.sign_in(client)
    answer = client.post(path, data={"email": READER, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(guarded: Guarded, client, onward):
    assert guarded.sign_in(client, onward=onward).headers["location"] == "/"


def test_every_page_has_a_strict_policy_with_a_nonce_of_its_own(guarded: Guarded, client):
    guarded.sign_in(client)
    policies = []
    for path in ("/", "/", "/sign-in", "/history?queue=x", "/?gate=nowhere"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert re.findall(r"<script(?![^>]*\bsrc=)", answer.text) == []
        assert re.findall(r"\son\w+=|\sstyle=", answer.text) == []
        policies.append(policy)
    assert len(set(policies)) == len(policies)


def test_a_page_loads_nothing_from_anywhere_else(guarded: Guarded, client):
    guarded.sign_in(client)
    page = client.get("/").text
    loaded = re.findall(r'<(?:script|link|img)[^>]*\b(?:src|href)="([^"]+)"', page)
    assert len(loaded) >= 5
    assert all(url.startswith("/static/") for url in loaded)


def test_static_files_are_kept_for_ever_under_the_builds_own_url(guarded: Guarded, client):
    guarded.sign_in(client)
    url = re.search(r'href="(/static/\w{12}/css/holdfire\.css)"', client.get("/").text)[1]  # type: ignore[index]
    answer = client.get(url)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    plain = client.get(url, headers={"Accept-Encoding": "identity"})
    assert ONLY_COMMENT.sub(b"", plain.content) == answer.content
    outdated = client.get(re.sub(r"static/\w{12}", "static/000000000000", url))
    assert (outdated.status_code, outdated.headers["cache-control"]) == (200, "no-cache")
    assert client.get("/static/css/holdfire.css").headers["cache-control"] == "no-cache"
    assert client.get("/static/x/../../main.py").status_code == 404
    assert client.get("/static/x/%2e%2e/%2e%2e/main.py").status_code == 404


def test_an_unknown_gate_and_a_bad_choice_are_told(guarded: Guarded, client):
    guarded.sign_in(client)
    assert client.get("/?gate=nowhere").status_code == 404
    assert client.get("/partials/board?gate=nowhere").status_code == 404
    assert client.get("/?metric=beauty&range=9y&queue=none").status_code == 200
    assert client.get("/partials/charts?queue=x&theme=loud").status_code == 422


def test_names_from_outside_are_text_and_nothing_else(tmp_path: Path):
    nasty = '<img src=x onerror="alert(1)">'
    with a_server(tmp_path) as server, server.client() as client:
        body = {"queue": "q", "source": nasty, "observed_at": "2026-01-01T00:00:00Z", "backlog": 1}
        assert client.post("/api/v1/observations", json=body).status_code in {200, 422}
        client.get("/api/v1/readiness", params={"campaign": nasty, "audience": 5})
        for path in ("/", "/partials/asks", f"/history?queue={nasty}"):
            assert "<img" not in client.get(path).text


async def test_signing_out_closes_the_pages_socket_too(guarded: Guarded):
    with guarded.server.client() as client:
        guarded.sign_in(client)
        headers = {"Cookie": f"holdfire={client.cookies['holdfire']}", "Origin": guarded.server.url}
        url = guarded.server.url.replace("http", "ws") + "/api/v1/live?view=page"
        async with asyncio.timeout(60), connect(url, additional_headers=headers) as socket:
            frame = json.loads(gzip.decompress(await socket.recv(decode=False)))
            assert 'id="verdict"' in frame["html"]
            await asyncio.to_thread(client.post, "/sign-out", headers={"Origin": guarded.server.url})
            assert await end_of(socket) == 4401
