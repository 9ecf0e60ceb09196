"""The planning page: a question, and the answer as one sheet that can be read anywhere and printed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.quiet_floor import QuietFloor, a_quiet_floor

PLANNED = 110_000  # milliseconds that a busy machine may take for a plan
WAVES = re.compile(r"\d waves, 20.min apart, .*\d\d:\d\d to .*: [\d,]+ of 500,000, at most 10.% chance")


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuietFloor]:
    """A floor with room to spare."""
    with a_quiet_floor(tmp_path_factory.mktemp("plan")) as made:
        yield made


def planned(page: Page) -> Page:
    """Return the page once its plan is there."""
    expect(page.locator("#plan .answer .amount")).to_be_visible(timeout=PLANNED)
    return page


def test_a_plan_has_an_answer_and_every_way_to_send_the_rest(floor, open_page, artifacts: Path):
    page = planned(open_page(f"{floor.url}/plan?campaign=spring"))
    expect(page.get_by_role("heading", name="Spring sale", level=1)).to_be_visible()
    expect(page.locator("#plan .amount")).to_have_text(re.compile(r"^[\d,]+ of 500,000$"))
    expect(page.locator("#plan .answer")).to_contain_text("Not more, because of the service level of Orders")
    ways = page.locator("#plan .way")
    expect(ways).to_have_count(5)
    expect(ways.filter(has_text="Largest waves").locator(".told p").first).to_have_text(WAVES)
    assert ways.filter(has_text="Equal waves").locator("rect").count() > 1
    expect(page.locator("#plan .sources")).to_contain_text("Orders has no schedule: the 20 agents here now")
    expect(page.locator("#plan")).to_contain_text("6 contacts per 1,000 recipients are expected")
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        for width in (1440, 390, 320):
            page.set_viewport_size({"width": width, "height": 900})
            expect(page.locator("html")).to_have_js_property("scrollWidth", width)
            if width != 320:
                page.screenshot(path=artifacts / f"plan-{theme}-{width}.png", full_page=True)
    page.emulate_media(media="print")
    expect(page.locator(".asking")).to_be_hidden()
    assert page.pdf(path=artifacts / "plan-A4.pdf", format="A4").startswith(b"%PDF")


def test_another_question_is_answered_in_place_and_in_the_url(floor, open_page):
    page = open_page(f"{floor.url}/plan")
    expect(page.locator("#plan")).to_contain_text("Choose a campaign, or say how many recipients")
    page.get_by_label("To how many").fill("60,000")
    page.get_by_role("button", name="Work it out").press("Enter")
    expect(page.locator("#plan .amount")).to_have_text(re.compile("60,000$"), timeout=PLANNED)
    expect(page).to_have_url(re.compile("audience=60%2C000"))


def test_the_board_leads_to_the_plan_of_each_campaign(floor, open_page):
    page = open_page(floor.url)
    page.locator("#campaign-spring").get_by_role("link", name="plan it").click()
    expect(page.get_by_role("heading", name="Spring sale", level=1)).to_be_visible()
    planned(page)


def test_a_plan_grows_old_and_says_so(floor, open_page):
    page = planned(open_page(f"{floor.url}/plan?campaign=spring"))
    page.locator("#plan").evaluate(
        "node => { node.dataset.freshSeconds = '0.1'; document.dispatchEvent(new Event('htmx:afterSettle')); }"
    )
    expect(page.locator("#plan .too-old")).to_be_visible()
    expect(page.locator("#plan .too-old")).to_contain_text(re.compile(r"more than 2.min old"))


def test_without_scripts_the_plan_comes_with_its_page(floor, open_page):
    page = open_page(f"{floor.url}/plan?audience=60000", java_script_enabled=False)
    page.get_by_role("button", name="Work it out").click(timeout=PLANNED)
    expect(page.locator("#plan .amount")).to_have_text(re.compile("60,000$"), timeout=PLANNED)
