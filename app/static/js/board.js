// Puts frames on the page, and says in words, title and favicon how things stand.

import { morph } from "./morph.js";

const ANNOUNCE_EVERY = 10000;
const root = document.documentElement, live = document.getElementById("live");
const favicon = document.getElementById("favicon"), status = document.getElementById("status");
let waiting = "", announcedAt = -ANNOUNCE_EVERY, announceTimer = 0;

export const board = () => live.firstElementChild;

export function show(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  const before = board().dataset.state;
  morph(board(), template.content.firstElementChild);
  const after = board().dataset.state;
  if (before === after) return;
  announce(board().dataset.announcement);
  const verdict = document.getElementById("verdict");
  verdict.classList.remove("fresh");
  requestAnimationFrame(() => verdict.classList.add("fresh"));
}

// dead: nothing on this page may be relied on, for the reason given.
export function mark(dead, why) {
  const shown = board().dataset;
  const state = dead ? "unknown" : shown.state;
  const title = dead ? `UNKNOWN · ${why} – holdfire` : shown.title;
  if (document.title !== title) document.title = title;
  if (root.dataset.state !== state) root.dataset.state = state;
  const href = favicon.getAttribute("href").replace(/[a-z]+\.svg$/, `${state}.svg`);
  if (favicon.getAttribute("href") !== href) favicon.setAttribute("href", href);
}

// Speaks through the one status region: sentences only, the last one wins, not more often than every ten seconds.
export function announce(sentence) {
  waiting = sentence;
  clearTimeout(announceTimer);
  announceTimer = setTimeout(() => {
    announcedAt = performance.now();
    status.textContent = waiting;
  }, Math.max(0, announcedAt + ANNOUNCE_EVERY - performance.now()));
}
