"""Campaigns in a browser: the list, one campaign's life, its form, and what is asked twice."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect

from app.core.access import Role
from tests.browser.axe import violations
from tests.browser.conftest import Theme
from tests.support.people import session_cookies
from tests.support.server import Server, a_server

LONG = "New terms and conditions for every customer of the northern region and their households"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with campaigns in every state that people bring about."""
    with a_server(tmp_path_factory.mktemp("campaigns")) as started, started.client() as client:
        policy = {
            "queues": ["*"],
            "rules": [{"metric": "backlog", "hold_above": 10}],
            "time_zone": "America/Chicago",
            "notice_minutes": 240,
            "briefing": "required",
        }
        client.put("/api/v1/gates/default/policy", json=policy, headers={"If-Match": "*"}).raise_for_status()
        waves = {"mode": "waves", "audience_per_wave": 500, "wave_gap_seconds": 600}
        a_campaign(client, "spring", "schedule", title="Spring sale", kind="offer", contacts_per_1000=6, release=waves)
        a_campaign(client, "terms", title=LONG, kind="policy_change", holdout_ratio=0.1, queue_mix={"orders-voice": 1})
        a_campaign(client, "autumn", "schedule", "cancel", title="Autumn sale")
        a_campaign(client, "cart", "schedule", "pause", title="Cart reminder", release={"mode": "by-tool"})
        a_campaign(client, "winter", "schedule", title="Winter news", earliest_start="2031-03-03T15:00:00Z")
        yield started


def a_campaign(client: httpx2.Client, name: str, *steps: str, **members: object) -> None:
    plan = {"id": name, "audience": 4_000, "owner": "Kim"} | members
    assert client.post("/api/v1/campaigns", json=plan).status_code == 201
    for step in steps:
        client.post(f"/api/v1/campaigns/{name}/{step}", json={"reason": "wrong link"}).raise_for_status()


def pictured(page: Page, artifacts: Path, name: str) -> None:
    """Look at a page dark and wide, light and narrow: nothing is cut, axe finds nothing."""
    looks: tuple[tuple[Theme, int], ...] = (("dark", 1440), ("light", 390))
    for theme, width in looks:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.locator("html")).to_have_js_property("scrollWidth", width)
        page.screenshot(path=artifacts / f"{name}-{theme}-{width}.png", full_page=True)
        assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 900})
    expect(page.locator("html")).to_have_js_property("scrollWidth", 320)
    page.set_viewport_size({"width": 1440, "height": 900})


def test_the_list_is_filtered_as_one_types_and_the_url_keeps_it(filled, open_page, artifacts: Path):
    page = open_page(f"{filled.url}/campaigns")
    rows = page.locator("#found tbody tr")
    expect(rows).to_have_count(5)
    pictured(page, artifacts, "campaigns")
    page.get_by_label("Title, kind or owner").press_sequentially("sale")
    expect(rows).to_have_count(2)
    page.get_by_label("State").select_option("ended")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(r"state=ended.*q=sale"))
    page.get_by_label("Title, kind or owner").fill("nothing like it")
    expect(page.locator("#found")).to_contain_text("No campaign fits")
    page.go_back()
    expect(page.get_by_label("State")).to_have_value("ended")


def test_without_campaigns_the_list_leads_to_the_plan(server, open_page, artifacts: Path):
    page = open_page(f"{server.url}/campaigns")
    expect(page.locator(".empty")).to_contain_text("There is no campaign yet")
    pictured(page, artifacts, "campaigns-empty")


@pytest.mark.parametrize(
    "case",
    [
        ("spring", "Waiting", "The gate wants 4"),
        ("terms", "Draft", "Announce it"),
        ("autumn", "Cancelled", "wrong link"),
        ("cart", "Paused", "paused it; it goes on when somebody resumes it."),
        ("winter", "Scheduled", "Its time comes at Mon 3 Mar 09:00"),
    ],
    ids=lambda case: case[0],
)
def test_a_campaign_shows_where_it_stands_and_what_is_next(filled, open_page, artifacts: Path, case):
    name, word, said = case
    page = open_page(f"{filled.url}/campaigns/{name}")
    expect(page.locator(".state-word")).to_have_text(word)
    expect(page.locator("#campaign")).to_contain_text(said)
    expect(page.locator(".stages [aria-current=step]")).to_have_count(1)
    pictured(page, artifacts, f"campaign-{name}")


