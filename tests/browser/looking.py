"""Pictures of pages, and what holds for each of them whatever it shows."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations

Look = tuple[str, int]  # theme, width in px

# What is done on a page is tried in two looks; test_gallery.py has every page in all of them.
looks = pytest.mark.parametrize("look", [("dark", 1440), ("light", 390)], ids=str)


def looked_at(page: Page, artifacts: Path, name: str, look: Look) -> None:
    """Keep a picture of the page that has come; assert that nothing sticks out of it and that axe finds no fault.

    After a click that leads elsewhere, wait first for something that only the new page has.
    """
    theme, width = look
    page.wait_for_load_state()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=artifacts / f"{name}-{theme}-{width}.png", full_page=True)
    assert violations(page) == []
