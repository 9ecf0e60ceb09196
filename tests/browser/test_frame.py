"""What stands around every page: how the gate stands, live; the navigation, keys, the pause."""

import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.floor import BUSY, GOOD, push, use_policy
from tests.support.server import Server, a_port, a_server

BACKLOG_ONLY = [{"metric": "backlog", "hold_above": 10, "resume_below": 5, "resume_for_seconds": 0}]
DEAD_WITHIN = 15_000  # milliseconds of the page's own clock
DASH = "\u2013"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose one gate goes by the backlog alone, and so changes at once."""
    with a_server(tmp_path_factory.mktemp("frame")) as started, started.client() as client:
        use_policy(client, rules=BACKLOG_ONLY, stale_after_seconds=600)
        yield started


@pytest.fixture
def sending(gate: Server) -> Server:
    """The server once its gate says send."""
    _tell(gate, GOOD)
    return gate


def _tell(server: Server, backlogs: dict[str, int]) -> None:
    with server.client() as client:
        push(client, backlogs)


def live(page: Page, word: str) -> Page:
    """Return the page once it is live and its header says the word."""
    expect(page.locator("#connection-text")).to_have_text("live")
    expect(page.locator(".pulse-live")).to_have_text(word)
    return page


def dead(page: Page) -> None:
    """See a page's header, title and icon say that nothing here may be relied on."""
    expect(page.locator("#not-live")).to_be_visible()
    expect(page.locator(".pulse-dead")).to_be_visible()
    expect(page.locator(".pulse-live")).to_be_hidden()
    expect(page).to_have_title(re.compile("^UNKNOWN · not live · "))
    expect(page.locator("#favicon")).to_have_attribute("href", re.compile(r"/unknown\.svg$"))


# --- the gate on every page ---


def test_a_page_that_is_not_the_board_follows_its_gate(sending: Server, open_page):
    page = live(open_page(f"{sending.url}/plan"), "SEND")
    expect(page).to_have_title(f"SEND · Plan a send {DASH} holdfire")
    page.evaluate("window.stayed = true")
    _tell(sending, BUSY)
    live(page, "HOLD")
    expect(page.locator(".pulse-about")).to_have_text("orders-voice")
    expect(page).to_have_title(f"HOLD · Plan a send {DASH} holdfire")
    expect(page.locator("#favicon")).to_have_attribute("href", re.compile(r"/hold\.svg$"))
    expect(page.locator("#status")).to_have_text(re.compile("^HOLD: orders-voice: 14 waiting"))
    assert page.evaluate("window.stayed")
    page.locator(".pulse-link").click()
    expect(page.locator("#verdict-word")).to_have_text("HOLD")


def test_one_page_opens_one_socket(sending: Server, open_page):
    page = live(open_page(f"{sending.url}/plan"), "SEND")
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    for path, view in (("/plan", "pulse"), ("/", "page")):
        opened.clear()
        page.goto(sending.url + path)
        live(page, "SEND")
        assert len(opened) == 1
        assert f"view={view}" in opened[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["told to end", "killed"])
def test_a_server_that_ended_is_seen_on_any_page_and_so_is_its_return(tmp_path: Path, open_page, number):
    port = a_port()
    with a_server(tmp_path, "--port", port) as first, first.client() as client:
        use_policy(client, rules=BACKLOG_ONLY, stale_after_seconds=600)
        push(client, GOOD)
        page = live(open_page(f"{first.url}/plan", server_may_go=True), "SEND")
        page.evaluate("window.stayed = true")
        first.stop(number)
        dead(page)
    with a_server(tmp_path, "--port", port) as second:
        _tell(second, BUSY)
        expect(page.locator("#not-live")).to_be_hidden()
        live(page, "HOLD")
        assert page.evaluate("window.stayed")


def test_a_frozen_server_is_seen_on_any_page_within_fifteen_seconds(sending: Server, open_page):
    page = open_page("about:blank", server_may_go=True)
    page.clock.install()
    page.goto(f"{sending.url}/plan")
    live(page, "SEND")
    sending.process.send_signal(signal.SIGSTOP)
    try:
        page.clock.run_for(DEAD_WITHIN)
        dead(page)
    finally:
        sending.process.send_signal(signal.SIGCONT)
    expect(page.locator("#not-live")).to_be_hidden()
    live(page, "SEND")


