"""Trying a mapping, in a real browser: paste what a system says, see what would come in; all of it by keyboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import looked_at, looks
from tests.support.server import Server, a_server

TABLE = """[[sources]]
type = "csv-drop"
folder = "/srv/export"
mapping = { queue_from = "Queue", metrics = { backlog = "Waiting" } }"""
FILE = "Queue,Waiting\norders-voice,12\nbilling-voice,many\n"
BROKEN = '[\n  {"queue": "orders-voice"},\n  x\n]'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("try")) as started:
        yield started


def paste(page: Page, sample: str, table: str = "") -> None:
    """Put a sample, and a table, into the form and send it, without a mouse."""
    for label, text in (("What the system says", sample), ("Table", table)):
        field = page.get_by_label(label, exact=True)
        if text:
            field.press("ControlOrMeta+A")
            page.keyboard.insert_text(text)
    page.get_by_label("Table", exact=True).press("Tab")
    expect(page.get_by_role("button", name="Try it")).to_be_focused()
    page.keyboard.press("Enter")


@looks
def test_what_would_come_in_is_shown_and_the_line_of_what_would_not(server, open_page, artifacts, look):
    theme, width = look
    page = open_page(f"{server.url}/sources/try", theme=theme, width=width)
    paste(page, FILE, TABLE)
    result = page.locator("#result")
    expect(result.get_by_role("heading")).to_have_text("1 value of 1 queue would come in; 1 row would be rejected.")
    rows = result.locator("tbody tr")
    expect(rows).to_have_count(2)
    came, rejected = rows.first, rows.last
    expect(came).to_contain_text("orders-voice")
    expect(came).to_contain_text("12")
    expect(rejected.get_by_role("rowheader")).to_have_text("3")  # the line, counted with the header
    expect(rejected).to_contain_text("a text, not a number")
    looked_at(page, artifacts, "source-try", look)


def test_what_cannot_be_read_is_said_with_its_line_and_leads_to_the_field(server, open_page, artifacts):
    page = open_page(f"{server.url}/sources/try", theme="light", width=390, server_may_go=True)
    paste(page, BROKEN)
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("the answer is not JSON")
    expect(summary).to_contain_text("line 3")
    expect(page.get_by_label("What the system says", exact=True)).to_have_value(BROKEN)
    looked_at(page, artifacts, "source-try-fault", ("light", 390))
    summary.get_by_role("link").press("Enter")
    expect(page).to_have_url(f"{server.url}/sources/try#sample")
