"""axe-core on a page, as sentences: `assert violations(page) == []`."""

from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.support.server import REPOSITORY

SOURCE = REPOSITORY / "tests" / "vendor" / "axe-core-4.14.1.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
OF_COLOURS = ["color-contrast", "link-in-text-block"]
RUN = """([within, type, values]) => {
    for (const moving of document.getAnimations()) if (moving.effect.getTiming().iterations < Infinity) moving.finish();
    const runOnly = {type, values};
    return axe.run(within ?? document, {runOnly, resultTypes: ["violations"], preload: false});
}"""
SHOWN = 5  # elements named per rule


def violations(page: Page, within: str | None = None) -> list[str]:
    """Return what WCAG 2.2 A and AA forbid and axe-core found, a sentence each; of the whole page or of one element.

    page: settled, in the theme and width to be looked at. within: a CSS selector.
    """
    return _found(page, within, "tag", TAGS)


def colour_faults(page: Page) -> list[str]:
    """Return what `violations` would of a page's colours alone: the rest does not depend on the theme."""
    return _found(page, None, "rule", OF_COLOURS)


def _found(page: Page, within: str | None, kind: str, values: list[str]) -> list[str]:
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(_source())  # by the debugger's way in, which a content security policy does not bind
    found = page.evaluate(RUN, [within, kind, values])
    return [_sentence(rule) for rule in found["violations"]]


@cache
def _source() -> str:
    return SOURCE.read_text(encoding="utf-8") + ";0"


def _sentence(rule: dict[str, Any]) -> str:
    nodes = [f"{' '.join(map(str, node['target']))} [{_why(node)}]" for node in rule["nodes"]]
    more = f" and {len(nodes) - SHOWN} more" if len(nodes) > SHOWN else ""
    return f"{rule['id']}: {rule['help']}: {'; '.join(nodes[:SHOWN])}{more}"


def _why(node: dict[str, Any]) -> str:
    checks = [*node["any"], *node["all"], *node["none"]]
    return ", ".join(check["message"] for check in checks)
