// Keeps a page of sources as it is now: fetched anew every few seconds, changed where it differs, never while hidden,
// while a table of it is being selected from, or while somebody has paused it (WCAG 2.2.2). Ages tick in between.

import { setClock } from "./ages.js";
import { morph } from "./morph.js";
import { translated } from "./translate.js";

const EVERY = 5000;
const part = () => document.getElementById("sources");
const button = document.getElementById("hold-still");
let asking = false;

const root = document.documentElement;
const isStill = () => document.hidden || root.dataset.paused === "yes" || !getSelection().isCollapsed;

async function refresh() {
  if (asking || isStill()) return;
  asking = true;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (response.redirected) return location.reload();
    if (response.ok) take(new DOMParser().parseFromString(await response.text(), "text/html").getElementById("sources"));
  } catch {
    // the frame says that nothing comes any more; the next round tries again
  } finally {
    asking = false;
  }
}

function take(fresh) {
  if (!fresh || isStill()) return;
  setClock(fresh.dataset.now);
  morph(part(), translated(fresh.outerHTML));
}

button.hidden = false;
button.addEventListener("click", () => {
  const paused = root.dataset.paused !== "yes";
  root.dataset.paused = paused ? "yes" : "no";
  button.setAttribute("aria-pressed", String(paused));
  refresh();
});
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, EVERY);
