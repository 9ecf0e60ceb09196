"""Screens are set up in a real browser: made, their address shown once, opened, and taken down in two steps."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import Theme
from tests.browser.floor import GOOD, push, use_policy
from tests.support.server import Server, a_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("screens")) as started, started.client() as client:
        use_policy(client)
        push(client, GOOD)
        yield started


def looked_at(page: Page, artifacts: Path, name: str) -> None:
    """Take pictures of a page as it stands, wide and narrow, dark and light; it fits, and axe finds nothing."""
    looks: tuple[tuple[Theme, int], ...] = (("dark", 1440), ("light", 820), ("light", 390))
    for theme, width in looks:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.screenshot(path=artifacts / f"{name}-{theme}-{width}.png", full_page=True)
        assert violations(page) == []


def test_a_screen_is_made_opened_and_taken_down(server: Server, open_page, artifacts: Path):
    page = open_page(f"{server.url}/settings/screens", server_may_go=True)
    expect(page.get_by_text("No screen yet")).to_be_visible()
    page.get_by_label("Where it hangs").fill("Floor 2, north")
    page.get_by_label("Its clock").fill("Mars/Olympus")
    page.get_by_text("Whose numbers it shows").click()
    page.get_by_label("care-chat").check()
    page.get_by_role("button", name="Make the screen").click()
    expect(page.locator(".error-summary")).to_contain_text("is no time zone")
    expect(page.get_by_label("Where it hangs")).to_have_value("Floor 2, north")
    expect(page.get_by_label("care-chat")).to_be_checked()
    looked_at(page, artifacts, "screens-refused")
    page.get_by_label("Its clock").fill("Europe/Berlin")
    page.get_by_role("button", name="Make the screen").click()
    address = page.get_by_label("Open it on the device, now")
    expect(address).to_be_visible()
    looked_at(page, artifacts, "screens-made")

    device = open_page(address.input_value(), server_may_go=True)
    expect(device.get_by_role("heading", level=1)).to_have_text("Floor 2, north")
    expect(device.locator("#wall-link")).to_have_text("live")
    expect(device.locator(".wall-zone")).to_contain_text("CE")
    expect(device.locator(".wall-number")).not_to_have_count(0)

    page.goto(f"{server.url}/settings/screens")
    expect(page.locator("#once")).to_have_count(0)
    row = page.locator("table.log tbody tr")
    expect(row).to_contain_text("showing")
    expect(row).to_contain_text("gate default, care-chat")
    page.get_by_role("link", name="Floor 2, north").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Floor 2, north")
    page.get_by_role("link", name="Take it down").click()
    expect(page.get_by_role("heading", name="Take Floor 2, north down?")).to_be_visible()
    looked_at(page, artifacts, "screen-sure")
    page.get_by_role("button", name="Take it down").click()
    expect(page.locator(".notice")).to_contain_text("Taken down.")
    expect(page.get_by_role("link", name="Take it down")).to_have_count(0)
    expect(device.get_by_role("heading", name="This screen was taken down")).to_be_visible()
    page.get_by_role("link", name="What happened to it").click()
    expect(page.locator("table.log tbody tr")).to_have_count(2)
