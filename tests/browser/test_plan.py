"""The planning page: a question, its answer, the chart beside it, what is in its way, and what is made of it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import Theme
from tests.browser.floor import ZONE
from tests.browser.quiet_floor import QuietFloor, a_quiet_floor

PLANNED = 110_000  # milliseconds that a busy machine may take for a plan
WAVES = re.compile(r"\d waves, 20.min apart, .*\d\d:\d\d to .*: [\d,]+ of 500,000, at most 10.% chance")


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuietFloor]:
    """A floor with room to spare."""
    with a_quiet_floor(tmp_path_factory.mktemp("plan")) as made:
        yield made


def planned(page: Page) -> Page:
    """Return the page once its plan and its chart are there."""
    expect(page.locator("#plan .answer .amount")).to_be_visible(timeout=PLANNED)
    expect(page.locator("#plan-plot .main-svg").first).to_be_visible(timeout=PLANNED)
    return page


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


def test_a_plan_has_an_answer_a_chart_and_every_way_to_send_the_rest(floor, open_page, artifacts: Path):
    page = planned(open_page(f"{floor.url}/plan?campaign=spring"))
    expect(page.get_by_role("heading", name="Plan a send", level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="Spring sale", exact=True)).to_be_visible()
    expect(page.locator("#plan .amount")).to_have_text(re.compile(r"^[\d,]+ of 500,000$"))
    expect(page.locator("#plan .answer")).to_contain_text("Not more, because of the service level of Orders")
    ways = page.locator("#ways .way")
    expect(ways).to_have_count(5)
    expect(ways.filter(has_text="Largest waves").locator(".told p").first).to_have_text(WAVES)
    expect(ways.filter(has_text="Equal waves").locator("rect").nth(1)).to_be_attached()
    expect(page.locator("#ways .sources")).to_contain_text("Orders has no schedule: the 20 agents here now")
    expect(page.locator("#ways")).to_contain_text("6 contacts per 1,000 recipients are expected")
    expect(page.locator("#plan-caption")).to_contain_text("500,000 sent now")
    expect(page.locator("#status")).to_contain_text("Safe to send now")
    pictured(page, artifacts, "plan")
    page.emulate_media(media="print")
    expect(page.locator(".asking")).to_be_hidden()
    assert page.pdf(path=artifacts / "plan-A4.pdf", format="A4").startswith(b"%PDF")


def test_another_question_is_answered_in_place_and_in_the_url(floor, open_page, artifacts: Path):
    page = open_page(f"{floor.url}/plan")
    expect(page.locator("#plan")).to_contain_text("Choose a campaign, or say how many recipients")
    pictured(page, artifacts, "plan-empty")
    page.get_by_label("To how many").fill("60,000")
    page.get_by_label("Kind").fill("newsletter")
    page.get_by_role("button", name="Work it out").press("Enter")
    expect(page.locator("#plan .amount")).to_have_text(re.compile("60,000$"), timeout=PLANNED)
    expect(page).to_have_url(re.compile(r"/plan\?gate=default&kind=newsletter&audience=60%2C000$"))
    expect(page.locator("#ways")).to_contain_text("2 contacts per 1,000 recipients are expected")
    expect(page.locator("#plan-caption")).to_be_visible(timeout=PLANNED)
    page.get_by_label("Metric").select_option("backlog")
    expect(page.locator("#plan-caption")).to_contain_text("Backlog of Orders", timeout=PLANNED)
    expect(page).to_have_url(re.compile(r"metric=backlog"))
    page.locator("#plan-numbers summary").click()
    expect(page.locator("#plan-rows tr").nth(10)).to_be_visible()


def in_an_hour() -> datetime:
    """Return a time of the center's clock in about an hour, another one where that comes twice."""
    times = [(datetime.now(UTC) + timedelta(minutes=minutes)).astimezone(ZoneInfo(ZONE)) for minutes in (60, 150)]
    return next(at for at in times if at.replace(fold=0).utcoffset() == at.replace(fold=1).utcoffset())


def test_a_plan_can_begin_later_and_says_when_it_is_too_far(floor, open_page):
    later = in_an_hour()
    page = open_page(f"{floor.url}/plan?audience=60000&start={later:%Y-%m-%dT%H:%M}")
    lead = page.locator("#plan .answer h3")
    expect(lead).to_contain_text(re.compile("Safe to send from|Not known what is safe"), timeout=PLANNED)
    expect(page.locator("#ways")).to_contain_text("A permit is for a send that begins now")
    far = open_page(f"{floor.url}/plan?audience=60000&start={later + timedelta(days=9):%Y-%m-%d}T12:00")
    expect(far.locator("#plan .answer")).to_contain_text("So far ahead nothing is foreseen", timeout=PLANNED)


