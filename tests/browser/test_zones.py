"""Times in the center's zone, the reader's own, or UTC: everywhere, in the URL, and right when clocks change."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from app.web.format import clock_time, hour_and_minute, zone_name
from tests.browser.floor import GOOD, ZONE, push, use_policy
from tests.support.server import Server, a_server

TOKYO = "Asia/Tokyo"
CENTER, UTC_ZONE = ZoneInfo(ZONE), ZoneInfo("UTC")
NIGHTS = {
    "25 hours in Chicago": ("America/Chicago", datetime(2026, 11, 1, 5, tzinfo=UTC), 25),
    "23 hours in Chicago": ("America/Chicago", datetime(2026, 3, 8, 6, tzinfo=UTC), 23),
    "24.5 hours on Lord Howe": ("Australia/Lord_Howe", datetime(2026, 4, 4, 13, tzinfo=UTC), 24.5),
}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose center is in Chicago."""
    with a_server(tmp_path_factory.mktemp("zones")) as started, started.client() as client:
        use_policy(client, stale_after_seconds=600)
        push(client, GOOD)
        yield started


def since(page: Page) -> tuple[str, str]:
    """Return the text of the verdict's time, and its instant."""
    expect(page.locator("#connection-text")).to_have_text("live")
    return both(page.locator(".times time").first)


def both(time: Locator) -> tuple[str, str]:
    """Return a time's text and its instant, as they stand at one moment: a frame may change both."""
    text, instant = time.evaluate("(time) => [time.innerText, time.dateTime]")
    return text, instant


def read(instant: str) -> datetime:
    return datetime.fromisoformat(instant)


def test_the_center_s_zone_is_the_usual_one_and_is_printed(watched: Server, open_page):
    page = open_page(watched.url, timezone_id=TOKYO)
    text, instant = since(page)
    assert text == clock_time(read(instant), CENTER)
    expect(page.locator("#zone")).to_have_value("")
    expect(page.locator("#zone option:checked")).to_have_text(ZONE)
    expect(page.locator(".clock")).to_contain_text(ZONE)
    assert "zone=" not in page.url


def test_another_zone_is_chosen_for_every_time_kept_in_the_url_and_on_the_device(watched: Server, open_page):
    page = open_page(watched.url, timezone_id=TOKYO)
    since(page)
    page.locator("#zone").select_option(TOKYO)
    expect(page).to_have_url(re.compile(r"[?&]zone=Asia%2FTokyo"))
    expect(page.locator(".clock")).to_contain_text(TOKYO)
    text, instant = since(page)
    assert text == clock_time(read(instant), ZoneInfo(TOKYO))
    page.goto(f"{watched.url}/plan")
    expect(page.locator("#zone option:checked")).to_have_text(f"{TOKYO} (yours)")
    expect(page).to_have_url(re.compile(r"[?&]zone=Asia%2FTokyo"))
    page.locator("#zone").select_option("")
    expect(page).not_to_have_url(re.compile("zone="))


def test_a_shared_link_shows_its_own_zone_and_changes_nobody_s_choice(watched: Server, open_page):
    page = open_page(f"{watched.url}/?zone=Europe/Berlin", timezone_id=TOKYO)
    text, instant = since(page)
    assert text == clock_time(read(instant), ZoneInfo("Europe/Berlin"))
    expect(page.locator("#zone option:checked")).to_have_text("Europe/Berlin")
    assert page.evaluate("localStorage.getItem('holdfire-zone')") is None


def test_frames_keep_the_chosen_zone_and_going_back_restores_the_center_s(watched: Server, open_page):
    page = open_page(f"{watched.url}/?zone=utc", timezone_id=TOKYO)
    clock = page.locator(".clock")
    expect(clock).to_contain_text("UTC")
    before = clock.inner_text()
    with watched.client() as client:
        push(client, GOOD)
    expect(clock).not_to_have_text(before)  # the next frame may be of the same second
    as_of = page.locator(".age time")
    shown, instant = both(as_of)
    assert shown == clock_time(read(instant), UTC_ZONE)
    page.locator("#zone").select_option("")
    expect(clock).to_contain_text(ZONE)
    shown, instant = both(as_of)
    assert shown == clock_time(read(instant), CENTER)


def test_what_somebody_typed_survives_another_zone(watched: Server, open_page):
    page = open_page(f"{watched.url}/queues/orders-voice/staffing", timezone_id=TOKYO)
    page.get_by_label("Time zone of its times").fill("Europe/Berlin")
    page.locator("#zone").select_option("UTC")
    expect(page).to_have_url(re.compile("zone=UTC"))
    expect(page.get_by_label("Time zone of its times")).to_have_value("Europe/Berlin")


@pytest.mark.parametrize("night", NIGHTS)
def test_nights_on_which_clocks_change_read_as_the_server_writes_them(watched: Server, open_page, night: str):
    name, begins, hours = NIGHTS[night]
    zone = ZoneInfo(name)
    instants = [begins + timedelta(minutes=15 * step) for step in range(int(hours * 4))]
    page = open_page(watched.url)
    written = page.evaluate(
        """async ([module, instants, zone]) => {
            const { written } = await import(module);
            return instants.map((at) => written(new Date(at), "minute", zone, new Date(at)));
        }""",
        [_module(page, "zone.js"), [at.isoformat() for at in instants], name],
    )
    told_apart = [text.replace("GMT+", "+") for text in written]
    expected = [hour_and_minute(at, zone) for at in instants]
    assert [text.split("\u00a0")[0] for text in told_apart] == [text.split("\u00a0")[0] for text in expected]
    assert ["\u00a0" in text for text in written] == ["\u00a0" in text for text in expected]
    assert len(set(written)) == len(written)  # no two instants read the same


def test_a_zone_is_named_as_the_server_names_it(watched: Server, open_page):
    page = open_page(watched.url)
    instants = [datetime(2026, month, 15, tzinfo=UTC) for month in (1, 7)]
    named = page.evaluate(
        """async ([module, instants, zone]) => {
            const { named } = await import(module);
            return instants.map((at) => named(new Date(at), zone));
        }""",
        [_module(page, "zone.js"), [at.isoformat() for at in instants], ZONE],
    )
    assert named == [zone_name(at, CENTER) for at in instants]


def _module(page: Page, name: str) -> str:
    path = page.locator("script[src$='/frame.js']").get_attribute("src")
    assert path is not None
    return path.replace("frame.js", name)
