"""Every page, once over: axe-core, all looks, 320 pixels, paper, no script error; pictures go to artifacts/."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.web.frame import ROOMS
from tests.browser.axe import colour_faults, violations
from tests.browser.conftest import Theme
from tests.browser.gallery import REFUSES, addresses, furnish, pages
from tests.browser.legible import illegible, too_small
from tests.browser.looking import found
from tests.support.people import session_cookies, signed_in
from tests.support.server import Server, a_server

WIDTHS: dict[Theme, tuple[int, ...]] = {"dark": (1440, 820, 390), "light": (1440, 390)}
PICTURED = frozenset({("dark", 1440), ("dark", 390), ("light", 1440)})
SETTLED = 60_000
# What people print, on a sheet of A4, by whose whole width Chromium chooses among the rules of style.
PRINTED = frozenset({"/", "/plan", "/calendar", "/campaigns/{campaign}/briefing", "/thresholds", "/history"})
SHEET, DARK_INK = 794, "rgb(213, 221, 229)"
# A chart follows its window, and what it is drawn in, a moment later.
UNFITTED = """() => [...document.querySelectorAll(".js-plotly-plot")].filter((plot) =>
    plot.clientWidth && Math.abs(plot.querySelector(".main-svg").clientWidth - plot.clientWidth) > 2).length"""
DARK_MARKS = """(ink) => [...document.querySelectorAll(".plot path, .plot text")]
    .filter((mark) => [getComputedStyle(mark).stroke, getComputedStyle(mark).fill].includes(ink))
    .map((mark) => mark.getAttribute("class"))"""
SIGNED_OUT = frozenset({"/sign-in", "/setup/{token}", "/join/{token}", "/reset/{token}"})
STICKING_OUT = """() => {
    if (document.documentElement.scrollWidth <= innerWidth) return [];
    const named = (node) => [node.nodeName.toLowerCase(), node.id && `#${node.id}`, ...node.classList].join(" ");
    const isWide = (node) => node.getBoundingClientRect().right > innerWidth + 1;
    const wide = [...document.querySelectorAll("body *")].filter(isWide);
    return wide.slice(0, 5).map((node) => `${named(node)} in ${named(node.parentElement)}`);
}"""


class House:
    """A server with everything in it, who is signed in to it, and the address of each page."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        furnish(server)
        self.cookies = session_cookies(server)
        with signed_in(server) as looking:
            self.addresses = addresses(looking)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with one of everything."""
    with a_server(tmp_path_factory.mktemp("gallery"), auth="on") as started:
        yield House(started)


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A holdfire of which nobody has told anything yet."""
    with a_server(tmp_path_factory.mktemp("first")) as started:
        yield started


def settled(page: Page) -> Page:
    """Return the page once nothing on it is on its way any more."""
    if page.locator("#connection-text").count():
        expect(page.locator("#connection-text")).to_have_text("live")
    expect(page.locator(".htmx-request, [aria-busy=true]")).to_have_count(0, timeout=SETTLED)
    return page


def faults(page: Page) -> list[str]:
    """Return what every page must keep, and this one does not, a sentence each."""
    named = violations(page)
    headings = page.locator("h1").count()
    if headings != 1:
        named.append(f"there are {headings} h1, not one")
    bare = page.locator("time[datetime]:not([data-form])").count()
    if bare:
        named.append(f"{bare} times have no data-form, so another zone could not be chosen for them")
    return named


def too_wide(page: Page, width: int) -> list[str]:
    """Return what reaches beyond a width, so that a page must be scrolled sideways; nothing where it need not be."""
    page.set_viewport_size({"width": width, "height": 900})
    sticking_out: list[str] = found(page, STICKING_OUT, [])  # a chart follows the window a moment later
    return sticking_out


def pictured(page: Page, artifacts: Path, name: str) -> list[str]:
    """Look at a page in all looks, and take pictures of three; return its faults in both themes."""
    named = []
    for theme, widths in WIDTHS.items():
        page.emulate_media(color_scheme=theme)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            assert found(page, UNFITTED, 0) == 0
            if (theme, width) in PICTURED:
                page.screenshot(path=artifacts / f"{name}-{theme}-{width}.png", full_page=True)
            named += [f"{width}: {fault}" for fault in illegible(page) + too_small(page)]
        page.set_viewport_size({"width": 1440, "height": 900})
        named += [f"{theme}: {fault}" for fault in (faults(page) if theme == "dark" else colour_faults(page))]
    return named


def printed(page: Page, picture: Path) -> list[str]:
    """Keep a picture of the page as it is printed from a dark screen; return what is wrong with it on paper."""
    if page.locator(".js-plotly-plot").count():
        assert found(page, f"({DARK_MARKS})('{DARK_INK}').length > 0", wanted=True)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    named = too_wide(page, SHEET) + illegible(page)
    page.screenshot(path=picture, full_page=True)
    return named + [f"still drawn for a dark screen: {mark}" for mark in page.evaluate(DARK_MARKS, DARK_INK)]


def file_name(template: str) -> str:
    """Return a page's name for its pictures."""
    return "page-" + (re.sub(r"[^a-z0-9]+", "-", template.lower()).strip("-") or "now")


@pytest.mark.parametrize("template", pages())
def test_a_page_is_accessible_in_both_themes_and_at_every_width(house: House, open_page, artifacts: Path, template):
    assert template in house.addresses, f"no link leads to {template}: link it, or name its address in gallery.py"
    page = open_page("about:blank", server_may_go=bool(REFUSES.search(template)))
    if template not in SIGNED_OUT:
        page.context.add_cookies(house.cookies)
    page.goto(house.url + house.addresses[template])
    settled(page)
    assert pictured(page, artifacts, file_name(template)) == []
    assert too_wide(page, 320) == []
    assert illegible(page) + too_small(page) == []
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".menu, .skip, #not-live").locator("visible=true")).to_have_count(0)
    if template in PRINTED:
        assert printed(page, artifacts / f"{file_name(template)}-print.png") == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.word)
def test_a_page_has_something_to_say_on_the_first_day(first_day: Server, open_page, artifacts: Path, room):
    page = settled(open_page(first_day.url + room.path))
    assert faults(page) == []
    page.screenshot(path=artifacts / f"first-{room.word.lower().replace(' ', '-')}-dark-1440.png", full_page=True)
    assert too_wide(page, 390) == []
    page.emulate_media(color_scheme="light")
    page.screenshot(path=artifacts / f"first-{room.word.lower().replace(' ', '-')}-light-390.png", full_page=True)
