"""Take the pictures of the documentation anew, in a real Chromium on two demonstrations. It takes about four minutes.

python -m scripts.take_pictures [live] [twins] [plan]
"""

# ruff: noqa: INP001 -- a script, not a package

import io
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.quiet_floor import a_quiet_floor
from tests.support.server import Server

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
WHOLE_DAY_MILLISECONDS = 600_000
WITHOUT_TWINS = "document.getElementById('twins').remove()"  # a holdfire in real life has no such panel


def take_live(browser: Browser) -> None:
    """Take the page at the moment at which a spike stops a send."""
    with _Demonstration("--scenario", "spike", "--speed", "40") as server:
        page = _page(browser, server.url + "/?queue=orders-voice")
        page.evaluate(WITHOUT_TWINS)
        page.locator(".send-row", has_text="MUST STOP").wait_for(timeout=WHOLE_DAY_MILLISECONDS)
        expect(page.locator("#verdict-word")).to_have_text("HOLD")
        _save("live.png", page.screenshot())


def take_twins(browser: Browser) -> None:
    """Take the panel of the same day twice, once the gated send is through and its day has gone on for a while."""
    with _Demonstration("--speed", "120") as server:
        page = _page(browser, server.url)
        page.get_by_text("Gated, all emails were out").wait_for(timeout=WHOLE_DAY_MILLISECONDS)
        page.wait_for_timeout(15_000)
        _save("twins.png", page.locator("#twins").screenshot())


def take_plan(browser: Browser) -> None:
    """Take a plan down to the last way to send, in a zone in which it is day."""
    with tempfile.TemporaryDirectory() as folder, a_quiet_floor(Path(folder), "Asia/Tokyo") as floor:
        page = browser.new_page(viewport={"width": 1060, "height": 1000}, color_scheme="light")
        page.goto(f"{floor.url}/plan?campaign=spring&audience=40,000")
        expect(page.locator("#plan .amount")).to_be_visible(timeout=WHOLE_DAY_MILLISECONDS)
        expect(page.locator("#plan-plot .main-svg").first).to_be_visible(timeout=WHOLE_DAY_MILLISECONDS)
        bottom = page.locator("#ways .ways").evaluate("ways => ways.getBoundingClientRect().bottom")
        _save("plan.png", page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": 1060, "height": bottom}))


class _Demonstration:
    """A demonstration that ends with its block."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments

    def __enter__(self) -> Server:
        self._folder = tempfile.TemporaryDirectory()
        self._server = Server(["demo", "--port", "0", *self._arguments], {"TMPDIR": self._folder.name})
        return self._server

    def __exit__(self, *_: object) -> None:
        self._server.stop(signal.SIGINT)
        self._folder.cleanup()


def _page(browser: Browser, url: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    page.goto(url)
    expect(page.locator(".multiple .main-svg").first).to_be_visible()
    return page


def _save(name: str, picture: bytes) -> None:
    """Write a picture with a palette of its own: a third of the size, and no difference that the eye would see."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(IMAGES / name, optimize=True)


TAKE: dict[str, Callable[[Browser], None]] = {"live": take_live, "twins": take_twins, "plan": take_plan}


def main() -> None:
    """Take the pictures named, or all."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name in sys.argv[1:] or TAKE:
            TAKE[name](browser)
        browser.close()


if __name__ == "__main__":
    main()
