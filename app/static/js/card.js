// What a number on a tile means, over which window, from which source: a card that comes on pointing and on focus. It
// stays while the pointer is on it, and goes with Escape (WCAG 1.4.13). One card for all, so that frames stay small.

import { inZone } from "./zone.js";

const LINGER = 200;
const card = document.getElementById("card");
let shown = null, timer = 0;

const term = (text) => Object.assign(document.createElement("b"), { textContent: text });

function meaning(metric) {
  const entry = document.querySelector(`#meanings [data-metric="${CSS.escape(metric)}"]`);
  return entry?.querySelector("dd").textContent ?? "";
}

function fill({ textContent, dataset }) {
  const lines = document.createElement("span");
  lines.append(dataset.window);
  if (dataset.source) {
    const seen = Object.assign(document.createElement("time"), { dateTime: dataset.seen });
    seen.dataset.form = "clock";
    lines.append(` · source ${dataset.source} · as of `, seen);
  }
  card.replaceChildren(term(textContent), `: ${meaning(dataset.metric)}.`, document.createElement("br"), lines);
  inZone(card);
}

function place(hint) {
  const box = hint.getBoundingClientRect(), width = card.offsetWidth;
  const left = Math.max(8, Math.min(box.left, document.documentElement.clientWidth - width - 8));
  card.style.left = `${left + scrollX}px`;
  card.style.top = `${box.bottom + scrollY}px`;
}

function open(hint) {
  clearTimeout(timer);
  if (shown !== hint) close();
  shown = hint;
  fill(hint);
  card.hidden = false;
  hint.setAttribute("aria-describedby", "card");
  place(hint);
}

function close() {
  clearTimeout(timer);
  shown?.removeAttribute("aria-describedby");
  shown = null;
  card.hidden = true;
}

export function showCards() {
  document.addEventListener("pointerover", ({ target }) => {
    const hint = target.closest?.(".hint");
    if (hint) open(hint);
    else if (card.contains(target)) clearTimeout(timer);
    else if (shown && document.activeElement !== shown) { clearTimeout(timer); timer = setTimeout(close, LINGER); }
  });
  document.addEventListener("focusin", ({ target }) => { if (target.closest(".hint")) open(target); else close(); });
  document.addEventListener("keydown", ({ key }) => { if (key === "Escape") close(); });
}
