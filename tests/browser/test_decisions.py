"""The two logs and their single lines in a real browser: narrowed, leafed through, had as files, decided again."""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.floor import BUSY, GOOD, push, use_policy
from tests.browser.looking import looked_at, looks
from tests.support.people import session_cookies
from tests.support.server import Server, a_server
from tests.support.shell import wait_until

HELD = {"effect": "hold", "comment": "The storm has the lines full", "duration_minutes": 60}


def ask(client, **query: object) -> dict[str, object]:
    """Ask the gate and return what it answered, whatever that was."""
    answer: dict[str, object] = client.get("/api/v1/readiness", params={"gate": "default"} | query).json()
    return answer


def wait_until_logged(client, decision_id: object) -> None:
    """Return when an answer is in the log, where it is written a moment after it was given."""
    wait_until(lambda: client.get(f"/api/v1/decisions/{decision_id}").is_success, "the answer to be written down")


def wait_for(client, state: str) -> None:
    wait_until(lambda: client.get("/api/v1/gates/default").json()["state"] == state, f"the gate to say {state}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A gate that let a send go, then held by itself, then by hand."""
    with a_server(tmp_path_factory.mktemp("decisions")) as started, started.client() as client:
        use_policy(client, stale_after_seconds=600)
        push(client, GOOD)
        wait_for(client, "send")
        for number in range(60):
            ask(client, audience=1_000 + number, campaign=f"spring-{number % 3}")
        push(client, BUSY)
        wait_for(client, "hold")
        ask(client, audience=500_000, campaign="=HYPERLINK(1)")
        made = client.post("/api/v1/gates/default/overrides", json=HELD)
        assert made.status_code == 201, made.text
        last = ask(client, audience=250_000, campaign="by-hand", accept_partial="true")
        wait_until_logged(client, last["decision_id"])
        yield started


def rows(page: Page):
    return page.locator("table.log tbody tr")


@looks
def test_the_log_is_shown_newest_first_and_each_line_leads_to_its_own_page(server, open_page, artifacts, look):
    theme, width = look
    page = open_page(f"{server.url}/decisions", theme=theme, width=width)
    expect(rows(page)).to_have_count(50)
    expect(rows(page).first).to_contain_text("by-hand")
    looked_at(page, artifacts, "decisions", look)
    rows(page).first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gate default was asked")
    expect(page.locator(".said")).to_contain_text("storm")
    expect(page.locator(".again")).to_contain_text("Decided again now, from what was kept of that moment: the same.")
    expect(page.locator("#inputs-title")).to_be_visible()
    looked_at(page, artifacts, "decision", look)


def test_older_and_newer_pages_follow_each_other(server, open_page):
    page = open_page(f"{server.url}/decisions?kind=asked")
    first = rows(page).first.inner_text()
    expect(page.get_by_role("link", name="Newer")).to_have_count(0)
    page.get_by_role("link", name="Older").click()
    expect(rows(page)).to_have_count(12)
    assert "kind=asked" in page.url
    page.get_by_role("link", name="Newer").click()
    expect(rows(page)).to_have_count(50)
    expect(rows(page).first).to_have_text(first, use_inner_text=True)
    expect(page.get_by_role("link", name="Newer")).to_have_count(0)


def test_the_log_is_narrowed_by_a_form_and_what_it_shows_is_in_the_url(server, open_page):
    page = open_page(f"{server.url}/decisions", java_script_enabled=False)
    page.get_by_label("Campaign").fill("spring-1")
    page.get_by_label("Verdict", exact=True).select_option("send")
    page.get_by_role("button", name="Show").click()
    expect(rows(page)).to_have_count(20)
    assert "campaign=spring-1" in page.url
    page.get_by_label("Campaign").fill("nothing of the kind")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No decision fits")).to_be_visible()
    page.get_by_role("link", name="Show all").first.click()
    expect(rows(page)).to_have_count(50)
    page.get_by_label("only where an override took part").check()
    page.get_by_role("button", name="Show").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page).first).to_contain_text("override")


def test_a_time_that_cannot_be_read_is_said_beside_its_field(server, open_page, artifacts):
    page = open_page(f"{server.url}/decisions?from=2026-11-22T09%3A00&to=2026-11-22T08%3A00", server_may_go=True)
    expect(page.get_by_label("Until")).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".error-summary")).to_contain_text("Choose a time after the one it begins with.")
    looked_at(page, artifacts, "decisions-refused", ("dark", 1440))


def test_all_that_fits_is_had_as_files_and_no_cell_begins_a_formula(server, open_page):
    page = open_page(f"{server.url}/decisions?kind=asked")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    found = list(csv.DictReader(StringIO(text)))
    assert len(found) == 62
    assert found[0]["campaign"] == "by-hand"
    assert found[1]["campaign"] == "'=HYPERLINK(1)"
    with server.client() as client:
        listed = client.get("/decisions?kind=asked&format=json").json()
    assert [row["id"] for row in listed] == [row["id"] for row in found]
    assert listed[1]["campaign"] == "=HYPERLINK(1)"
    assert json.loads(found[1]["reasons"]) == listed[1]["reasons"]


def test_a_decision_that_is_not_there_is_said_plainly(server, open_page):
    page = open_page(f"{server.url}/decisions/dec_no", server_may_go=True)
    expect(page.get_by_role("heading", level=1)).to_have_text("No such decision")


@looks
def test_events_are_shown_checked_and_opened(server, open_page, artifacts, look):
    theme, width = look
    page = open_page(f"{server.url}/decisions/events", theme=theme, width=width)
    page.get_by_role("button", name="Check it now").click()
    expect(page.locator(".checking .again")).to_contain_text("everything is as it was written.")
    expect(rows(page)).to_have_count(50)
    looked_at(page, artifacts, "events", look)
    page.get_by_label("What happened").select_option("policy.saved")
    page.get_by_role("button", name="Show").click()
    expect(rows(page)).to_have_count(2)
    rows(page).first.get_by_role("link").click()
    expect(page.locator("tr.is-changed").first).to_be_visible()
    looked_at(page, artifacts, "event", look)


def test_an_empty_log_says_what_it_waits_for(open_page, tmp_path, artifacts):
    with a_server(tmp_path) as empty:
        page = open_page(f"{empty.url}/decisions?kind=asked&gate=default", server_may_go=True)
        expect(page.get_by_text("No decision fits")).to_be_visible()
        looked_at(page, artifacts, "decisions-empty", ("light", 1440))


def test_who_may_read_sees_the_logs_and_who_is_not_signed_in_does_not(open_page, tmp_path):
    with a_server(tmp_path, auth="on") as guarded:
        page = open_page(f"{guarded.url}/decisions", server_may_go=True)
        expect(page).to_have_url(f"{guarded.url}/sign-in?next=%2Fdecisions")
        page.context.add_cookies(session_cookies(guarded, "viewer"))
        page.goto(f"{guarded.url}/decisions/events")
        page.get_by_role("button", name="Check it now").click()
        expect(page.locator(".checking .again")).to_contain_text("everything is as it was written.")
