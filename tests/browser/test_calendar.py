"""The calendar in Chromium: looked at, dragged in, moved in by keys, printed; screenshots go to artifacts/."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.looking import looks
from tests.browser.planned_floor import a_plan, announce, at, busy, its_monday, plan_a_week
from tests.support.server import Server, a_server

REASON = "The floor asked for it"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("calendar")) as started:
        with started.client() as client:
            plan_a_week(client)
        yield started


@pytest.fixture
def week(server: Server) -> str:
    return f"{server.url}/calendar?day={its_monday()}"


@pytest.fixture
def movable(server: Server, request: pytest.FixtureRequest) -> str:
    """Plan a campaign of the test's own for Friday at 10; return its id."""
    campaign_id = re.sub(r"[^a-z]+", "-", request.node.name)[-50:].strip("-")
    with server.client() as client:
        a_plan(client, campaign_id, "Movable", at(4, 10))
        announce(client, campaign_id)
    return campaign_id


def start_of(server: Server, campaign_id: str) -> datetime:
    with server.client() as client:
        return datetime.fromisoformat(client.get(f"/api/v1/campaigns/{campaign_id}").json()["earliest_start"])


def opened(page: Page) -> Page:
    expect(page.locator(".legend, .unforeseen").first).to_be_attached()
    return page


def wall(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H}"


# --- looking ---


@looks
@pytest.mark.parametrize("view", ["week", "month"])
def test_it_reads_well_at_any_width(week, open_page, artifacts: Path, view, look):
    theme, width = look
    page = opened(open_page(f"{week}&view={view}", theme=theme, width=width))
    entry = page.locator("#entry-spring")
    expect(entry).to_contain_text("100,000 people, 20 waves of 5,000, 30\u202fmin apart")
    expect(entry).to_contain_text("Briefing not read. Its briefing is still to be read by orders-voice, retention team")
    expect(entry).to_contain_text("Overlap. Its contacts come together with those of “Policy renewal letters”")
    expect(page.locator(".stretches").first).to_contain_text("over capacity in Orders: the work of")
    expect(page.get_by_text("Someday sale")).to_be_visible()
    if width > 768:
        expect(page.locator("#campaign-spring")).to_be_visible()
        expect(page.get_by_role("table").first).to_be_visible()
    else:
        expect(page.locator("#campaign-spring")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    page.screenshot(path=artifacts / f"calendar-{view}-{theme}-{width}.png", full_page=True)


def test_an_hour_says_its_work_and_who_is_there(week, open_page):
    to_come = at(7, 0).astimezone(UTC) - max(datetime.now(UTC), at(0, 0).astimezone(UTC))
    hours = -(-to_come // timedelta(hours=1))
    page = opened(open_page(week))
    slot = page.locator(f'.slot[data-at="{wall(busy(10))}"]')
    expect(slot).to_contain_text("over")
    expect(slot.get_by_role("img")).to_have_accessible_name(
        re.compile(
            r"10:00: Over capacity in Orders: \d+ contacts expected, \d+ of them from campaigns, .* 7 agents scheduled"
        )
    )
    page.get_by_text("View the hours as a table").click()
    rows = page.get_by_role("table", name="The work of each hour of all queues shown").get_by_role("row")
    expect(rows.last).to_contain_text(f"{at(6, 23):%a} {at(6, 23).day} {at(6, 23):%b}")
    assert rows.count() - 1 in (hours, hours - 1)  # an hour may have ended meanwhile


def test_it_works_without_scripts(week, open_page):
    page = open_page(week, java_script_enabled=False)
    expect(page.locator("#campaign-spring")).to_be_visible()
    page.goto(f"{week}&wait=yes")
    expect(page.locator(".legend")).to_be_visible()


def test_it_prints_with_its_times_and_without_its_controls(week, open_page, artifacts: Path):
    page = opened(open_page(week))
    page.emulate_media(media="print")
    expect(page.locator(".calendar-bar")).to_be_hidden()
    expect(page.locator(".mover").first).to_be_hidden()
    expect(page.get_by_text("America/Chicago").last).to_be_visible()
    assert page.pdf(format="A4", landscape=True, path=artifacts / "calendar.pdf").startswith(b"%PDF")
    page.screenshot(path=artifacts / "calendar-print.png", full_page=True)


# --- moving ---


def test_a_campaign_is_dragged_to_another_hour_and_moved_once_somebody_says_why(
    server, week, open_page, movable, artifacts: Path
):
    page = opened(open_page(week))
    slip = page.locator(f"#campaign-{movable}")
    slip.evaluate("slip => slip.scrollIntoView({block: 'center'})")
    slip.hover(position={"x": 30, "y": 12})
    page.mouse.down()
    target = page.locator(f'.slot[data-at="{wall(at(3, 11))}"]').bounding_box()
    assert target
    page.mouse.move(target["x"] + 40, target["y"] + 2, steps=5)
    expect(page.locator("#moving")).to_contain_text("11:00")
    page.screenshot(path=artifacts / "calendar-drag.png")
    page.mouse.up()
    dialog = page.get_by_role("dialog", name="Move a campaign")
    expect(dialog.get_by_role("heading", name="Move “Movable”")).to_be_visible()
    expect(dialog).to_contain_text("23\u202fh earlier")
    expect(dialog).to_contain_text("An earlier start is announced anew")
    assert start_of(server, movable) == at(4, 10)
    expect(dialog.get_by_label("Why it is moved")).to_be_focused()
    assert violations(page, "#move-dialog") == []
    page.screenshot(path=artifacts / "calendar-move.png")
    dialog.get_by_label("Why it is moved").fill(REASON)
    page.keyboard.press("Enter")
    expect(page.locator("#moved")).to_contain_text("“Movable” was moved to")
    assert start_of(server, movable) == at(3, 11)


def test_arrow_keys_move_by_quarters_and_days_and_enter_saves(server, week, open_page, movable):
    page = opened(open_page(week))
    page.locator(f"#campaign-{movable} .mover").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator("#moving")).to_contain_text("10:45. Enter saves, Escape gives up.")
    expect(page.locator(f'.slot[data-at="{wall(at(5, 10))}"] #campaign-{movable}')).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Why it is moved")).to_be_focused()
    page.keyboard.type(REASON)
    page.keyboard.press("Enter")
    expect(page.locator("#moved")).to_be_visible()
    assert start_of(server, movable) == at(5, 10, 45)


def test_escape_gives_up_before_and_after_the_form(server, week, open_page, movable):
    page = opened(open_page(week))
    home = page.locator(f'.slot[data-at="{wall(at(4, 10))}"] #campaign-{movable}')
    handle = page.locator(f"#campaign-{movable} .mover")
    handle.focus()
    page.keyboard.press("ArrowLeft")
    expect(home).to_be_hidden()
    page.keyboard.press("Escape")
    expect(home).to_be_visible()
    expect(handle).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Why it is moved")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Move a campaign")).to_be_hidden()
    expect(home).to_be_visible()
    assert start_of(server, movable) == at(4, 10)


