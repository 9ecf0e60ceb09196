// Numbers by the reader's locale. The server writes all of them in one way, `12,345.6`, in sentences, too, and sends the
// same piece to every reader; whoever's locale writes numbers otherwise gets all of them otherwise, never two ways mixed.

const NUMBER = /(?<![\w.,:/\u2011-])(?:\d{1,3}(?:,\d{3})+(?:\.\d{1,3})?|\d+\.\d{1,2})(?![\d]|[.,:/-]?\w)/g;
const LEFT = "code, pre, kbd, samp, time, textarea, script, style, [translate='no']";
const locale = new Intl.NumberFormat(navigator.languages[0]).resolvedOptions().locale;
const sample = new Intl.NumberFormat(locale).format(1234567.8);
export const isForeign = sample !== "1,234,567.8";

// What Plotly calls separators: the decimal sign, then that between thousands.
export const separators = () => {
  const parts = Object.fromEntries(new Intl.NumberFormat(locale).formatToParts(1234567.8).map(({ type, value }) => [type, value]));
  return parts.decimal + (parts.group ?? "");
};

export function localized(text) {
  return text.replace(NUMBER, (found) => {
    const digits = found.split(".")[1]?.length ?? 0;
    const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return new Intl.NumberFormat(locale, format).format(Number(found.replaceAll(",", "")));
  });
}

function rewrite(node) {
  if (!node.data.includes(",") && !node.data.includes(".")) return;
  if (node.parentElement?.closest(LEFT)) return;
  const text = localized(node.data);
  if (text !== node.data) node.data = text;
}

// Writes all numbers below a node by the locale; does nothing where that is how the server writes them.
export function byLocale(below) {
  if (!isForeign) return;
  const walker = document.createTreeWalker(below, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) rewrite(walker.currentNode);
}

export function followNumbers() {
  if (!isForeign) return;
  byLocale(document.body);
  new MutationObserver((records) => {
    for (const { type, target, addedNodes } of records) {
      if (type === "characterData") rewrite(target);
      for (const node of addedNodes) if (node.nodeType === Node.TEXT_NODE) rewrite(node); else byLocale(node);
    }
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}