def test_a_page_whose_browser_goes_offline_is_marked_and_mends_itself_without_a_reload(sending: Server, open_page):
    page = live(open_page(sending.url, server_may_go=True), "SEND")
    page.evaluate("window.stayed = true")
    page.context.set_offline(True)
    dead(page)
    expect(page.locator(".call-dead .word")).to_have_text("UNKNOWN")
    expect(page.locator("#verdict-word")).to_have_css("text-decoration-line", "line-through")
    expect(page.locator("#status")).to_have_text(re.compile("^Live connection lost"))
    _tell(sending, BUSY)
    page.context.set_offline(False)
    live(page, "HOLD")
    expect(page.locator("#verdict-word")).to_have_text("HOLD")
    expect(page.locator("#not-live")).to_be_hidden()
    assert page.evaluate("window.stayed")


def test_an_override_is_on_every_page_with_what_is_left_of_it(sending: Server, open_page, artifacts: Path):
    page = live(open_page(f"{sending.url}/plan"), "SEND")
    with sending.client() as client:
        until = (datetime.now(UTC) + timedelta(minutes=40)).isoformat()
        asked = {"effect": "hold", "ends_at": until, "comment": "Storm in Texas, the phones are full"}
        made = client.post("/api/v1/gates/default/overrides", json=asked)
        assert made.status_code == 201, made.text
        live(page, "HOLD")
        strip = page.locator(".overriding li")
        expect(strip).to_contain_text("Held by hand")
        expect(strip).to_contain_text("Storm in Texas")
        expect(strip.locator(".left")).to_have_text(re.compile(r"^39.min( [0-9]{1,2}.s)? left$"))
        assert violations(page) == []
        page.screenshot(path=artifacts / "override-dark-1440.png")
        client.delete(f"/api/v1/gates/default/overrides/{made.json()['id']}").raise_for_status()
    live(page, "SEND")
    expect(strip).to_have_count(0)


# --- getting about ---


def test_on_a_telephone_the_menu_opens_and_leads_on_without_scripts(sending: Server, open_page):
    page = open_page(sending.url, width=390, java_script_enabled=False)
    link = page.get_by_role("navigation", name="Pages").get_by_role("link", name="Plan a send")
    expect(page.locator("#menu")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    link.click()
    expect(page.locator("h1")).to_have_text("Plan a send")


def test_keys_lead_about_help_and_can_be_turned_off(sending: Server, open_page, artifacts: Path):
    page = live(open_page(sending.url), "SEND")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys and help")).to_be_visible()
    assert violations(page) == []
    page.screenshot(path=artifacts / "keys-dark-1440.png")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.evaluate("performance.now = () => 0")  # however busy the machine is, the second key comes in time
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile("/plan"))
    live(page, "SEND")
    page.get_by_label("To how many").press("g")
    page.get_by_label("To how many").press("n")
    expect(page.get_by_label("To how many")).to_have_value("gn")
    page.locator("#help-button").click()
    page.get_by_label("Single keys").uncheck()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-keys", "off")


def test_the_board_alone_fills_the_screen_and_comes_back(sending: Server, open_page, artifacts: Path):
    page = live(open_page(f"{sending.url}/plan"), "SEND")
    page.locator("h1").click()
    page.keyboard.press("k")
    expect(page).to_have_url(re.compile(r"/\?kiosk=yes"))
    live(page, "SEND")
    expect(page.locator("#verdict-word")).to_have_text("SEND")
    expect(page.locator(".pages")).to_be_hidden()
    expect(page.locator(".pulse-link")).to_be_visible()
    page.screenshot(path=artifacts / "kiosk-dark-1440.png")
    page.keyboard.press("k")
    expect(page.locator(".pages")).to_be_visible()
    expect(page).not_to_have_url(re.compile("kiosk"))


# --- the pause ---


def test_a_paused_board_stands_still_while_the_header_goes_on(sending: Server, open_page, artifacts: Path):
    page = live(open_page(sending.url), "SEND")
    page.keyboard.press("p")
    expect(page.locator("#paused")).to_be_visible()
    backlog = page.locator("#tile-orders-voice .big .val")
    _tell(sending, BUSY)
    live(page, "HOLD")
    expect(page.locator("#paused")).to_contain_text("The gate says HOLD by now.")
    expect(page.locator("#paused-newer")).to_have_text(re.compile(r"^[1-9]\d* newer\.$"))
    expect(backlog).to_have_text("2")
    expect(page.locator("#verdict-word")).to_have_text("SEND")
    expect(page.locator("#verdict-word")).to_have_css("text-decoration-line", "line-through")
    assert violations(page) == []
    page.screenshot(path=artifacts / "paused-dark-1440.png")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#verdict-word")).to_have_text("HOLD")
    expect(backlog).to_have_text("14")
    expect(page.locator("#paused")).to_be_hidden()
