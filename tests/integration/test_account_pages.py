"""Accounts over HTTP on a real server: the setup link, sign-in and its cookie, invitations, one's own page, users."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx2
import pytest

from app.core.account.tries import FREE_OF_ACCOUNT
from tests.support.people import PASSWORD, Visitor, a_user, sign_in, signed_in
from tests.support.server import Server, a_server, run_cli

NEW = "quite another sentence"
LINK = re.compile(r'id="link" value="([^"]+)"')


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("people")
    a_user({"HOLDFIRE_DATA_DIR": str(folder)}, "boss@example.com")
    with a_server(folder, auth="on") as started:
        yield started


@pytest.fixture(scope="module")
def boss(server: Server) -> Iterator[Visitor]:
    with sign_in(server, "boss@example.com") as client:
        yield client


@pytest.fixture
def stranger(server: Server) -> Iterator[Visitor]:
    with Visitor(server) as client:
        yield client


def faults(answer: httpx2.Response) -> list[str]:
    return [unescape(text) for text in re.findall(r'class="fault" id="[^"]+">([^<]+)<', answer.text)]


def a_link(boss: Visitor, email: str, role: str = "marketer") -> str:
    answer = boss.post("/settings/users/invite", data={"email": email, "role": role})
    assert answer.status_code == 201
    return str(LINK.findall(answer.text)[0])


def user_id(boss: Visitor, email: str) -> str:
    listed = boss.get("/settings/users").text
    row = re.search(rf"{re.escape(email)}</small>.*?/settings/users/(usr_\w+)/", listed, re.DOTALL)
    assert row
    return row[1]


# --- the first admin ---


def test_the_first_admin_comes_by_the_link_that_is_printed_and_nobody_after(tmp_path: Path):
    with a_server(tmp_path, auth="on") as server, Visitor(server) as first, Visitor(server) as second:
        path = server.wait_for(r"http\S+(/setup/[\w-]{43})\s")[1]
        assert "link when it started" in first.get("/sign-in").text
        assert first.get("/setup/made-up").status_code == 404
        assert second.get(path).status_code == 200
        form = {"email": "boss@example.com", "name": "Boss", "password": "short"}
        assert first.post(path, data=form).status_code == 422
        made = first.post(path, data=form | {"password": PASSWORD})
        assert (made.status_code, made.headers["location"]) == (303, "/")
        assert first.get("/settings/users").status_code == 200
        assert second.get(path).status_code == 404
        assert second.post(path, data=form | {"email": "eve@example.com", "password": PASSWORD}).status_code == 404
        assert "Password" in second.get("/sign-in").text


def test_a_new_setup_link_is_printed_at_each_start_until_one_was_used(tmp_path: Path):
    links = []
    for _ in range(2):
        with a_server(tmp_path, auth="on") as server, Visitor(server) as client:
            links.append(server.wait_for(r"(/setup/[\w-]{43})\s")[1])
            assert [client.get(link).status_code for link in links] == [404] * (len(links) - 1) + [200]
    a_user({"HOLDFIRE_DATA_DIR": str(tmp_path)}, "boss@example.com")
    with a_server(tmp_path, auth="on") as server, Visitor(server) as client:
        assert [client.get(link).status_code for link in links] == [404, 404]
        assert not [line for line in server.lines if "/setup/" in line]


def test_the_settings_make_the_first_admin_and_later_mean_nothing(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSWORD}\n", encoding="utf-8")
    settings = {"HOLDFIRE_ADMIN_EMAIL": "Root@Example.com", "HOLDFIRE_ADMIN_PASSWORD_FILE": str(secret)}
    with a_server(tmp_path / "data", auth="on", **settings) as server, sign_in(server, "root@example.com") as root:
        assert root.get("/settings/users").status_code == 200
        assert not [line for line in server.lines if "/setup/" in line or PASSWORD in line]
        assert root.post("/settings/me/password", data={"password": PASSWORD, "new_password": NEW}).status_code == 303
    with a_server(tmp_path / "data", auth="on", **settings) as server, sign_in(server, "root@example.com", NEW) as root:
        assert root.get("/settings/me").status_code == 200


def test_a_first_admin_that_cannot_be_made_stops_the_start_and_is_explained(tmp_path: Path):
    place = {"HOLDFIRE_DATA_DIR": str(tmp_path), "HOLDFIRE_PORT": "0"}
    weak = run_cli("serve", HOLDFIRE_ADMIN_EMAIL="root@example.com", HOLDFIRE_ADMIN_PASSWORD="password", **place)
    assert weak.returncode == 2
    assert "among those tried first" in weak.stderr
    half = run_cli("serve", HOLDFIRE_ADMIN_EMAIL="root@example.com", **place)
    assert half.returncode == 2
    assert "go together" in half.stderr


# --- signing in ---


def test_the_form_suits_password_managers_and_lets_paste(stranger: Visitor):
    page = stranger.get("/sign-in").text
    (email,) = re.findall(r"<input[^>]*name=\"email\"[^>]*>", page)
    (password,) = re.findall(r"<input[^>]*name=\"password\"[^>]*>", page)
    assert 'autocomplete="username"' in email
    assert 'autocomplete="current-password"' in password
    assert 'type="password"' in password
    assert not re.search(r"onpaste|maxlength|pattern=", email + password)
    assert page.count("<label for=") >= 2


def test_the_cookie_is_for_this_host_alone_where_the_browser_came_by_https(server: Server, tmp_path: Path):
    with Visitor(server) as client:
        client.headers["Origin"] = server.url.replace("http:", "https:")
        cookie = client.post("/sign-in", data={"email": "boss@example.com", "password": PASSWORD}).headers["set-cookie"]
    assert re.match(r"__Host-holdfire=[\w-]{43}; HttpOnly; Max-Age=43200; Path=/; SameSite=lax; Secure$", cookie)
    assert "domain" not in cookie.lower()
    a_user({"HOLDFIRE_DATA_DIR": str(tmp_path)}, "boss@example.com")
    with a_server(tmp_path, auth="on", HOLDFIRE_PUBLIC_URL="https://hold.example") as behind, Visitor(behind) as client:
        signed = client.post("/sign-in", data={"email": "boss@example.com", "password": PASSWORD})
        name, value = signed.headers["set-cookie"].split(";")[0].split("=")
        assert name == "__Host-holdfire"
        client.cookies.clear()
        assert client.get("/settings/me", headers={"Cookie": f"holdfire={value}"}).status_code == 303
        assert client.get("/settings/me", headers={"Cookie": f"{name}={value}"}).status_code == 200


def test_a_cookie_planted_before_signing_in_is_worthless_after(server: Server, stranger: Visitor):
    stranger.cookies.set("holdfire", "planted-by-somebody-else", domain="127.0.0.1")
    answer = stranger.post("/sign-in", data={"email": "boss@example.com", "password": PASSWORD})
    assert answer.status_code == 303
    fresh = answer.cookies["holdfire"]
    assert fresh != "planted-by-somebody-else"
    with Visitor(server) as other:
        assert other.get("/settings/me", headers={"Cookie": "holdfire=planted-by-somebody-else"}).status_code == 303
        assert other.get("/settings/me", headers={"Cookie": f"holdfire={fresh}"}).status_code == 200


def test_who_is_not_there_is_refused_in_the_same_words(stranger: Visitor):
    answers = []
    for email in ("boss@example.com", "nobody@example.com"):
        answer = stranger.post("/sign-in", data={"email": email, "password": "wrong, surely"})
        answers.append((answer.status_code, answer.text.replace(email, "")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 403


def test_too_many_tries_are_told_how_long_to_wait_and_the_right_password_waits_too(server: Server, stranger: Visitor):
    with signed_in(server, "viewer", "slow@example.com"):
        pass
    form = {"email": "slow@example.com", "password": "wrong one"}
    codes = [stranger.post("/sign-in", data=form).status_code for _ in range(FREE_OF_ACCOUNT)]
    assert codes == [403] * FREE_OF_ACCOUNT
    tries = (stranger.post("/sign-in", data=form) for _ in range(2_000))
    slowed = next(answer for answer in tries if int(answer.headers.get("retry-after", 0)) >= 3)
    assert slowed.status_code == 429
    assert f"wait {slowed.headers['retry-after']} s" in slowed.text
    assert stranger.post("/sign-in", data=form | {"password": PASSWORD}).status_code == 429


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(server: Server):
    with signed_in(server, "viewer") as client:
        client.cookies.clear()
        sent = client.post(
            "/settings/me/name", data={"name": "x"}, headers={"Referer": f"{server.url}/settings/me?a=1"}
        )
        assert sent.headers["location"] == "/sign-in?next=%2Fsettings%2Fme%3Fa%3D1"
        foreign = client.post("/settings/me/name", data={"name": "x"}, headers={"Referer": "https://evil.example//x"})
        assert foreign.headers["location"] == "/sign-in?next=%2F"


# --- links ---


def test_who_is_invited_joins_as_what_they_were_invited(boss: Visitor, stranger: Visitor, server: Server):
    link = a_link(boss, "Mia@Example.com")
    assert link.startswith(f"{server.url}/join/")
    page = stranger.get(link)
    assert "as <b>marketer</b>" in page.text
    assert 'autocomplete="new-password"' in page.text
    assert faults(stranger.post(link, data={"name": "", "password": "mia@example.com"})) == [
        "A name is 1 to 100 printable characters; say what others call you.",
        "The password is your name or email address; take one that nobody can look up.",
    ]
    joined = stranger.post(link, data={"email": "eve@example.com", "name": "Mia", "password": PASSWORD})
    assert joined.status_code == 303
    assert "mia@example.com, marketer" in stranger.get("/settings/me").text
    assert stranger.get("/settings/users").status_code == 403
    assert stranger.get(link).status_code == 404
    assert "eve@example.com" not in boss.get("/settings/users").text


def test_a_withdrawn_link_lets_nobody_in(boss: Visitor, stranger: Visitor):
    link = a_link(boss, "leo@example.com")
    (path,) = re.findall(r'action="(/settings/users/invitations/inv_\w+/withdraw)"', boss.get("/settings/users").text)
    assert boss.post(path).headers["location"] == "/settings/users?done=withdrawn"
    assert stranger.get(link).status_code == 404
    assert stranger.post(link, data={"name": "Leo", "password": PASSWORD}).status_code == 404
    assert boss.post(path).status_code == 409


def test_a_link_is_not_used_from_another_site(boss: Visitor, stranger: Visitor):
    link = a_link(boss, "tom@example.com")
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert stranger.post(link, data={"name": "Tom", "password": PASSWORD}, headers=foreign).status_code == 403
    assert stranger.get(link).status_code == 200


def test_a_bad_invitation_keeps_what_was_typed(boss: Visitor):
    answer = boss.post("/settings/users/invite", data={"email": "no address", "role": "workforce"})
    assert answer.status_code == 422
    assert 'value="no address"' in answer.text
    assert '<option value="workforce" selected>' in answer.text
    taken = boss.post("/settings/users/invite", data={"email": "boss@example.com", "role": "viewer"})
    assert taken.status_code == 409
    assert "is a user already" in taken.text


def test_a_new_password_comes_by_a_link_and_ends_all_sessions(boss: Visitor, server: Server, stranger: Visitor):
    with signed_in(server, "viewer", "ida@example.com") as ida:
        answer = boss.post(f"/settings/users/{user_id(boss, 'ida@example.com')}/reset")
        assert answer.status_code == 201
        (link,) = LINK.findall(answer.text)
        assert ida.get("/settings/me").status_code == 200
        assert stranger.post(link, data={"password": NEW}).status_code == 303
        assert stranger.get("/settings/me").status_code == 200
        assert ida.get("/settings/me").status_code == 303
        assert stranger.get(link).status_code == 404
    with sign_in(server, "ida@example.com", NEW) as again:
        assert again.get("/settings/me").status_code == 200


# --- one's own page ---


def test_a_name_is_changed_and_stands_in_the_log(server: Server):
    with signed_in(server, "viewer", "pat@example.com") as pat:
        assert faults(pat.post("/settings/me/name", data={"name": " "})) != []
        assert pat.post("/settings/me/name", data={"name": "Pat <b>"}).status_code == 303
        page = pat.get("/settings/me?done=name").text
        assert "Pat &lt;b&gt;" in page
        assert "Your name is changed" in page
        assert "<b>" not in re.sub(r"<b( aria-hidden=\"true\")?>\W?[^<]*</b>", "", page)


def test_a_new_password_needs_the_present_one_signs_out_elsewhere_and_changes_the_cookie(server: Server):
    with signed_in(server, "viewer", "kim@example.com") as kim, sign_in(server, "kim@example.com") as elsewhere:
        wrong = kim.post("/settings/me/password", data={"password": "not this", "new_password": NEW})
        assert (wrong.status_code, faults(wrong)) == (422, ["This is not your present password."])
        weak = kim.post("/settings/me/password", data={"password": PASSWORD, "new_password": "12345678"})
        assert (weak.status_code, "tried first" in faults(weak)[0]) == (422, True)
        before = kim.cookies["holdfire"]
        assert elsewhere.get("/settings/me").status_code == 200
        assert kim.post("/settings/me/password", data={"password": PASSWORD, "new_password": NEW}).status_code == 303
        assert kim.cookies["holdfire"] != before
        assert kim.get("/settings/me").status_code == 200
        assert elsewhere.get("/settings/me").status_code == 303
        assert elsewhere.get("/settings/me", headers={"Cookie": f"holdfire={before}"}).status_code == 303


def test_ones_own_browsers_are_listed_and_signed_out_one_by_one_or_all(server: Server):
    agents = ("Mozilla/5.0 (X11; Linux) Firefox/140.0", "Mozilla/5.0 (Windows NT) Chrome/140.0 Safari/1", "curl")
    a_user(server.environment, "lou@example.com", "viewer")
    clients = []
    for agent in agents:
        client = Visitor(server)
        client.headers["User-Agent"] = agent
        client.post("/sign-in", data={"email": "lou@example.com", "password": PASSWORD})
        clients.append(client)
    first, second, third = clients
    page = first.get("/settings/me").text
    assert [name in page for name in ("Firefox on Linux", "Chrome on Windows", "A browser")] == [True] * 3
    assert page.count("this one") == 1
    token = re.search(r'name="csrf-token" content="([\w-]+)"', page)
    assert token
    first.headers["X-CSRF-Token"] = token[1]
    ends = dict(re.findall(r'action="(/settings/me/sessions/\w+/end)".*?aria-label="Sign out: ([^,]+),', page))
    (chrome,) = (path for path, browser in ends.items() if browser == "Chrome on Windows")
    assert first.post(chrome).status_code == 303
    assert [client.get("/settings/me").status_code for client in clients] == [200, 303, 200]
    assert first.post("/settings/me/sessions/end-others").status_code == 303
    assert [client.get("/settings/me").status_code for client in clients] == [200, 303, 303]
    for client in (second, third, first):
        client.close()


# --- users ---


def test_another_role_or_being_disabled_signs_out_at_once(boss: Visitor, server: Server):
    with signed_in(server, "viewer", "sam@example.com") as sam:
        path = f"/settings/users/{user_id(boss, 'sam@example.com')}"
        assert boss.post(f"{path}/role", data={"role": "workforce"}).headers["location"] == "/settings/users?done=role"
        assert sam.get("/settings/me").status_code == 303
    with sign_in(server, "sam@example.com") as sam:
        assert "sam@example.com, workforce" in sam.get("/settings/me").text
        assert boss.post(f"{path}/disable").status_code == 303
        assert sam.get("/settings/me").status_code == 303
        assert sam.post("/sign-in", data={"email": "sam@example.com", "password": PASSWORD}).status_code == 403
    assert boss.post(f"{path}/enable").status_code == 303
    with sign_in(server, "sam@example.com") as sam:
        assert sam.get("/settings/me").status_code == 200


def test_the_only_admin_cannot_be_taken_away(tmp_path: Path):
    a_user({"HOLDFIRE_DATA_DIR": str(tmp_path)}, "only@example.com")
    with a_server(tmp_path, auth="on") as server, sign_in(server, "only@example.com") as only:
        path = f"/settings/users/{user_id(only, 'only@example.com')}"
        for answer in (only.post(f"{path}/role", data={"role": "viewer"}), only.post(f"{path}/disable")):
            assert answer.status_code == 409
            assert "is the only admin" in answer.text
        assert only.get("/settings/users").status_code == 200


def test_without_sign_in_the_pages_say_so(tmp_path: Path):
    with a_server(tmp_path) as server, server.client() as client:
        assert "Nobody is signed in" in client.get("/settings/me").text
        assert "Sign-in is off" in client.get("/settings/users").text
        assert client.get("/sign-in").headers["location"] == "/"
