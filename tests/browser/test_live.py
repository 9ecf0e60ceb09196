"""The page over time: it follows the server, says visibly when it cannot, and mends itself."""

import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.web.format import duration
from tests.browser.floor import BUSY, GOOD, push, push_past, use_policy
from tests.support.server import Server, a_port, a_server

DEAD_WITHIN, ASKS_EVERY = 15_000, 15_000  # milliseconds of the page's own clock
HOVERS = 40
BACKLOG_ONLY = [{"metric": "backlog", "hold_above": 10, "resume_below": 5, "resume_for_seconds": 0}]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for those who only look at it and report."""
    with a_server(tmp_path_factory.mktemp("live")) as started:
        yield started


def _good(server: Server) -> None:
    """See to it that a gate says send that changes at once."""
    with server.client() as client:
        use_policy(client, rules=BACKLOG_ONLY, stale_after_seconds=600)
        push(client, GOOD)


def _report(server: Server, backlogs: dict[str, int]) -> None:
    with server.client() as client:
        push(client, backlogs)


def _zone_at_noon(now: datetime) -> str:
    """Return a zone in which it is past twelve: for hours no day ends there, and no clock is set."""
    east = 12 - now.hour
    return f"Etc/GMT{-east:+d}" if east else "Etc/GMT"


def _live(page: Page, word: str) -> None:
    expect(page.locator("#connection-text")).to_have_text("live")
    expect(page.locator("#verdict-word")).to_have_text(word)
    expect(page.locator(".call-dead")).to_be_hidden()


def _visibly_dead(page: Page) -> None:
    """The data themselves show it: word struck, UNKNOWN beside it, tiles hatched and struck, title and icon."""
    expect(page.locator(".call-dead .word")).to_be_visible()
    expect(page.locator(".call-dead .word")).to_have_text("UNKNOWN")
    expect(page.locator("#verdict-word")).to_have_css("text-decoration-line", "line-through")
    expect(page.locator("#tile-orders-voice .val").first).to_have_css("text-decoration-line", "line-through")
    expect(page.locator("#tile-orders-voice")).to_have_css("background-image", re.compile("gradient"))
    expect(page.locator("#not-live")).to_be_visible()
    expect(page).to_have_title(re.compile("^UNKNOWN · not live"))
    expect(page.locator("#favicon")).to_have_attribute("href", re.compile(r"/unknown\.svg$"))


def test_a_change_reaches_the_page_without_a_reload_and_is_announced_once(watched: Server, open_page):
    _good(watched)
    page = open_page(watched.url)
    _live(page, "SEND")
    page.evaluate("window.stayed = true")
    expect(page.locator("#status")).to_be_empty()
    _report(watched, BUSY)
    _live(page, "HOLD")
    expect(page.locator("#status")).to_have_text(re.compile("^HOLD: orders-voice: 14 waiting"))
    expect(page).to_have_title(re.compile("^HOLD"))
    assert page.evaluate("window.stayed")


def test_a_server_that_went_away_is_seen_and_its_return_too(tmp_path: Path, open_page, artifacts: Path):
    port = a_port()
    with a_server(tmp_path, "--port", port) as first:
        _good(first)
        page = open_page(first.url, server_may_go=True)
        _live(page, "SEND")
    _visibly_dead(page)
    page.screenshot(path=artifacts / "dead-dark-1440.png", full_page=True)
    expect(page.locator("#status")).to_have_text(re.compile("^Live connection lost"))
    with a_server(tmp_path, "--port", port) as second:
        with second.client() as client:
            push(client, BUSY)
        expect(page.locator("#connection-text")).to_have_text("live")
        _live(page, "HOLD")
        expect(page.locator("#not-live")).to_be_hidden()


def test_the_chart_says_a_value_under_the_pointer(watched: Server, open_page):
    now = datetime.now(UTC)
    with watched.client() as client:
        push_past(client, now)
        use_policy(client, time_zone=_zone_at_noon(now))
        push(client, GOOD)
    page = open_page(watched.url)
    chart = page.locator(".multiple[data-metric=backlog]")
    expect(chart.locator("figcaption")).to_contain_text("over the last 3")
    said = chart.locator(".hoverlayer").filter(has_text=re.compile(r"\d\d:\d\d\s*\d"))
    for _ in range(HOVERS):  # a chart that is drawn anew forgets the pointer until that moves
        page.mouse.move(0, 0)
        chart.locator(".nsewdrag").hover()
        page.wait_for_timeout(250)
        if said.count():
            break
    expect(said).to_have_count(1)


def test_a_frozen_server_is_noticed_though_its_socket_stays_open(watched: Server, open_page):
    _good(watched)
    page = open_page("about:blank", server_may_go=True)
    page.clock.install()
    page.goto(watched.url)
    _live(page, "SEND")
    watched.process.send_signal(signal.SIGSTOP)
    try:
        page.clock.run_for(DEAD_WITHIN)
        _visibly_dead(page)
    finally:
        watched.process.send_signal(signal.SIGCONT)
    expect(page.locator("#connection-text")).to_have_text("live")
    expect(page.locator(".call-dead")).to_be_hidden()


def test_data_that_grow_too_old_turn_the_page_grey_while_the_socket_lives(watched: Server, open_page):
    with watched.client() as client:
        use_policy(client, stale_after_seconds=4)
        push(client, GOOD)
    page = open_page(watched.url)
    expect(page.locator("#verdict-word")).to_have_text("UNKNOWN")
    expect(page.locator("#tile-orders-voice .val").first).to_have_css("text-decoration-line", "line-through")
    expect(page.locator("#connection-text")).to_have_text("live")


def test_where_sockets_are_blocked_the_page_asks_instead(watched: Server, open_page):
    _good(watched)
    page = open_page("about:blank", server_may_go=True)
    page.clock.install()
    page.route_web_socket(re.compile("/api/v1/live"), lambda socket: socket.close())  # a proxy that knows no sockets
    page.goto(watched.url)
    expect(page.locator("#connection-text")).to_have_text("live, every 15 s")
    expect(page.locator(".call-dead")).to_be_hidden()
    _report(watched, BUSY)
    page.clock.run_for(ASKS_EVERY)
    expect(page.locator("#verdict-word")).to_have_text("HOLD")


def test_an_open_list_and_the_focus_survive_updates(server: Server, open_page):
    with server.client() as client:
        use_policy(client, stale_after_seconds=600)
        push(client, {f"queue-{index:02d}": 1 for index in range(8)})
    page = open_page(server.url)
    _live(page, "SEND")
    page.locator("#more-checks summary").click()
    page.locator("#more-checks summary").focus()
    with server.client() as client:
        push(client, {f"queue-{index:02d}": 2 for index in range(8)})
    expect(page.locator("#tile-queue-03 .big .val")).to_have_text("2")
    expect(page.locator("#more-checks")).to_have_attribute("open", "")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_ages_tick_by_the_servers_clock_and_read_as_the_server_writes_them(watched: Server, open_page):
    _good(watched)
    page = open_page(watched.url)
    _live(page, "SEND")
    values = [0, 1, 59, 60, 61, 200, 3599, 3600, 3665, 86_399, 86_400, 97_200, 1_000 * 86_400]
    path = page.locator("script[src$='/main.js']").get_attribute("src")
    assert path is not None
    module = path.replace("main.js", "format.js")
    written = page.evaluate(
        "async ([module, values]) => { const { duration } = await import(module); return values.map(duration); }",
        [module, values],
    )
    assert written == [duration(value) for value in values]
    ticking = page.locator(".age .tick")
    before = ticking.inner_text()
    expect(ticking).not_to_have_text(before)
    expect(ticking).to_have_text(re.compile(r"^\d+\s(s|min)"))


def test_the_charts_follow_the_choice_and_the_choice_is_in_the_url(watched: Server, open_page):
    _good(watched)
    page = open_page(f"{watched.url}/?queue=orders-voice&range=24h&behind=")
    backlog = page.locator(".multiple[data-metric=backlog]")
    expect(backlog.locator("figcaption")).to_contain_text("orders-voice over the last 24 h")
    page.locator("#chart-form").get_by_label("Queue").select_option("care-chat")
    expect(backlog.locator("figcaption")).to_contain_text("Backlog of care-chat")
    page.locator(".layers label").filter(has_text="Yesterday").click()
    page.locator(".layers label").filter(has_text="Sends").click()
    page.get_by_text("7 d", exact=True).click()
    for part in ("queue=care-chat", "range=7d", "behind=yesterday", "hide=sends"):
        expect(page).to_have_url(re.compile(part))
    page.reload()
    expect(page.locator("#chart-form").get_by_label("Queue")).to_have_value("care-chat")
    expect(page.locator("[data-layer=sends]")).not_to_be_checked()
    expect(page.locator("[data-day=yesterday]")).to_be_disabled()
    expect(page.locator(".multiple .plot-container")).to_have_count(4)
    expect(backlog.get_by_role("link", name="CSV")).to_have_attribute("href", re.compile("queue=care-chat&range=7d"))


def test_what_a_number_means_is_told_on_focus_and_put_away_with_escape(watched: Server, open_page, artifacts: Path):
    _good(watched)
    page = open_page(watched.url)
    _live(page, "SEND")
    card = page.locator("#card")
    expect(card).to_be_hidden()
    page.locator("#tile-orders-voice .big .hint").focus()
    expect(card).to_be_visible()
    expect(card).to_contain_text("contacts waiting now")
    expect(card).to_contain_text("source acd-1")
    page.screenshot(path=artifacts / "card-dark-1440.png")
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_the_theme_is_chosen_by_button_and_kept_without_a_flash(watched: Server, open_page):
    _good(watched)
    page = open_page(watched.url, theme="dark")
    page.locator("#theme").click()
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    white = "rgb(238, 241, 244)"
    expect(page.locator("body")).to_have_css("background-color", white)
    page.goto(watched.url, wait_until="commit")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page.locator("body")).to_have_css("background-color", white)
