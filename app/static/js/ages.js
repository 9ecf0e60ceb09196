// Everything that counts seconds. The server's clock is told by each frame; between frames it runs on here, at the
// rate it was seen to run (a demonstration's clock is fast).

import { duration } from "./format.js";

let base = 0, heard = 0, date = 0, first = null, rate = 1;

export function setClock(iso) {
  const at = Date.parse(iso), wall = performance.now();
  const slept = Date.now() - date - (wall - heard) > 5000; // a clock that stood still meanwhile tells no rate
  if (first === null || at < base || slept) first = { at, wall };
  const passed = wall - first.wall;
  if (passed > 3000) rate = Math.min(1000, Math.max(0, (at - first.at) / passed));
  base = at;
  heard = wall;
  date = Date.now();
}

// Between frames a fast clock runs on for two seconds only: a demonstration that stops must not seem to race on.
export const now = () => {
  const since = performance.now() - heard;
  return base + (rate > 1.5 ? Math.min(since, 2000) * rate + Math.max(0, since - 2000) : since);
};

const put = (node, text) => { if (node.firstChild?.data !== text || node.childNodes.length !== 1) node.textContent = text; };

export function tick(root) {
  const at = now();
  for (const node of root.querySelectorAll("[data-age]")) {
    if (node.dataset.age) put(node, duration((at - Date.parse(node.dataset.age)) / 1000));
  }
  for (const node of root.querySelectorAll("[data-since]")) put(node, duration((at - Date.parse(node.dataset.since)) / 1000));
  for (const node of root.querySelectorAll("[data-until]")) {
    const left = (Date.parse(node.dataset.until) - at) / 1000;
    put(node, left > 0 ? `${duration(left)} left` : "due");
  }
  for (const tile of root.querySelectorAll(".tile[data-age-of]")) {
    const limit = Number(tile.dataset.staleAfter) * 1000;
    if (at - Date.parse(tile.dataset.ageOf) > limit) tile.classList.add("stale");
  }
}

// Whether the data behind a verdict are older than the policy trusts, with some seconds for the way here.
export function outlived({ asOf, staleAfter }) {
  const slack = 7 * Math.max(1, rate);
  return Boolean(asOf) && (now() - Date.parse(asOf)) / 1000 > Number(staleAfter) + slack;
}
