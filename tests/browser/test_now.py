"""The board as both departments use it on the day of a send: its log, its sends, its charts, and very many queues."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.floor import BUSY, GOOD, push, push_past, use_policy
from tests.browser.looking import found, looks
from tests.support.server import Server, a_server
from tests.support.shell import wait_until

WAVES = {"mode": "waves", "audience_per_wave": 20_000, "wave_gap_seconds": 3_600}
SPRING = {"id": "spring", "title": "Spring sale", "audience": 100_000, "release": WAVES}
# How many marks of a deploy are drawn on a chart; other marks may come meanwhile.
DEPLOYS = """() => [...document.querySelectorAll(".multiple[data-metric=backlog] .scatterlayer .trace")]
    .map((trace) => trace.__data__[0].trace).filter(({ marker }) => marker?.symbol === "pentagon")
    .reduce((points, { x }) => points + x.length, 0)"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A floor with a past, and a campaign that goes out in waves."""
    with a_server(tmp_path_factory.mktemp("now")) as started:
        with started.client() as client:
            use_policy(client, stale_after_seconds=600)
            push_past(client, datetime.now(UTC))
            push(client, GOOD)
            client.post("/api/v1/notes", json={"text": "shop 4.2 is live", "kind": "deploy"}).raise_for_status()
            client.post("/api/v1/campaigns", json=SPRING).raise_for_status()
            client.post("/api/v1/campaigns/spring/schedule", json={"reason": "as agreed"}).raise_for_status()
            wait_until(lambda: "Wave 1 of Spring sale opened" in client.get("/").text, "the first wave")
        yield started


def live(page: Page) -> Page:
    """Return the page once it is live and its charts are drawn."""
    expect(page.locator("#connection-text")).to_have_text("live")
    for metric in ("speed_to_answer_seconds", "backlog", "service_level_ratio", "handle_time_seconds"):
        expect(page.locator(f".multiple[data-metric={metric}] .main-svg").first).to_be_visible()
    return page


def keep_fed(server: Server, backlogs: dict[str, int] = GOOD) -> None:
    with server.client() as client:
        push(client, backlogs)


def test_what_one_writes_the_other_reads_without_a_reload(server, open_page):
    keep_fed(server)
    marketing, workforce = live(open_page(server.url)), live(open_page(server.url, theme="light"))
    field = marketing.get_by_label("Write a note")
    field.fill("mail leaves at ten")
    marketing.get_by_label("about").select_option("Spring sale")
    field.press("Enter")
    for page in (marketing, workforce):
        line = page.locator("#log-lines .line.is-note").filter(has_text="mail leaves at ten")
        expect(line).to_contain_text("about Spring sale")
    expect(marketing.get_by_label("Write a note")).to_have_value("")
    workforce.get_by_role("button", name="Take back the note: mail leaves at ten").click()
    expect(marketing.locator("#log-lines")).not_to_contain_text("mail leaves at ten")


def test_a_fault_is_said_at_the_field_and_what_was_typed_stays(server, open_page):
    keep_fed(server)
    page = live(open_page(server.url, server_may_go=True))  # a browser reports a refused form as an error
    page.get_by_label("Write a note").fill("   ")
    page.get_by_role("button", name="Write it").click()
    expect(page.locator("#note-fault")).to_have_text("write something, at most 500 characters")
    expect(page.get_by_label("Write a note")).to_be_focused()
    expect(page.get_by_label("Write a note")).to_have_attribute("aria-invalid", "true")


@looks
def test_the_board_of_a_day_with_a_send(server, open_page, artifacts: Path, look):
    theme, width = look
    keep_fed(server)
    page = live(open_page(f"{server.url}/?behind=yesterday,last-week", theme=theme, width=width))
    row = page.locator("#campaign-spring")
    expect(row).to_contain_text("RELEASING")
    expect(row).to_contain_text("wave 1: 0 of 20,000")
    expect(row.locator(".bar-wave")).to_have_count(1)
    expect(page.locator(".coming")).to_contain_text("Spring sale: 20,000 are on their way")
    expect(page.locator("#log-lines")).to_contain_text("Wave 1 of Spring sale opened: up to 20,000 may go")
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    page.screenshot(path=artifacts / f"now-{theme}-{width}.png", full_page=True)
    assert found(page, "document.documentElement.scrollWidth <= innerWidth", wanted=True)
    assert violations(page) == []


def test_a_send_is_stopped_by_two_clicks_and_a_reason_by_keyboard_alone(server, open_page, artifacts: Path):
    keep_fed(server)
    page = live(open_page(server.url))
    page.get_by_role("link", name="Pause Spring sale").press("Enter")
    expect(page.get_by_role("heading", name="Pause “Spring sale”?")).to_be_visible()
    page.screenshot(path=artifacts / "send-sure-dark-1440.png")
    assert violations(page) == []
    page.get_by_label("Why").fill("the link is wrong")
    page.get_by_role("button", name="Pause it").press("Enter")
    expect(page.locator("#campaign-spring")).to_contain_text("PAUSED")
    expect(page.locator("#log-lines")).to_contain_text("Spring sale was paused: the link is wrong")
    page.get_by_role("link", name="Resume Spring sale").click()
    page.get_by_label("Why").fill("mended")
    page.get_by_role("button", name="Resume it").click()
    expect(page.get_by_role("link", name="Pause Spring sale")).to_be_visible()


def test_marks_say_what_happened_and_can_be_put_away(server, open_page):
    keep_fed(server)
    page = live(open_page(server.url))
    expect(page.locator(".multiple[data-metric=backlog] .scatterlayer .point").first).to_be_visible()
    assert found(page, DEPLOYS, 1) == 1
    page.locator(".layers label").filter(has_text="Deploys").click()
    assert found(page, DEPLOYS, 0) == 0
    expect(page).to_have_url(re.compile("hide=deploys"))
    page.locator(".layers label").filter(has_text="Deploys").click()
    assert found(page, DEPLOYS, 1) == 1


def test_of_very_many_queues_the_board_shows_those_to_look_at_first(tmp_path: Path, open_page, artifacts: Path):
    backlogs = {f"queue-{number:02d}": number % 7 for number in range(30)} | {"queue-07": 40}
    with a_server(tmp_path) as server:
        with server.client() as client:
            use_policy(client, stale_after_seconds=600)
            push(client, backlogs)
        page = live(open_page(server.url, server_may_go=True))
        expect(page.locator(".tile")).to_have_count(12)
        expect(page.locator(".tile").first).to_have_attribute("data-queue", "queue-07")
        for summary, row in (("18 more queues", "queue-"), (re.compile(r"\d+ more, with more room"), "Service level")):
            page.locator("summary").filter(has_text=summary).press("Enter")
            expect(page.locator("details[open]").filter(has_text=summary).locator("tbody tr").first).to_contain_text(
                row
            )
        page.screenshot(path=artifacts / "many-queues-dark-1440.png", full_page=True)
        assert violations(page) == []
        assert len(page.evaluate("document.getElementById('live').innerHTML")) < 200_000


def test_the_hold_of_a_busy_floor_says_why_and_when_on_the_first_screen(server, open_page, artifacts: Path):
    keep_fed(server, BUSY)
    try:
        page = live(open_page(server.url, width=390, theme="light"))
        expect(page.locator("#verdict-word")).to_have_text("HOLD")
        expect(page.locator(".coming")).to_contain_text("Goes once backlog of orders-voice is ≤ 5")
        for line in (".reason", ".coming"):
            box = page.locator(line).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] < 844
        page.screenshot(path=artifacts / "first-screen-light-390.png")
    finally:
        keep_fed(server)
