"""The outlook on the board: what people see of the next hours, and what they do with it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.quiet_floor import QuietFloor, a_quiet_floor, observed, report, use_outlook_policy
from tests.support.server import Server

COMPUTED = 60_000  # milliseconds that a busy machine may take for an outlook


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuietFloor]:
    """A floor with room to spare."""
    with a_quiet_floor(tmp_path_factory.mktemp("outlook")) as made:
        yield made


def chart(page: Page) -> Locator:
    """Return the chart of the service level."""
    return page.locator(".multiple[data-metric=service_level_ratio]")


def answered(page: Page) -> Page:
    """Return the board once it says how many may go, and its charts show what is ahead."""
    expect(page.locator("#outlook-answer .amount")).to_have_text(re.compile(r"^[\d,]+$"), timeout=COMPUTED)
    expect(chart(page).locator(".annotation-text").filter(has_text="now")).to_be_visible(timeout=COMPUTED)
    return page


def test_the_board_says_how_many_may_go_and_what_breaks_with_more(floor, open_page):
    page = answered(open_page(floor.url))
    answer = page.locator("#outlook-answer")
    expect(answer).to_contain_text("Safe to send now")
    expect(answer).to_contain_text("of Spring sale, 500,000 to go")
    expect(answer).to_contain_text("Likeliest to break with more: service level of Orders")
    expect(answer).to_contain_text(
        re.compile(r"\d+.% chance that a limit breaks if nothing more is sent; 10.% is accepted")
    )
    expect(answer.locator(".mark-throttle")).to_be_visible()
    verdict, panel = page.locator("#verdict").bounding_box(), page.locator("#outlook").bounding_box()
    assert verdict is not None
    assert panel is not None
    assert verdict["y"] < panel["y"]


def test_a_typed_audience_is_drawn_beside_nothing_and_says_its_name(floor, open_page, artifacts: Path):
    page = answered(open_page(floor.url, theme="dark"))
    page.get_by_label("If sent now").fill("60,000")
    expect(page.locator("#outlook-caption")).to_contain_text("with 60,000 sent now", timeout=COMPUTED)
    expect(chart(page).locator("figcaption")).to_contain_text("with 60,000 sent now", timeout=COMPUTED)
    dashes = (
        chart(page)
        .locator(".scatterlayer .js-line")
        .evaluate_all("lines => lines.map((line) => getComputedStyle(line).strokeDasharray)")
    )
    assert {dash != "none" for dash in dashes} == {True, False}
    for theme in ("light", "dark"):
        with page.expect_response(re.compile(rf"/partials/charts\?.*theme={theme}")) as drawn:
            page.emulate_media(color_scheme=theme)
        drawn.value.finished()
        for width in (1440, 390, 320):
            page.set_viewport_size({"width": width, "height": 900})
            expect(page.locator("html")).to_have_js_property("scrollWidth", width)
            if width != 320:
                page.screenshot(path=artifacts / f"outlook-{theme}-{width}.png", full_page=True)


def test_queue_and_metric_can_be_chosen_and_all_numbers_are_a_table(floor, open_page):
    page = answered(open_page(floor.url))
    page.locator("#outlook-numbers summary").press("Enter")
    page.locator("#outlook-metric").select_option("backlog")
    expect(page.locator("#outlook-caption")).to_contain_text("Backlog of Orders over the next 3", timeout=COMPUTED)
    expect(page.locator("#outlook-heads th")).to_have_text(
        ["From", "Offered, nothing sent", "Expected, nothing sent", "8 of 10 cases, nothing sent"]
    )
    expect(page.locator("#outlook-rows tr")).to_have_count(36)


def test_what_is_no_audience_is_said_beside_the_field(floor, open_page):
    page = answered(open_page(floor.url))
    page.get_by_label("If sent now").fill("a lot")
    expect(page.locator("#outlook-fault")).to_have_text("Write a whole number of recipients, such as 25,000.")
    expect(page.get_by_label("If sent now")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("If sent now").fill("")
    expect(page.locator("#outlook-fault")).to_be_hidden()
    expect(page.locator("#outlook-caption")).to_be_visible(timeout=COMPUTED)


def test_the_panel_follows_the_verdict_at_once(floor, open_page):
    page = answered(open_page(floor.url))
    floor.tell(40)
    try:
        expect(page.locator("#verdict-word")).to_have_text("HOLD")
        expect(page.locator("#outlook-answer .mark-hold")).to_be_visible()
    finally:
        floor.tell(0)


def test_an_outlook_that_nobody_made_anew_looks_dead(floor, open_page):
    page = answered(open_page(floor.url))
    expect(page.locator("#outlook")).to_have_attribute("data-dead", "no")
    page.route(re.compile("/partials/"), lambda _: None)  # nothing comes from here on
    page.locator("#outlook-answer").evaluate("node => { node.dataset.goodUntil = '2020-01-01T00:00:00Z'; }")
    expect(page.locator("#outlook")).to_have_attribute("data-dead", "yes")
    expect(page.get_by_text("This outlook is too old to be relied on")).to_be_visible()
    struck = page.locator("#outlook-answer .answer").evaluate("node => getComputedStyle(node).textDecorationLine")
    assert "line-through" in struck
    assert "gradient" in page.locator("#outlook").evaluate("node => getComputedStyle(node).backgroundImage")


def test_what_nobody_knows_has_no_number_and_says_why(server: Server, open_page):
    with server.client() as client:
        report(client, observed(datetime.now(UTC)))
        use_outlook_policy(client)
    page = open_page(server.url)
    answer = page.locator("#outlook-answer")
    expect(answer).to_contain_text("Not known what is safe", timeout=COMPUTED)
    expect(answer).to_contain_text("less than 3 days of history")
    expect(answer.locator(".mark-unknown").first).to_be_visible()
    expect(answer.locator(".amount")).to_have_count(0)
    expect(page.locator("#outlook-numbers")).to_be_hidden()
    page.goto(f"{server.url}/plan?audience=9000")
    expect(page.locator("#plan .answer")).to_contain_text("less than 3 days of history", timeout=COMPUTED)
