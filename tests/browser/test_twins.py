"""The demonstration's page: both days as one picture, in words and in a table, and nowhere else."""

import re
import signal
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import Theme
from tests.support.server import Server

NARROW = 390
LOOKS: list[tuple[Theme, int]] = [("dark", 1440), ("dark", NARROW), ("light", NARROW), ("light", 1440)]
SECONDS = 120
ASKS = """() => performance.getEntriesByType("resource").filter(({ name }) => name.includes("/demo/twins"))
    .map(({ startTime }) => startTime)"""
HIDE = """() => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A demonstration at Monday's peak, some time after everything left at once on one of its days."""
    server = Server(["demo", "--port", "0", "--speed", "240"], {"TMPDIR": str(tmp_path_factory.mktemp("demo"))})
    try:
        server.wait_for(r"email tool: hold since ", SECONDS)
        until_parted(server)
        yield server
    finally:
        server.stop(signal.SIGINT)


def until_parted(server: Server) -> None:
    """Return once the two curves are so far apart that they say their names."""
    latest = time.monotonic() + SECONDS
    with server.client() as client:
        while ">gated<" not in client.get("/demo/twins").json()["drawing"]:
            assert time.monotonic() < latest, "the two days never parted"
            time.sleep(0.2)


def drawn(page: Page) -> Page:
    """Return the page once its scripts work."""
    expect(page.locator("#connection-text")).to_have_text("live")
    expect(page.locator("#twins-plot .gated")).to_have_attribute("d", re.compile("L"))
    return page


def newest(page: Page) -> str:
    return page.locator("#twins-rows tr").first.locator("th").inner_text()


def test_both_days_are_one_picture_that_says_which_is_which(demo: Server, open_page, artifacts: Path):
    page = drawn(open_page(demo.url))
    expect(page.get_by_role("heading", name="The same day, twice")).to_be_visible()
    expect(page.locator("#twins-verdict")).to_contain_text(re.compile(r"peaked at .* all at once, at .* gated"))
    words = page.locator("#twins-plot text")
    for word in ("^all at once$", "^gated$", "400,000 emails left at once$", "^hold above 1\\smin$"):
        expect(words.filter(has_text=re.compile(word))).to_be_visible()
    expect(page.locator("main .plot-container")).to_have_count(4)
    for theme, width in LOOKS:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.locator("html")).to_have_js_property("scrollWidth", width)  # charts follow a moment later
        verdict, panel = page.locator("#verdict").bounding_box(), page.locator("#twins").bounding_box()
        assert verdict is not None
        assert panel is not None
        assert verdict["y"] < panel["y"]
        page.screenshot(path=artifacts / f"twins-{theme}-{width}.png", full_page=True)
        if width == NARROW:
            assert violations(page, "#twins") == []


def test_it_is_drawn_anew_every_five_seconds_and_its_table_follows(demo: Server, open_page):
    page = drawn(open_page(demo.url))
    page.evaluate("document.getElementById('twins-plot').firstElementChild.kept = true")
    page.locator("#twins summary").click()
    expect(page.locator("#twins-rows tr").first.locator("td")).to_have_count(6)
    before = newest(page)
    while len(page.evaluate(ASKS)) < 2:
        with page.expect_response("**/demo/twins*"):
            pass
    expect(page.locator("#twins-rows tr").first.locator("th")).not_to_have_text(before)
    assert page.locator("#twins-rows tr").count() > 12
    assert min(later - earlier for earlier, later in pairwise(page.evaluate(ASKS))) > 4_900
    assert page.evaluate("document.getElementById('twins-plot').firstElementChild.kept")


def test_nothing_is_asked_for_while_nobody_looks(demo: Server, open_page):
    page = drawn(open_page(demo.url))
    page.clock.install()
    page.evaluate(HIDE)
    asked = len(page.evaluate(ASKS))
    page.clock.run_for(60_000)
    assert len(page.evaluate(ASKS)) == asked


def test_five_minutes_are_said_under_the_pointer(demo: Server, open_page):
    page = drawn(open_page(demo.url))
    said = page.locator("#twins-said")
    expect(said).to_have_text(re.compile("speed to answer, every five minutes$"))
    page.locator("#twins-plot svg").first.hover(position={"x": 120, "y": 100})
    expect(said).to_have_text(re.compile(r"^\d\d:\d[05]: .+ all at once, .+ gated$"))
    expect(page.locator("#twins-plot .at")).to_have_attribute("visibility", "visible")
    page.locator("h2#twins-title").hover()
    expect(said).to_have_text(re.compile("speed to answer, every five minutes$"))
    expect(page.locator("#twins-plot .at")).to_have_attribute("visibility", "hidden")


def test_its_times_are_in_the_readers_zone(demo: Server, open_page):
    page = drawn(open_page(f"{demo.url}/?zone=UTC"))
    expect(page.locator("#twins-plot text", has_text="14:55, 400,000 emails left at once")).to_be_visible()


def test_the_days_read_without_scripts(demo: Server, open_page):
    page = open_page(demo.url, java_script_enabled=False)
    expect(page.locator("#twins-verdict")).to_contain_text("all at once")
    expect(page.locator("#twins-plot .gated")).to_be_visible()
    page.locator("#twins summary").click()
    expect(page.locator("#twins-rows tr").first.locator("td")).to_have_count(6)
