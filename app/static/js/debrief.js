// What was predicted and what happened: one chart, made once and changed in place; and a page that is read anew while
// contacts still come, but never under the reader's hands.
/* global Plotly */

import { separators } from "./numbers.js";
import { put } from "./paper.js";
import { zoneQuery } from "./zone.js";

const form = document.getElementById("outcome-form"), plot = document.getElementById("outcome-plot");
const caption = document.getElementById("outcome-caption");
const root = document.documentElement;
const theme = () => root.dataset.theme ?? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
let asked = null;

async function draw() {
  if (document.hidden) return;
  asked?.abort();
  const { signal } = asked = new AbortController();
  try {
    const { figure: { data, layout }, caption: said } = await fetched(signal);
    await put(plot, { data, layout: { ...layout, separators: separators() } });
    if (caption.textContent !== said) caption.textContent = said;
  } catch {
    // Offline, or asked anew meanwhile: what is drawn stays.
  }
}

async function fetched(signal) {
  const query = new URLSearchParams(new FormData(form));
  query.set("theme", theme());
  query.set("zone", zoneQuery());
  const response = await fetch(`${plot.dataset.src}?${query}`, { signal });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

// The table below the chart is the server's: another choice is another page, whose address can be shared.
form.addEventListener("change", () => form.requestSubmit());
for (const type of ["theme", "zone"]) addEventListener(type, draw);
document.addEventListener("visibilitychange", draw);
document.addEventListener("htmx:afterSwap", draw);
document.addEventListener("htmx:beforeRequest", (event) => {
  const changed = ["debrief-first", "debrief-rest"].map((id) => document.getElementById(id));
  if (changed.some((part) => part?.contains(document.activeElement))) event.preventDefault();
});
new ResizeObserver(() => { if (plot.classList.contains("js-plotly-plot")) Plotly.Plots.resize(plot); }).observe(plot);
draw();
