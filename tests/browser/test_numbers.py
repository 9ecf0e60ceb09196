"""Numbers by the reader's locale: all of them or none, in sentences as in tiles."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.floor import GOOD, push, use_policy
from tests.support.server import Server, a_server

TEXTS = [
    "25,000 of 500,000 now: 12.5 % at risk",
    "gate default, policy v2, build 0.4.1, 127.0.0.1, orders-1,000",
    "at 14:05, 2026-11-16, in 1,234,567.8 s",
    "3.5",
    "no number, here. Nor here",
]
GERMAN = [
    "25.000 of 500.000 now: 12,5 % at risk",
    "gate default, policy v2, build 0.4.1, 127.0.0.1, orders-1,000",
    "at 14:05, 2026-11-16, in 1.234.567,8 s",
    "3,5",
    "no number, here. Nor here",
]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a queue of more than a thousand."""
    with a_server(tmp_path_factory.mktemp("numbers")) as started, started.client() as client:
        use_policy(client, stale_after_seconds=600)
        push(client, GOOD | {"orders-mail": 12_345})
        yield started


def localized(page: Page, texts: list[str]) -> list[str]:
    """Return texts as the page's own module writes them."""
    path = page.locator("script[src$='/frame.js']").get_attribute("src")
    assert path is not None
    written: list[str] = page.evaluate(
        "async ([module, texts]) => { const { localized } = await import(module); return texts.map(localized); }",
        [path.replace("frame.js", "numbers.js"), texts],
    )
    return written


def test_tiles_and_sentences_are_written_by_the_same_rule(watched: Server, open_page):
    page = open_page(watched.url, locale="de-DE")
    expect(page.locator("#tile-orders-mail .big .val")).to_have_text("12.345")
    expect(page.locator(".reason")).to_contain_text("12.345 waiting")
    with watched.client() as client:
        push(client, GOOD | {"orders-mail": 23_456})
    expect(page.locator("#tile-orders-mail .big .val")).to_have_text("23.456")
    expect(page.locator(".reason")).to_contain_text("23.456 waiting")
    with watched.client() as client:
        push(client, GOOD | {"orders-mail": 12_345})


def test_where_the_locale_writes_them_as_the_server_does_nothing_is_touched(watched: Server, open_page):
    page = open_page(watched.url, locale="en-US")
    expect(page.locator("#tile-orders-mail .big .val")).to_have_text("12,345")
    assert localized(page, TEXTS) == TEXTS


def test_only_numbers_are_rewritten_and_only_once(watched: Server, open_page):
    page = open_page(watched.url, locale="de-DE")
    assert localized(page, TEXTS) == GERMAN
    assert localized(page, GERMAN) == GERMAN


def test_indian_and_french_readers_have_their_own_groups(watched: Server, open_page):
    assert localized(open_page(watched.url, locale="en-IN"), ["1,234,567"]) == ["12,34,567"]
    assert localized(open_page(watched.url, locale="fr-FR"), ["1,234,567.8"]) == ["1\u202f234\u202f567,8"]