def test_a_campaign_s_page_follows_it_and_says_a_new_state_once(filled, open_page):
    with filled.client() as client:
        a_campaign(client, "live", "schedule", title="Live one")
        page = open_page(f"{filled.url}/campaigns/live")
        expect(page.locator(".state-word")).to_have_text("Waiting")
        client.post("/api/v1/campaigns/live/pause").raise_for_status()
    expect(page.locator(".state-word")).to_have_text("Paused")
    expect(page.locator("#status")).to_have_text("Live one: Paused.")
    expect(page).to_have_title(re.compile("Live one: paused"))


def test_a_form_keeps_what_was_typed_and_shows_faults_at_their_fields(filled, open_page, artifacts: Path):
    page = open_page(f"{filled.url}/campaigns/-/new", server_may_go=True)
    expect(page.get_by_label("Recipients per wave")).to_be_hidden()
    pictured(page, artifacts, "campaign-new")
    page.get_by_label("Title").fill("From the form")
    page.get_by_label("Audience").fill("lots")
    page.get_by_label("Release").select_option("waves")
    page.get_by_label("Recipients per wave").fill("500")
    page.get_by_label("Earliest start").fill("2026-11-01T01:30")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.locator(".error-summary")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value("From the form")
    expect(page.locator("#audience-fault")).to_contain_text("Write a whole number")
    pictured(page, artifacts, "campaign-faults")
    page.get_by_label("Audience").fill("25,000")
    page.get_by_label("which of the two").select_option("second")
    page.get_by_label("Minutes between waves").fill("10")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page).to_have_url(re.compile(r"/campaigns/from-the-form$"))
    expect(page.locator(".stages")).to_contain_text(re.compile(r"Sun 1 Nov 01:30.CST"))


def test_what_somebody_else_changed_is_shown_before_anything_is_saved(filled, open_page, artifacts: Path):
    with filled.client() as client:
        a_campaign(client, "shared", title="Shared one")
        page = open_page(f"{filled.url}/campaigns/shared/edit", server_may_go=True)
        theirs = {"audience": 3_000}
        client.patch("/api/v1/campaigns/shared", json=theirs, headers={"If-Match": '"1"'}).raise_for_status()
    page.get_by_label("Title").fill("Mine")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".theirs")).to_contain_text("Audience: “4,000” became “3,000”.")
    expect(page.get_by_label("Title")).to_have_value("Mine")
    pictured(page, artifacts, "campaign-overtaken")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#campaign h1")).to_have_text("Mine")
    expect(page.locator(".facts")).to_contain_text("3,000")


def test_a_campaign_is_announced_and_cancelled_after_a_second_look(filled, open_page, artifacts: Path):
    with filled.client() as client:
        a_campaign(client, "brief", title="Short life")
    page = open_page(f"{filled.url}/campaigns/brief", server_may_go=True)
    page.get_by_role("button", name="Announce it").click()
    expect(page.locator(".state-word")).to_have_text("Waiting")
    page.get_by_role("link", name="Cancel it").click()
    expect(page.get_by_role("button", name="Cancel the campaign")).to_be_visible()
    pictured(page, artifacts, "campaign-cancel")
    page.get_by_role("button", name="Cancel the campaign").click()
    expect(page.locator("#reason-fault")).to_contain_text("Say why")
    page.get_by_label("Why").fill("wrong link")
    page.get_by_role("button", name="Cancel the campaign").click()
    expect(page.locator(".state-word")).to_have_text("Cancelled")
    expect(page.locator("#campaign")).to_contain_text("wrong link")


def test_who_may_only_look_is_offered_nothing_and_refused_politely(tmp_path, open_page, artifacts: Path):
    with a_server(tmp_path, auth="on") as guarded:
        page = open_page(guarded.url, server_may_go=True)
        page.context.add_cookies(session_cookies(guarded, Role.VIEWER))
        page.goto(f"{guarded.url}/campaigns")
        expect(page.get_by_role("link", name="New campaign")).to_have_count(0)
        with page.expect_response("**/campaigns/-/new") as answer:
            page.evaluate("location.assign('/campaigns/-/new')")
        assert answer.value.status == 403
        expect(page.get_by_role("heading", name="Not allowed")).to_be_visible()
        page.screenshot(path=artifacts / "campaigns-refused.png")