def test_days_of_a_month_are_moved_between_too(server, week, open_page, movable):
    page = opened(open_page(f"{week}&view=month"))
    page.locator(f"#campaign-{movable} .mover").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.get_by_label("Why it is moved").fill(REASON)
    page.get_by_role("button", name="Move it").click()
    expect(page.locator("#moved")).to_be_visible()
    assert start_of(server, movable) == at(3, 10)


def test_a_conflict_is_shown_and_what_was_chosen_stays(server, week, open_page, movable, artifacts: Path):
    page = opened(open_page(week, server_may_go=True))  # a refusal is an error to the browser's console
    page.locator(f"#campaign-{movable} .mover").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_label("Why it is moved").fill(REASON)
    with server.client() as client:
        change = {"earliest_start": (at(4, 10) + timedelta(hours=3)).isoformat()}
        tag = client.get(f"/api/v1/campaigns/{movable}").headers["etag"]
        client.patch(f"/api/v1/campaigns/{movable}", json=change, headers={"If-Match": tag}).raise_for_status()
    page.get_by_role("button", name="Move it").click()
    expect(page.get_by_text("Somebody changed this campaign meanwhile, and nothing was moved.")).to_be_visible()
    expect(page.get_by_label("Why it is moved")).to_have_value(REASON)
    expect(page.get_by_label("It begins")).to_have_value(f"{at(5, 10):%Y-%m-%dT%H:%M}")
    page.screenshot(path=artifacts / "calendar-conflict.png")
    page.get_by_role("button", name="Move it").click()
    expect(page.locator("#moved")).to_be_visible()
    assert start_of(server, movable) == at(5, 10)


def test_the_plain_form_moves_without_scripts(server, week, open_page, movable):
    page = open_page(week, java_script_enabled=False, width=390)
    page.locator(f"#entry-{movable}").get_by_role("link", name="Move").click()
    page.get_by_label("It begins").fill(f"{at(5, 8):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="See what that means").click()
    expect(page.get_by_text("22\u202fh later.")).to_be_visible()
    page.get_by_label("Why it is moved").fill(REASON)
    page.get_by_role("button", name="Move it").click()
    expect(page.locator("#moved")).to_be_visible()
    assert start_of(server, movable) == at(5, 8)


# --- other calendars ---


@looks
def test_an_address_for_another_calendar_is_shown_once(server, open_page, artifacts: Path, look):
    theme, width = look
    page = open_page(f"{server.url}/calendar/feed", theme=theme, width=width)
    page.get_by_label("Whose calendar").fill(f"Outlook {theme}")
    page.get_by_role("button", name="Make an address").click()
    expect(page.locator(".feed-url").first).to_contain_text("/api/v1/campaigns.ics?token=hfc_")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=artifacts / f"calendar-feed-{theme}-{width}.png", full_page=True)
    page.get_by_role("link", name=f"Take it back: the address for Outlook {theme}").click()
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("taken back").first).to_be_visible()
