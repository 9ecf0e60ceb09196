"""Who asked to be told of a change is told once, by what a browser shows and plays; nobody else is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import WHOLE, launched
from tests.browser.floor import BUSY, GOOD, push, use_policy
from tests.browser.looking import found
from tests.support.server import Server, a_server

BACKLOG_ONLY = [{"metric": "backlog", "hold_above": 10, "resume_below": 5, "resume_for_seconds": 0}]
RECORDER = """
document.told = [];
document.tones = [];
window.Notification = class extends Notification {
    constructor(title, options) { super(title, options); document.told.push(title); }
};
window.OscillatorNode = class extends OscillatorNode {
    constructor(context, options) { super(context, options); document.tones.push(options.frequency); }
};
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser with windows: the shell grants nobody notifications."""
    with launched(WHOLE) as browser:
        yield browser


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("notifications")) as started, started.client() as client:
        use_policy(client, rules=BACKLOG_ONLY, stale_after_seconds=600)
        yield started


@pytest.fixture
def sending(gate: Server) -> Server:
    """The server once its gate says send."""
    with gate.client() as client:
        push(client, GOOD)
    return gate


def _live(page: Page, word: str) -> Page:
    expect(page.locator("#connection-text")).to_have_text("live")
    expect(page.locator(".pulse-live")).to_have_text(word)
    return page


def test_a_change_is_told_once_to_who_asked_for_it_and_to_nobody_else(sending: Server, open_page, artifacts: Path):
    silent = _live(_recording(open_page, sending), "SEND")
    page = _live(_recording(open_page, sending, permissions=["notifications"]), "SEND")
    page.get_by_role("button", name="Notifications: off").click()
    page.get_by_label("Show a notification").check()
    page.get_by_label("Play a tone").check()
    page.get_by_role("button", name="Test sound").click()
    assert found(page, "document.tones", [440, 330]) == [440, 330]
    expect(page.locator("#notify-blocked")).to_be_hidden()
    page.evaluate("document.tones.splice(0)")
    assert violations(page) == []
    page.screenshot(path=artifacts / "notifications-dark-1440.png")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Notifications: on")).to_be_visible()
    with sending.client() as client:
        push(client, BUSY)
    _live(silent, "HOLD")
    expect(page.locator("#alarm")).to_have_text("HOLD: orders-voice: 14 waiting, limit 10")
    said = ["default: HOLD: orders-voice: 14 waiting, limit 10"]
    assert found(page, "document.told", said) == said
    assert found(page, "document.tones", [440, 330]) == [440, 330]
    assert silent.evaluate("[...document.told, ...document.tones]") == []
    expect(silent.locator("#alarm")).to_be_empty()


def test_sound_that_the_browser_blocks_is_said_to_be_and_a_mute_ends_all_of_it(sending: Server, open_page):
    page = _live(_recording(open_page, sending), "SEND")
    page.evaluate("localStorage.setItem('holdfire-notify', JSON.stringify({show: false, sound: true, mutedUntil: 0}))")
    page.reload()
    _live(page, "SEND")
    expect(page.get_by_role("button", name="Notifications: sound is blocked")).to_be_visible()
    page.locator("#notify-button").click()
    expect(page.get_by_role("button", name="Mute", exact=True)).to_be_visible()
    page.get_by_role("button", name="Mute", exact=True).click()
    expect(page.locator("#notify-muted")).to_have_text(re.compile("^Muted until "))
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Notifications: muted")).to_be_visible()


def _recording(open_page, server: Server, **options) -> Page:
    """Return a page that keeps what it told the browser to show and to play."""
    page: Page = open_page(f"{server.url}/plan", **options)
    page.add_init_script(RECORDER)
    page.reload()
    return page