def test_a_start_that_comes_twice_is_asked_back_about(floor, open_page, artifacts: Path):
    page = open_page(f"{floor.url}/plan?audience=60000&start=2026-11-01T01:30", server_may_go=True)
    expect(page.locator("#start-fault")).to_contain_text("01:30 comes twice on Sun 1 Nov 2026")
    expect(page.get_by_label("which of the two")).to_contain_text("the second, CST")
    pictured(page, artifacts, "plan-fault")


def test_what_is_in_the_way_is_said_with_a_way_out(floor, open_page, artifacts: Path):
    at = datetime.now(UTC) + timedelta(hours=1)
    plan = {"id": "autumn", "title": "Autumn news", "audience": 80_000, "earliest_start": at.isoformat()}
    with floor.server.client() as client:
        client.post("/api/v1/campaigns", json=plan).raise_for_status()
        client.post("/api/v1/campaigns/autumn/schedule").raise_for_status()
        page = planned(open_page(f"{floor.url}/plan?audience=60000"))
        client.post("/api/v1/campaigns/autumn/cancel").raise_for_status()
    way = page.locator(".in-the-way")
    expect(way).to_contain_text("Autumn news is announced for")
    expect(way).to_contain_text("It comes to Orders, too.")
    pictured(page, artifacts, "plan-in-the-way")
    way.get_by_role("listitem").filter(has_text="Autumn news").get_by_role("link", name="Its page").click()
    expect(page.get_by_role("heading", name="Autumn news", level=1)).to_be_visible()


def test_one_button_makes_it_a_campaign(floor, open_page):
    page = planned(open_page(f"{floor.url}/plan?audience=90000&kind=offer"))
    made = page.locator("form").filter(has_text="Make it a draft")
    expect(made.get_by_label("Release")).to_have_value("waves")
    made.get_by_label("Title").fill("Out of a plan")
    made.get_by_role("button", name="Make it a draft").click()
    expect(page).to_have_url(re.compile(r"/campaigns/out-of-a-plan$"))
    expect(page.locator(".facts")).to_contain_text("90,000")
    expect(page.locator(".facts")).to_contain_text("In waves of")


def test_one_button_takes_a_permit_and_another_gives_it_back(floor, open_page, artifacts: Path):
    page = planned(open_page(f"{floor.url}/plan?audience=1000"))
    page.get_by_role("button", name="Ask for the permit").dblclick()
    taken = page.locator("#taken")
    expect(taken).to_contain_text("So many may be sent now", timeout=PLANNED)
    expect(taken.locator(".amount")).to_have_text("1,000")
    with floor.server.client() as client:
        assert len(client.get("/api/v1/permits", params={"state": "active"}).json()["items"]) == 1
    planned(page)
    pictured(page, artifacts, "plan-permit")
    page.reload()
    expect(taken.locator(".amount")).to_have_text("1,000")
    taken.get_by_role("button", name="Give back what was not sent").click()
    expect(taken).to_contain_text("What was not sent was given back", timeout=PLANNED)
    with floor.server.client() as client:
        assert client.get("/api/v1/permits", params={"state": "active"}).json()["items"] == []


def test_the_board_leads_to_the_plan_of_each_campaign(floor, open_page):
    page = open_page(floor.url)
    page.locator("#campaign-spring").get_by_role("link", name="plan", exact=True).click()
    expect(page.get_by_role("heading", name="Spring sale", exact=True)).to_be_visible()
    planned(page)


def test_a_plan_grows_old_and_says_so(floor, open_page):
    page = planned(open_page(f"{floor.url}/plan?campaign=spring"))
    page.locator("#plan").evaluate(
        "node => { node.dataset.freshSeconds = '0.1'; document.dispatchEvent(new Event('htmx:afterSettle')); }"
    )
    expect(page.locator("#plan .too-old")).to_be_visible()
    expect(page.locator("#plan .too-old")).to_contain_text(re.compile(r"more than \d.min.* old"))


def test_without_scripts_the_plan_comes_with_its_page(floor, open_page):
    page = open_page(f"{floor.url}/plan?audience=60000", java_script_enabled=False)
    page.get_by_role("button", name="Work it out").click(timeout=PLANNED)
    expect(page.locator("#plan .amount")).to_have_text(re.compile("60,000$"), timeout=PLANNED)


def test_a_hold_gives_no_permit_and_says_why(floor, open_page, artifacts: Path):
    page = planned(open_page(f"{floor.url}/plan?audience=1000", server_may_go=True))
    floor.tell(50)
    try:
        expect(page.locator("#gate-pulse, .pulse").first).to_contain_text("HOLD", timeout=PLANNED)
        page.get_by_role("button", name="Ask for the permit").click()
        expect(page.locator("#taken")).to_contain_text("No permit.", timeout=PLANNED)
        expect(page.locator("#taken")).to_contain_text("50 waiting, limit 10")
        page.screenshot(path=artifacts / "plan-held.png", full_page=True)
        assert violations(page, "#taken") == []
    finally:
        floor.tell(0)
