"""What a page holds in memory, by the browser's own count."""

from typing import NamedTuple

from playwright.sync_api import CDPSession, Page


class Held(NamedTuple):
    """After garbage was collected: bytes on the JavaScript heap, DOM nodes, event listeners."""

    heap_bytes: int
    nodes: int
    listeners: int


class Meter:
    """Asks one page's browser what it holds."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._browser: CDPSession = page.context.new_cdp_session(page)
        self._browser.send("Performance.enable")

    def read(self) -> Held:
        """Return what is held once all garbage is gone."""
        for _ in range(3):  # weak references go one round after what held them
            self._browser.send("HeapProfiler.collectGarbage")
        metrics = {each["name"]: int(each["value"]) for each in self._browser.send("Performance.getMetrics")["metrics"]}
        return Held(metrics["JSHeapUsedSize"], metrics["Nodes"], metrics["JSEventListeners"])
