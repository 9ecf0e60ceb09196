"""From the link that holdfire prints to the closed socket: people are let in, do what they may, and go."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import looked_at, looks
from tests.support.people import PASSWORD, a_user, session_cookies
from tests.support.server import Server, a_server

ADA, MIA = "ada@example.com", "mia@example.com"
LONG = "somebody.with.quite.a.long.address@contact-center.example.com"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("people")
    for email, role in ((ADA, "admin"), ("wim@example.com", "workforce"), (LONG, "viewer")):
        a_user({"HOLDFIRE_DATA_DIR": str(folder)}, email, role)
    with a_server(folder, auth="on") as started:
        yield started


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_role("textbox", name="Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_from_the_printed_link_to_the_closed_socket(open_page, tmp_path):
    with a_server(tmp_path, auth="on") as server:
        link = server.wait_for(r"(http\S+/setup/[\w-]+)")[1]
        boss = open_page(link, server_may_go=True)
        boss.get_by_role("textbox", name="Email address").fill(ADA)
        boss.get_by_label("Your name").fill("Ada")
        boss.get_by_label("New password").fill(PASSWORD)
        boss.get_by_role("button", name="Become the first admin").click()
        expect(boss.locator(".who")).to_have_text("Ada")
        boss.get_by_role("navigation", name="Pages").get_by_role("link", name="Settings").click()
        boss.get_by_role("navigation", name="Settings").get_by_role("link", name="Users").click()
        boss.get_by_role("textbox", name="Email address").fill(MIA)
        boss.get_by_label("Role", exact=True).select_option("marketer")
        boss.get_by_role("button", name="Make the link").click()
        expect(boss.get_by_role("heading", name=f"Hand this link to {MIA}")).to_be_visible()
        mia = open_page(boss.locator("#link").input_value())
        expect(mia.get_by_text(f"Ada invited {MIA} as marketer.")).to_be_visible()
        mia.get_by_label("Your name").fill("Mia")
        mia.get_by_label("New password").fill(PASSWORD)
        mia.get_by_role("button", name="Join").click()
        expect(mia.locator(".who")).to_have_text("Mia")
        expect(mia.locator("html")).to_have_attribute("data-live", "ok")
        another = mia.context.new_page()
        another.goto(f"{server.url}/thresholds")
        expect(another.get_by_role("heading", level=1)).to_be_visible()
        expect(another.get_by_role("button", name=re.compile("Save|Look at it first"))).to_have_count(0)
        expect(another.get_by_role("link", name="Settings")).to_be_visible()
        another.get_by_role("button", name="Sign out").click()
        expect(another.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(mia).to_have_url(re.compile(r"/sign-in\?next=%2F$"))


def test_who_signs_in_comes_to_where_they_were_going(guarded: Server, open_page):
    page = open_page(f"{guarded.url}/settings/me", server_may_go=True)
    sign_in(page, ADA, "not the password")
    expect(page.get_by_role("alert").filter(has_text="do not go together")).to_be_visible()
    expect(page.get_by_role("textbox", name="Email address")).to_have_value(ADA)
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    sign_in(page, ADA)
    expect(page).to_have_url(f"{guarded.url}/settings/me")


def test_signing_in_works_without_scripts(guarded: Server, open_page):
    page = open_page(f"{guarded.url}/settings/users", java_script_enabled=False)
    sign_in(page, ADA)
    expect(page.get_by_role("heading", name="Users", level=1)).to_be_visible()
    page.get_by_label(f"Role of {LONG.partition('@')[0]}", exact=True).select_option("marketer")
    page.get_by_role("button", name=f"Change the role of {LONG.partition('@')[0]}").click()
    expect(page.locator("main .notice")).to_contain_text("The role is changed")


def test_somebody_disabled_is_out_at_once(guarded: Server, open_page):
    a_user(guarded.environment, "tom@example.com", "viewer")
    tom = open_page(f"{guarded.url}/")
    sign_in(tom, "tom@example.com")
    expect(tom.locator("html")).to_have_attribute("data-live", "ok")
    page = open_page(f"{guarded.url}/settings/users")
    sign_in(page, ADA)
    page.get_by_role("button", name="Disable tom").click()
    expect(page.locator("main .notice")).to_have_text("Disabled, and signed out everywhere.")
    expect(tom).to_have_url(re.compile("/sign-in"))


@looks
def test_the_forms_of_who_comes_in_can_be_looked_at(guarded: Server, open_page, tmp_path, artifacts, look):
    theme, width = look
    page = open_page(f"{guarded.url}/sign-in", theme=theme, width=width, server_may_go=True)
    looked_at(page, artifacts, "accounts-sign-in", look)
    sign_in(page, ADA, "not the password")
    expect(page.get_by_role("alert").filter(has_text="do not go together")).to_be_visible()
    looked_at(page, artifacts, "accounts-sign-in-refused", look)
    if theme == "dark":
        return
    with a_server(tmp_path, auth="on") as fresh:
        link = fresh.wait_for(r"(http\S+/setup/[\w-]+)")[1]
        page.goto(f"{fresh.url}/sign-in")
        looked_at(page, artifacts, "accounts-sign-in-nobody", look)
        page.goto(link)
        looked_at(page, artifacts, "accounts-setup", look)
        page.get_by_role("textbox", name="Email address").fill("no address")
        page.get_by_label("Your name").fill("Ada")
        page.get_by_label("New password").fill("password")
        page.locator("form.form").evaluate("form => { form.noValidate = true; }")
        page.get_by_role("button", name="Become the first admin").click()
        expect(page.locator(".error-summary")).to_be_focused()
        looked_at(page, artifacts, "accounts-setup-refused", look)
        page.goto(f"{fresh.url}/join/used")
        looked_at(page, artifacts, "accounts-void", look)


@looks
def test_the_pages_of_who_is_in_can_be_looked_at(guarded: Server, open_page, artifacts, look):
    theme, width = look
    page = open_page(f"{guarded.url}/sign-in", theme=theme, width=width, server_may_go=True)
    sign_in(page, ADA)
    expect(page.locator(".who")).to_have_text("ada")
    page.goto(f"{guarded.url}/settings/me")
    expect(page.get_by_role("cell", name="now")).to_be_visible()
    looked_at(page, artifacts, "accounts-me", look)
    page.get_by_label("Present password").fill("wrong")
    page.get_by_label("New password").fill("12345678")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("This is not your present password.")).to_be_visible()
    looked_at(page, artifacts, "accounts-me-refused", look)
    page.goto(f"{guarded.url}/settings/users")
    page.get_by_role("textbox", name="Email address").fill(f"new-{theme}-{width}@example.com")
    page.get_by_role("button", name="Make the link").click()
    expect(page.locator("#link")).to_have_value(re.compile(r"/join/[\w-]{43}$"))
    looked_at(page, artifacts, "accounts-users", look)


def test_who_may_not_manage_users_is_told_so(guarded: Server, open_page, artifacts):
    page = open_page(f"{guarded.url}/sign-in", server_may_go=True)
    page.context.add_cookies(session_cookies(guarded, "workforce"))
    page.goto(f"{guarded.url}/settings/users")
    expect(page.get_by_text("it needs “admin”")).to_be_visible()
    page.goto(f"{guarded.url}/settings/me")
    expect(page.get_by_role("navigation", name="Settings").get_by_role("link", name="Users")).to_have_count(0)
    looked_at(page, artifacts, "accounts-me-workforce", ("dark", 1440))
