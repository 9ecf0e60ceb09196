// The demonstration's same day, twice: asked for every few seconds while somebody looks, and changed in place. What lies
// under the pointer is said above the picture; everything is in the table.

import { morph } from "./morph.js";
import { localized, isForeign } from "./numbers.js";
import { translated } from "./translate.js";
import { zoneQuery } from "./zone.js";

const EVERY = 5000;
const plot = document.getElementById("twins-plot"), said = document.getElementById("twins-said");
const verdict = document.getElementById("twins-verdict"), numbers = document.getElementById("twins-numbers");
const rows = document.getElementById("twins-rows"), about = said.textContent;
let timer = 0, askedAt = -EVERY, asked = null, shown = null, pointed = null;

function draw({ now = false } = {}) {
  clearTimeout(timer);
  if (document.hidden || (shown?.is_over && !now)) return;
  timer = setTimeout(ask, now ? 0 : Math.max(0, askedAt + EVERY - performance.now()));
}

async function ask() {
  askedAt = performance.now();
  asked?.abort();
  const mine = asked = new AbortController();
  try {
    const response = await fetch(`/demo/twins?${new URLSearchParams({ zone: zoneQuery() })}`, { signal: mine.signal });
    if (response.ok) show(await response.json());
  } catch {
    // Offline, or asked anew meanwhile: the page says so itself, and the next round draws again.
  }
  if (mine === asked) draw();
}

function show(twins) {
  shown = twins;
  const text = isForeign ? localized(twins.verdict) : twins.verdict;
  if (verdict.textContent !== text) verdict.textContent = text;
  morph(plot.firstElementChild, translated(twins.drawing));
  list();
  point();
}

// The table is made only for those who opened it.
function list() {
  if (!numbers.open || !shown) return;
  rows.replaceChildren(...shown.rows.map(([until, ...texts]) => {
    const row = document.createElement("tr"), head = document.createElement("th");
    head.scope = "row";
    head.textContent = until;
    row.append(head, ...texts.map((text) => {
      const cell = document.createElement("td");
      cell.className = "num";
      cell.textContent = text;
      return cell;
    }));
    return row;
  }));
}

// Says the five minutes that the pointer is at, and draws a line there; nothing where nobody points.
function point() {
  const { first, step, steps } = plot.firstElementChild.dataset, line = plot.querySelector(".at");
  const place = pointed === null ? -1 : Math.round((100 * pointed - first) / step);
  const row = place >= 0 && place < steps ? shown?.rows[steps - 1 - place] : null;
  line.setAttribute("visibility", row ? "visible" : "hidden");
  said.textContent = row ? `${row[0]}: ${row[1]} all at once, ${row[2]} gated` : about;
  if (!row) return;
  for (const end of ["x1", "x2"]) line.setAttribute(end, `${Number(first) + place * step}%`);
}

plot.addEventListener("pointermove", ({ clientX }) => {
  const { left, width } = plot.firstElementChild.getBoundingClientRect();
  pointed = (clientX - left) / width;
  point();
});
plot.addEventListener("pointerleave", () => { pointed = null; point(); });
numbers.addEventListener("toggle", list);
addEventListener("zone", () => draw({ now: true }));
document.addEventListener("visibilitychange", () => draw());
draw({ now: true });
