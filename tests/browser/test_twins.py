"""The demonstration's page: both days on one chart, in words and in a table, and nowhere else."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.server import Server

looks = pytest.mark.parametrize("look", [("dark", 1440), ("light", 1440), ("dark", 390), ("light", 390)], ids=str)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A demonstration at Monday's peak, after the hour at which everything left at once on one of its days."""
    server = Server(["demo", "--port", "0", "--speed", "240"], {"TMPDIR": str(tmp_path_factory.mktemp("demo"))})
    try:
        server.wait_for(r"email tool: wave 1: \S+ sent", seconds=120)
        yield server
    finally:
        server.stop(signal.SIGINT)


def drawn(page: Page) -> Page:
    """Return the page once both curves are on it."""
    expect(page.locator("#twins-plot .scatterlayer .trace")).to_have_count(3)
    return page


@looks
def test_both_days_are_on_one_chart_that_says_which_is_which(demo, open_page, artifacts: Path, look):
    theme, width = look
    page = drawn(open_page(demo.url, theme=theme, width=width))
    expect(page.get_by_role("heading", name="The same day, twice")).to_be_visible()
    expect(page.locator("#twins-verdict")).to_contain_text(re.compile(r"peaked at .* all at once, at .* gated"))
    names = page.locator("#twins-plot .annotation-text")
    expect(names.filter(has_text=re.compile("^all at once$"))).to_be_visible()
    expect(names.filter(has_text=re.compile("^gated$"))).to_be_visible()
    expect(names.filter(has_text="400,000 emails left at once")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    verdict, panel = page.locator("#verdict").bounding_box(), page.locator("#twins").bounding_box()
    assert verdict is not None
    assert panel is not None
    assert verdict["y"] < panel["y"]
    page.screenshot(path=artifacts / f"twins-{theme}-{width}.png", full_page=True)


def test_the_numbers_behind_the_picture_are_a_table_that_follows(demo, open_page):
    page = drawn(open_page(demo.url))
    page.locator("#twins summary").click()
    newest = page.locator("#twins-rows tr").first
    expect(newest.locator("td")).to_have_count(6)
    first = newest.locator("th").inner_text()
    expect(newest.locator("th")).not_to_have_text(first, timeout=15_000)
    assert page.locator("#twins-rows tr").count() > 20


def test_a_point_says_its_five_minutes_under_the_pointer(demo, open_page):
    page = drawn(open_page(demo.url))
    plot, said = page.locator("#twins-plot .nsewdrag"), page.locator("#twins-plot .hoverlayer text")
    for x in range(100, 400, 20):  # each new drawing takes the words away until the pointer moves again
        plot.hover(position={"x": x, "y": 100})
        page.wait_for_timeout(200)
        if said.count():
            break
    expect(said.first).to_contain_text(re.compile(r"\d\d:\d\d, (all at once|gated)"))


def test_the_days_read_without_scripts(demo, open_page):
    page = open_page(demo.url, java_script_enabled=False)
    expect(page.locator("#twins-verdict")).to_contain_text("all at once")
    page.locator("#twins summary").click()
    expect(page.locator("#twins-rows tr").first.locator("td")).to_have_count(6)


def test_a_real_holdfire_has_no_such_panel(server: Server, open_page):
    page = open_page(server.url)
    expect(page.locator("#verdict-word")).to_have_text("UNKNOWN")
    expect(page.locator("#twins")).to_have_count(0)
    with server.client() as client:
        assert client.get("/demo/twins").status_code == 404
