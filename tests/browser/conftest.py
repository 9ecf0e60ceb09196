"""A real Chromium on a real holdfire. Every page watched here fails its test on a CSP violation or a script error."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.support.server import REPOSITORY, Server, a_server

# The shell is the same engine without the windows around it: a third of the work to start, and for each page.
SHELL, WHOLE = "chromium-headless-shell", "chromium"
# Without these Chromium looks for its maker's servers at each start.
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => {
  const { violatedDirective, blockedURI, sourceFile, lineNumber, columnNumber } = event;
  violations.push(`${violatedDirective} ${blockedURI} by ${sourceFile}:${lineNumber}:${columnNumber}`);
});
"""
EXPECTED_WHEN_DOWN = (
    "WebSocket connection",
    "htmx:",
    "ERR_CONNECTION",
    "Failed to load resource",
    "ERR_INCOMPLETE_CHUNKED",
)

PATIENCE_MILLISECONDS = 45_000  # with which a page is waited for, and what should be on it: for a busy machine

OpenPage = Callable[..., Page]
Theme = Literal["dark", "light"]
expect.set_options(timeout=PATIENCE_MILLISECONDS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder: they drive a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless; one per module, because Playwright's own event loop runs until it ends."""
    with launched(SHELL) as browser:
        yield browser


@contextmanager
def launched(program: str, *options: str) -> Iterator[Browser]:
    """Yield a browser, with these options besides; skip the test where Debian has no such package installed."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"needs Debian's package {program}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*QUIET, *options])
        yield browser
        browser.close()


class Watched:
    """A page and what went wrong on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.server_may_go = False
        self.scripted = True
        page.add_init_script(VIOLATIONS)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def _violations(self) -> list[str]:
        """Ask the page for them, once more where it was just leading elsewhere."""
        try:
            found: list[str] = self.page.evaluate("window.violations")
        except PlaywrightError:
            self.page.wait_for_load_state()
            found = self.page.evaluate("window.violations")
        return found

    def faults(self) -> list[str]:
        """Return violations and errors; those of a connection refused are left out where the server went on purpose."""
        violations = self._violations() if self.scripted else []
        expected = EXPECTED_WHEN_DOWN if self.server_may_go else ()
        return violations + [error for error in self.errors if not any(part in error for part in expected)]


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """Return a function that opens a URL: open_page(url, width=1440, theme="dark", server_may_go=False, **context)."""
    opened: list[tuple[BrowserContext, Watched]] = []

    def open_one(url: str, *, width: int = 1440, theme: Theme = "dark", server_may_go: bool = False, **options) -> Page:
        height = 900 if width > 600 else 844
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme, **options)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        watched = Watched(context.new_page())
        watched.server_may_go = server_may_go
        watched.scripted = options.get("java_script_enabled", True)
        opened.append((context, watched))
        watched.page.goto(url)
        return watched.page

    yield open_one
    try:
        faults = [fault for _, watched in opened for fault in watched.faults()]
    finally:
        for context, _ in opened:
            context.close()
    assert faults == []


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A fresh holdfire without sign-in."""
    with a_server(tmp_path / "data") as started:
        yield started


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """The folder for screenshots, which git ignores."""
    folder = REPOSITORY / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder
