"""What can be read and hit on a page: no word over another, none cut off, nothing too small for a finger."""

from playwright.sync_api import Page

from tests.browser.looking import found

SHOWN = 6
# A word counts where it is shown: not in what scrolls it away, what is folded, a drawing, or what only a reader hears.
ILLEGIBLE = """(shown) => {
    const said = (node) => `<${node.nodeName.toLowerCase()} class="${node.className}">`;
    const words = (node) => `“${node.textContent.trim().slice(0, 30)}” in ${said(node.parentElement)}`;
    const UNREAD = "svg, option, script, style, noscript, .sr, .plot";
    const isSeen = (node) => node.checkVisibility({visibilityProperty: true, opacityProperty: true});
    const named = [], lines = [], range = document.createRange();
    const clipped = (node, box) => {
        for (let up = node.parentElement; up !== document.body; up = up.parentElement) {
            const {overflowX, overflowY, clipPath} = getComputedStyle(up), edge = up.getBoundingClientRect();
            if (clipPath !== "none") return "away";
            const beyond = [[overflowX, box.right > edge.right + 1], [overflowY, box.bottom > edge.bottom + 2]];
            for (const [overflow, isBeyond] of beyond) {
                if (overflow === "visible" || !isBeyond) continue;
                return ["auto", "scroll"].includes(overflow) ? "away" : `${words(node)} is cut off by ${said(up)}`;
            }
            if (["auto", "scroll"].includes(overflowY) && box.top < edge.top) return "away";
        }
        return "";
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode;
        if (!node.textContent.trim() || node.parentElement.closest(UNREAD) || !isSeen(node.parentElement)) continue;
        range.selectNodeContents(node);
        const whole = range.getBoundingClientRect(), how = clipped(node, whole);
        if (how && how !== "away") named.push(how);
        if (how) continue;
        const frame = node.parentElement.closest(".panel, .tile, .verdict");
        if (frame && whole.right > frame.getBoundingClientRect().right + 1) named.push(`${words(node)} sticks out`);
        lines.push(...[...range.getClientRects()].filter((box) => box.width > 1).map((box) => ({box, node})));
    }
    lines.sort((a, b) => a.box.top - b.box.top);
    lines.forEach((one, place) => {
        for (const other of lines.slice(place + 1)) {
            if (other.box.top > one.box.bottom - 5) break;
            const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
            if (one.node !== other.node && wide > 2) named.push(`${words(one.node)} is over ${words(other.node)}`);
        }
    });
    return named.slice(0, shown);
}"""

SMALL = """(shown) => {
    const TARGETS = "a[href], button, select, summary, textarea, input:not([type=checkbox], [type=radio])";
    const isMeant = (node) => node.checkVisibility({visibilityProperty: true, opacityProperty: true})
        && !node.closest(".sr, .skip") && getComputedStyle(node).display !== "inline"; // a link within a sentence
    const sides = (node) => [node.getBoundingClientRect().width, node.getBoundingClientRect().height];
    const targets = [...document.querySelectorAll(TARGETS)].filter(isMeant);
    const small = targets.filter((node) => sides(node).every(Boolean) && Math.min(...sides(node)) < 23.5);
    const said = (node) => `“${node.textContent.trim().slice(0, 30) || node.name}”`;
    return small.slice(0, shown).map((node) => `${said(node)} is ${sides(node).map(Math.round).join(" by ")} px`);
}"""


def illegible(page: Page) -> list[str]:
    """Return what cannot be read on a page as wide as it is now, a sentence each; nothing where all can be."""
    named: list[str] = found(page, f"({ILLEGIBLE})({SHOWN})", [])  # a page follows its window a moment later
    return named


def too_small(page: Page) -> list[str]:
    """Return what is to be clicked and has not 24 pixels each way, a sentence each; links in sentences are left out."""
    named: list[str] = found(page, f"({SMALL})({SHOWN})", [])
    return named
