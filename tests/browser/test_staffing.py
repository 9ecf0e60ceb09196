"""A workforce manager uploads a schedule: looks first, sees what is wrong, saves; screenshots go to artifacts/."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.server import Server, a_server

_NUMBERS = itertools.count(1)
looks = pytest.mark.parametrize("look", [("dark", 1280), ("light", 390)], ids=str)


def a_file(folder: Path, *agents: float) -> Path:
    """Write a schedule of tomorrow with a half hour for each number, the last line a total."""
    day = datetime.now(UTC) + timedelta(days=1)
    lines = [f"{day:%Y-%m-%d},{8 + n // 2:02}:{n % 2 * 30:02},{number}" for n, number in enumerate(agents)]
    path = folder / "wfm.csv"
    path.write_text("\n".join(["Date,Interval,Open", *lines, "Total,,1"]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which each test has a queue of its own."""
    with a_server(tmp_path_factory.mktemp("staffing")) as started:
        yield started


@pytest.fixture
def queue() -> str:
    return f"orders/voice-{next(_NUMBERS)}"


@pytest.fixture
def address(server: Server, queue: str) -> str:
    return f"{server.url}/queues/{queue}/staffing"


def look_at(page: Page, path: Path) -> None:
    page.get_by_label("CSV file").set_input_files(path)
    page.get_by_label("Time zone").fill("UTC")
    page.get_by_role("button", name="Look at it").click()


@looks
def test_a_schedule_is_looked_at_then_saved_and_then_shown(address, open_page, tmp_path, artifacts: Path, look):
    theme, width = look
    page = open_page(address, theme=theme, width=width)
    queue = address.partition("/queues/")[2].removesuffix("/staffing")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Staffing of {queue}")
    expect(page.locator("#schedule .uncovered")).to_have_count(14)
    look_at(page, a_file(tmp_path, 10, 12.5))
    expect(page.get_by_role("heading", name="Nothing is saved yet")).to_be_visible()
    expect(page.locator(".understood")).to_contain_text("2 lines of 30 min")
    expect(page.locator(".understood")).to_contain_text("agents from “Open”")
    expect(page.locator(".understood")).to_contain_text("Left out as totals: line 4")
    expect(page.locator("#schedule .uncovered")).to_have_count(14)
    page.get_by_role("button", name="Save it").click()
    expect(page.get_by_role("heading", name="Saved")).to_be_visible()
    expect(page.locator("#schedule .uncovered")).to_have_count(13)
    expect(page.locator("#schedule")).to_contain_text("08:00–09:00")  # noqa: RUF001  as times are written
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=artifacts / f"staffing-{theme}-{width}.png", full_page=True)


def test_faults_are_named_line_by_line_and_nothing_is_saved(address, open_page, tmp_path):
    page = open_page(address, server_may_go=True)  # a refusal is an error to the browser's console
    look_at(page, a_file(tmp_path, -3, 12))
    expect(page.get_by_role("heading", name="Nothing was changed")).to_be_visible()
    expect(page.locator(".outcome .fault")).to_have_text(['line 2: "-3" is negative; agents are 0 or more'])
    page.get_by_role("button", name="Save it").click()
    expect(page.locator("#schedule .uncovered")).to_have_count(14)


def test_who_looked_before_somebody_else_saved_must_look_again(address, queue, server, open_page, tmp_path):
    page = open_page(address, server_may_go=True)
    look_at(page, a_file(tmp_path, 10, 12))
    expect(page.get_by_role("heading", name="Nothing is saved yet")).to_be_visible()
    with server.client() as client:
        content = a_file(tmp_path, 1, 2).read_bytes()
        url = f"/api/v1/queues/{queue}/staffing?time_zone=UTC"
        client.put(url, content=content, headers={"Content-Type": "text/csv"}).raise_for_status()
    a_file(tmp_path, 10, 12)
    page.get_by_label("CSV file").set_input_files(tmp_path / "wfm.csv")
    page.get_by_role("button", name="Save it").click()
    expect(page.locator(".outcome .fault")).to_contain_text("Somebody else changed this schedule meanwhile")
    page.get_by_role("button", name="Save it").click()
    expect(page.get_by_role("heading", name="Saved")).to_be_visible()


def test_a_file_that_is_too_large_is_said_to_be(address, open_page, tmp_path):
    path = tmp_path / "large.csv"
    path.write_bytes(b"x" * 1_200_000)
    page = open_page(address)
    look_at(page, path)
    expect(page.locator("#result")).to_contain_text("larger than 1 MiB")


def test_it_works_without_scripts(address, open_page, tmp_path):
    page = open_page(address, java_script_enabled=False)
    look_at(page, a_file(tmp_path, 10, 12))
    expect(page.get_by_role("heading", name="Nothing is saved yet")).to_be_visible()
    page.get_by_label("CSV file").set_input_files(tmp_path / "wfm.csv")
    page.get_by_role("button", name="Save it").click()
    expect(page.get_by_role("heading", name="Saved")).to_be_visible()
