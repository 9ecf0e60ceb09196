// What was predicted and what happened: one chart, made once and changed in place; and a page that is read anew while
// contacts still come, but never under the reader's hands.
/* global Plotly */

import { separators } from "./numbers.js";
import { zoneQuery } from "./zone.js";

const form = document.getElementById("outcome-form"), plot = document.getElementById("outcome-plot");
const caption = document.getElementById("outcome-caption");
const root = document.documentElement;
const theme = () => root.dataset.theme ?? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
let asked = null;

async function draw() {
  if (document.hidden) return;
  asked?.abort();
  asked = new AbortController();
  const query = new URLSearchParams(new FormData(form));
  query.set("theme", theme());
  query.set("zone", zoneQuery());
  try {
    const response = await fetch(`${plot.dataset.src}?${query}`, { signal: asked.signal });
    if (!response.ok) return;
    const { figure, caption: said } = await response.json();
    figure.layout.separators = separators();
    await Plotly.react(plot, figure.data, figure.layout, { displayModeBar: false });
    if (caption.textContent !== said) caption.textContent = said;
  } catch {
    // Offline, or asked anew meanwhile: what is drawn stays.
  }
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
addEventListener("beforeprint", () => { if (plot.classList.contains("js-plotly-plot")) Plotly.Plots.resize(plot); });
new ResizeObserver(() => { if (plot.classList.contains("js-plotly-plot")) Plotly.Plots.resize(plot); }).observe(plot);
draw();
