"""A gate held and allowed by hand: made, seen ticking on every page, ended; screenshots go to artifacts/."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from playwright.sync_api import Page, expect

from app.core.access import Role
from tests.browser.axe import violations
from tests.browser.conftest import OpenPage
from tests.browser.floor import GOOD, push, use_policy
from tests.browser.looking import found, looks
from tests.support.people import session_cookies, signed_in
from tests.support.server import Server, a_server

REFUSED = True  # the browser reports a status that is no 200 as it does a server that is gone


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("overrides")) as started:
        with started.client() as client:
            use_policy(client, stale_after_seconds=600)
            push(client, GOOD)
        yield started


@pytest.fixture(autouse=True)
def client(server: Server) -> Iterator[httpx2.Client]:
    """A client of a server at which nothing is overridden any more once the test is over."""
    with server.client() as opened:
        yield opened
        for each in opened.get("/api/v1/gates/default/overrides", params={"open": True}).json()["items"]:
            opened.delete(f"/api/v1/gates/default/overrides/{each['id']}").raise_for_status()


def override(client: httpx2.Client, **members: object) -> str:
    body = {"effect": "hold", "comment": "launch freeze", "created_by": "Ann", "duration_minutes": 42} | members
    made = client.post("/api/v1/gates/default/overrides", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def strip(page: Page):
    return page.locator(".overriding li")


@looks
def test_what_is_in_force_to_come_and_past_stands_apart(open_page: OpenPage, server, client, artifacts, look):
    theme, width = look
    over = override(client, comment="phones are down")
    client.delete(f"/api/v1/gates/default/overrides/{over}", params={"reason": "up again"}).raise_for_status()
    override(client)
    override(client, effect="allow", comment="test mail", matchers=[{"name": "campaign", "value": "test"}])
    later = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    override(client, comment="storm is coming", starts_at=later)
    page = open_page(f"{server.url}/overrides", theme=theme, width=width)
    expect(page.locator(".override")).to_have_count(3)
    held = page.locator(".override", has_text="launch freeze")
    expect(held).to_contain_text("Held by hand")
    expect(held).to_contain_text(re.compile(r"ends in (42\s?min|41\s?min \d+\s?s)"))
    expect(page.locator(".override", has_text="test mail")).to_contain_text("campaign test")
    expect(page.locator("#past")).to_contain_text("phones are down")
    assert found(page, "document.documentElement.scrollWidth <= innerWidth", wanted=True)
    assert violations(page) == []
    page.screenshot(path=artifacts / f"overrides-{theme}-{width}.png", full_page=True)


def test_one_is_made_with_an_end_and_a_reason_and_ended_with_another(open_page: OpenPage, server):
    page = open_page(f"{server.url}/overrides", server_may_go=REFUSED)
    expect(page.locator(".nothing").first).to_have_text("None. The gate says what its policy says.")
    page.get_by_role("button", name="2 h").click()
    page.get_by_label("Why").fill("launch freeze")
    page.get_by_role("button", name="Put it in force").click()
    expect(page.locator(".override")).to_contain_text(re.compile(r"ends in 1\s?h 5\d\s?min"))
    page.get_by_text("End it now").first.click()
    page.locator(".override [name=reason]").fill("we are through")
    page.get_by_role("button", name="End it now launch freeze").click()
    expect(page.locator(".override")).to_have_count(0)
    expect(page.locator("#past")).to_contain_text("launch freeze")


def test_what_is_refused_is_said_at_its_field(open_page: OpenPage, server, artifacts):
    page = open_page(f"{server.url}/overrides", server_may_go=REFUSED, theme="light")
    page.get_by_label("Ends").fill("2020-01-01T09:00")
    page.get_by_label("Why").fill("launch freeze")
    page.get_by_role("button", name="Put it in force").click()
    expect(page.locator("#ends-fault")).to_contain_text("It would be over before it begins")
    expect(page.get_by_label("Why")).to_have_value("launch freeze")
    assert violations(page) == []
    page.screenshot(path=artifacts / "overrides-refused.png", full_page=True)


def test_every_page_that_is_open_shows_it_within_seconds_and_counts_down(
    open_page: OpenPage, server, client, artifacts
):
    board, limits = open_page(server.url), open_page(f"{server.url}/thresholds", theme="light", width=390)
    for page in (board, limits):
        expect(page.locator("html")).to_have_attribute("data-live", "ok")
        expect(strip(page)).to_have_count(0)
    made = override(client)
    for page in (board, limits):
        expect(strip(page)).to_contain_text("Held by hand")
        expect(strip(page)).to_contain_text("by Ann until")
        expect(strip(page)).to_contain_text("“launch freeze”")
        left = strip(page).locator(".left")
        first = left.text_content() or ""
        expect(left).not_to_have_text(first)
        expect(left).to_have_text(re.compile(r"^4[12]\s?min( \d+\s?s)? left$"))
    assert violations(limits, ".top") == []
    board.screenshot(path=artifacts / "overrides-strip-board.png")
    limits.screenshot(path=artifacts / "overrides-strip-390.png")
    client.delete(f"/api/v1/gates/default/overrides/{made}").raise_for_status()
    for page in (board, limits):
        expect(strip(page)).to_have_count(0)


def test_another_gate_s_override_is_seen_with_its_gate(open_page: OpenPage, server, client):
    client.post("/api/v1/gates", json={"name": "chats"}).raise_for_status()
    body = {"effect": "hold", "comment": "bot is down", "duration_minutes": 30}
    client.post("/api/v1/gates/chats/overrides", json=body).raise_for_status()
    page = open_page(f"{server.url}/decisions")
    expect(strip(page)).to_contain_text("Held by hand at gate chats")
    strip(page).get_by_role("link").click()
    expect(page.locator(".override")).to_contain_text("bot is down")
    client.delete("/api/v1/gates/chats").raise_for_status()


def test_who_may_not_make_one_sees_it_all_the_same(open_page: OpenPage, tmp_path, artifacts):
    with a_server(tmp_path, auth="on") as guarded:
        with signed_in(guarded, Role.WORKFORCE) as planner:
            ends = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M}"
            planner.post("/overrides", data={"effect": "hold", "ends": ends, "reason": "launch freeze"})
        page = open_page(f"{guarded.url}/sign-in", server_may_go=True)
        page.context.add_cookies(session_cookies(guarded, Role.VIEWER))  # type: ignore[arg-type]
        page.goto(f"{guarded.url}/overrides")
        expect(page.locator(".override")).to_contain_text("launch freeze")
        expect(strip(page)).to_contain_text("Held by hand")
        expect(page.locator("main").get_by_role("button")).to_have_count(0)
        page.screenshot(path=artifacts / "overrides-viewer.png", full_page=True)


def test_without_scripts_it_is_made_all_the_same(open_page: OpenPage, server):
    page = open_page(f"{server.url}/overrides", java_script_enabled=False)
    page.get_by_label("Why").fill("launch freeze")
    page.get_by_role("button", name="Put it in force").click()
    expect(page.locator(".override")).to_contain_text("launch freeze")
