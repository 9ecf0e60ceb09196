"""Each state of the board as people see it, light and dark, wide and narrow; screenshots go to artifacts/."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.floor import BUSY, GOOD, POLICY, push, push_past, use_policy
from tests.browser.looking import found, looks
from tests.support.server import Server, a_server

WORDS = {"send": "SEND", "demo": "SEND", "hold": "HOLD", "unknown": "UNKNOWN", "empty": "UNKNOWN"}
CHARTS = ("speed_to_answer_seconds", "backlog", "service_level_ratio", "handle_time_seconds")
TITLE_DASH = "\u2013"
states = pytest.mark.parametrize("state", sorted(WORDS))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """One holdfire per state, each with a past that leads to it."""
    with ExitStack() as stack:
        started = {}
        for state in WORDS:
            variables = {"HOLDFIRE_DEMO": "true"} if state == "demo" else {}
            started[state] = stack.enter_context(a_server(tmp_path_factory.mktemp(state), **variables))
            _give_past(started[state], state)
        yield started


def _give_past(server: Server, state: str) -> None:
    if state == "empty":
        return
    silent_since = timedelta(minutes=7) if state == "unknown" else timedelta(minutes=1)
    with server.client() as client:
        trusted = POLICY["stale_after_seconds"] if state == "unknown" else 3_600
        use_policy(client, max_audience_per_wave=25_000, stale_after_seconds=trusted)
        client.post("/api/v1/gates", json={"name": "emea"}).raise_for_status()
        push_past(client, datetime.now(UTC) - silent_since)


def _bring_about(server: Server, state: str) -> None:
    """Report what the state needs right now, and let an email tool ask."""
    if state in {"unknown", "empty"}:
        return
    with server.client() as client:
        push(client, BUSY if state == "hold" else GOOD)
        for partial in ("false", "true"):
            asked = {"audience": "500000", "campaign": "spring-sale", "accept_partial": partial}
            assert client.get("/api/v1/readiness", params=asked).status_code in {200, 429, 503}


def settled(page: Page) -> Page:
    """Return the page once it is live and its chart, if it has one, is drawn."""
    expect(page.locator("#connection-text")).to_have_text("live")
    if page.locator("#chart-panel").is_visible():
        for metric in CHARTS:
            chart = page.locator(f".multiple[data-metric={metric}]")
            expect(chart.locator(".main-svg").first).to_be_visible()
            expect(chart.locator("figcaption")).to_contain_text("the last 3")
    return page


def no_sideways_scroll(page: Page) -> bool:
    """Return whether everything fits the width."""
    return bool(found(page, "document.documentElement.scrollWidth <= innerWidth", wanted=True))


@looks
@states
def test_a_state_says_itself_by_word_shape_title_and_icon(servers, open_page, artifacts: Path, state, look):
    theme, width = look
    _bring_about(servers[state], state)
    page = open_page(servers[state].url, theme=theme, width=width)
    word = WORDS[state]
    expect(page.locator("#verdict-word")).to_have_text(word)
    settled(page)
    expect(page).to_have_title(f"{word} · default {TITLE_DASH} holdfire")
    expect(page.locator("#favicon")).to_have_attribute("href", re.compile(rf"/favicons/{word.lower()}\.svg$"))
    expect(page.locator(f".call-live .mark-{word.lower()}")).to_be_visible()
    assert no_sideways_scroll(page)
    page.screenshot(path=artifacts / f"{state}-{theme}-{width}.png", full_page=True)


def test_a_hold_names_the_deciding_check_first_and_says_by_how_much(servers, open_page):
    _bring_about(servers["hold"], "hold")
    page = open_page(servers["hold"].url)
    first = page.locator(".check").first
    expect(first).to_contain_text("holding")
    expect(first).to_contain_text("deciding")
    expect(first).to_contain_text("Backlog")
    expect(first.locator(".c-limit")).to_contain_text("≤ 10")
    expect(first.locator(".c-margin")).to_have_text("\u22124")
    expect(page.locator(".check")).to_have_count(12)
    tile = page.locator("#tile-orders-voice")
    expect(tile).to_contain_text("holding")
    expect(page.locator(".tile.is-neutral")).to_have_count(3)


def test_who_asked_and_what_they_were_told_is_listed(servers, open_page):
    _bring_about(servers["hold"], "hold")
    page = settled(open_page(servers["hold"].url))
    expect(page.locator("#asks .told").first).to_contain_text("HTTP 429")
    expect(page.locator("#asks")).to_contain_text("spring-sale")


def test_stale_data_are_struck_and_hatched_and_say_since_when(servers, open_page):
    page = open_page(servers["unknown"].url)
    tile = page.locator("#tile-orders-voice")
    expect(tile).to_contain_text("stale")
    assert "line-through" in tile.locator(".val").first.evaluate("node => getComputedStyle(node).textDecorationLine")
    assert "gradient" in tile.evaluate("node => getComputedStyle(node).backgroundImage")
    expect(page.locator(".check").first).to_contain_text("last seen")
    expect(page.locator(".age")).to_contain_text("too old, limit")


def test_the_first_run_shows_a_command_that_works_and_comes_alive_by_itself(server: Server, open_page):
    page = open_page(server.url)
    expect(page.get_by_role("heading", name="No queue has reported yet")).to_be_visible()
    expect(page.locator("#first-run")).to_contain_text(f"curl {server.url}/api/v1/observations")
    with server.client() as client:
        push(client, GOOD)
    expect(page.locator("#tile-orders-voice")).to_be_visible()
    expect(page.locator("#first-run")).to_be_hidden()
    expect(page.locator("#chart-form select[name=queue] option")).to_have_count(4)


def test_the_demonstration_says_so_on_its_face(servers, open_page):
    page = open_page(servers["demo"].url, width=390)
    expect(page.locator(".demo")).to_be_visible()
    expect(page.locator(".demo")).to_contain_text("DEMO")


@pytest.mark.parametrize("state", ["hold", "empty"])
def test_320_pixels_need_no_sideways_scroll(servers, open_page, state):
    _bring_about(servers[state], state)
    assert no_sideways_scroll(settled(open_page(servers[state].url, width=320)))


def test_forced_colours_keep_shapes_and_words(servers, open_page, artifacts: Path):
    _bring_about(servers["hold"], "hold")
    page = settled(open_page(servers["hold"].url, forced_colors="active"))
    expect(page.locator(".call-live .mark-hold")).to_be_visible()
    page.screenshot(path=artifacts / "hold-forced-colours-1440.png", full_page=True)


def test_the_page_reads_without_scripts(servers, open_page):
    _bring_about(servers["hold"], "hold")
    page = open_page(servers["hold"].url, java_script_enabled=False)
    expect(page.locator("#verdict-word")).to_have_text("HOLD")
    expect(page.locator("#log")).to_be_visible()
    page.get_by_role("link", name="Backlog as a table").click()
    expect(page.get_by_role("heading", name="Backlog of orders-voice")).to_be_visible()
    expect(page.locator("table.log tbody tr").nth(60)).to_be_visible()


def test_another_gate_is_one_click_away(servers, open_page):
    _bring_about(servers["hold"], "hold")
    page = open_page(servers["hold"].url)
    page.get_by_role("link", name="emea").click()
    expect(page.locator("#verdict-word")).to_have_text("UNKNOWN")
    expect(page.locator(".facts")).to_contain_text("no policy")
