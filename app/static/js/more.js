// What the board leaves out of sight, so that its frames stay small: fetched by who opens it, and anew while it is open.

import { translated } from "./translate.js";
import { morph } from "./morph.js";

const AT_MOST_EVERY = 5000;
const read = new Map();

async function fill(holder) {
  if (performance.now() - (read.get(holder.id) ?? -AT_MOST_EVERY) < AT_MOST_EVERY) return;
  read.set(holder.id, performance.now());
  try {
    const response = await fetch(holder.dataset.from);
    if (response.ok) morph(holder.firstElementChild, translated(await response.text()));
  } catch {
    // Offline: the page says so itself, and the next frame asks again.
  }
}

export function followMore() {
  for (const holder of document.querySelectorAll("details[open] > [data-from]")) fill(holder);
}

document.addEventListener("toggle", ({ target }) => {
  if (target.open && target.matches?.("details:has(> [data-from])")) followMore();
}, { capture: true });
