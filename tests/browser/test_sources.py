"""The sources' pages in a real browser: none, fresh, stale, refused; they follow by themselves and can be paused."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.floor import GOOD, observation, push, use_policy
from tests.browser.looking import LOOKS, looked_at, looks
from tests.support.server import Server, a_server

NUMBER = "+49 170 1234567"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A source that is fresh, one that is stale, one whose rows are all refused."""
    with a_server(tmp_path_factory.mktemp("sources")) as started, started.client() as client:
        use_policy(client)
        push(client, GOOD)
        now = datetime.now(UTC)
        old = observation("orders-fax", 2, now - timedelta(minutes=9)) | {"source": "old machine"}
        assert client.post("/api/v1/observations", json=old).status_code == 200
        bad = {"queue": "orders-voice", "observed_at": now.isoformat(), "source": "spreadsheet"}
        for number in range(-3, 0):
            assert client.post("/api/v1/observations", json=bad | {"backlog": number}).status_code == 422
        refused = client.post("/api/v1/observations", json=bad | {"backlog": NUMBER, "caller_id": NUMBER})
        assert refused.status_code == 422
        yield started


@looks
def test_each_source_stands_as_it_is_and_leads_to_what_is_known_of_it(server, open_page, artifacts, look):
    theme, width = look
    with server.client() as client:
        push(client, GOOD)
    page = open_page(f"{server.url}/sources", theme=theme, width=width)
    expect(page.get_by_role("row", name="acd-1")).to_contain_text("FRESH")
    expect(page.get_by_role("row", name="old machine")).to_contain_text("STALE")
    expect(page.get_by_role("row", name="spreadsheet")).to_contain_text("REFUSED")
    looked_at(page, artifacts, "sources", look)
    page.get_by_role("link", name="acd-1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("acd-1")
    expect(page.get_by_role("row", name="Oldest wait")).to_contain_text("oldest_wait_seconds")
    looked_at(page, artifacts, "source", look)


def test_rejected_rows_say_where_and_why_and_nothing_of_a_caller(server, open_page, artifacts):
    page = open_page(f"{server.url}/sources/spreadsheet")
    rows = page.locator("section:has(#rejected-title) tbody tr")
    expect(rows).to_have_count(5)
    expect(rows.last).to_contain_text("/backlog")
    expect(rows.last).to_contain_text("-3")
    expect(rows.first).to_contain_text("names and numbers of callers are never accepted")
    assert "1234567" not in page.content()
    looked_at(page, artifacts, "source-refused", ("dark", 1440))
    with server.client() as client:
        listed = client.get("/sources/spreadsheet?table=rejected&format=json")
        assert len(listed.json()) == 5
        assert "1234567" not in listed.text
        assert client.get("/sources?format=csv").content.decode("utf-8-sig").startswith("name,kind,state,")


def test_a_page_follows_by_itself_and_stands_still_when_told_to(server, open_page):
    page = open_page(f"{server.url}/sources/acd-1")
    accepted = page.locator("dl.health div", has_text="Accepted").locator("dd")
    before = accepted.inner_text()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
    with server.client() as client:
        push(client, GOOD)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(accepted).to_have_text(before)
    page.get_by_role("button", name="Pause").click()
    expect(accepted).not_to_have_text(before)


def test_without_a_source_the_page_says_how_to_connect_one(open_page, tmp_path, artifacts):
    with a_server(tmp_path) as empty:
        for theme, width in LOOKS:
            page = open_page(f"{empty.url}/sources", theme=theme, width=width, server_may_go=True)
            expect(page.get_by_text("No source has reported yet")).to_be_visible()
            expect(page.get_by_role("heading", name="Connect the first source")).to_be_visible()
            looked_at(page, artifacts, "sources-empty", (theme, width))
        with empty.client() as client:
            push(client, GOOD)
        expect(page.get_by_role("row", name="acd-1")).to_contain_text("FRESH")


def test_a_source_that_nothing_was_heard_of_is_said_plainly(server, open_page):
    page = open_page(f"{server.url}/sources/no/such", server_may_go=True)
    expect(page.get_by_role("heading", level=1)).to_have_text("No such source")


def test_it_can_be_read_without_scripts(server, open_page):
    page = open_page(f"{server.url}/sources", java_script_enabled=False)
    expect(page.get_by_role("row", name="acd-1")).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
