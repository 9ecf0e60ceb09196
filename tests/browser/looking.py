"""Pictures of pages, and what holds for each of them whatever it shows."""

import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations

Look = tuple[str, int]  # theme, width in px
PATIENCE_SECONDS, LOOK_MILLISECONDS = 45, 50

# What is done on a page is tried in two looks; test_gallery.py has every page in all of them.
LOOKS: tuple[Look, ...] = (("dark", 1440), ("light", 390))
looks = pytest.mark.parametrize("look", LOOKS, ids=str)


def looked_at(page: Page, artifacts: Path, name: str, look: Look) -> None:
    """Keep a picture of the page that has come; assert that nothing sticks out of it and that axe finds no fault.

    After a click that leads elsewhere, wait first for something that only the new page has.
    """
    theme, width = look
    page.wait_for_load_state()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert found(page, "document.documentElement.scrollWidth <= innerWidth", wanted=True)
    page.screenshot(path=artifacts / f"{name}-{theme}-{width}.png", full_page=True)
    assert violations(page) == []


def found(page: Page, script: str, wanted: Any) -> Any:
    """Return what a script finds, asked until that is what is wanted or patience ends: to be compared by the caller."""
    latest = time.monotonic() + PATIENCE_SECONDS
    while (seen := page.evaluate(script)) != wanted and time.monotonic() < latest:
        page.wait_for_timeout(LOOK_MILLISECONDS)
    return seen
