// What was predicted and what happened: one chart, made once and changed in place; and a page that is read anew while
// contacts still come, but never under the reader's hands.
/* global Plotly */

import { separators } from "./numbers.js";
import { zoneQuery } from "./zone.js";

const form = document.getElementById("outcome-form"), plot = document.getElementById("outcome-plot");
const caption = document.getElementById("outcome-caption");
const root = document.documentElement;
const PAPER = { width: 560, height: 200 }; // stretched to its place there by debrief.css, which has the same shape
const theme = () => root.dataset.theme ?? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
let asked = null, onScreen = null, onPaper = null;

async function draw() {
  if (document.hidden) return;
  asked?.abort();
  const { signal } = asked = new AbortController();
  try {
    const shown = await fetched(theme(), signal);
    [onScreen, onPaper] = [shown.figure, theme() === "light" ? shown.figure : (await fetched("light", signal)).figure];
    await put(onScreen);
    if (caption.textContent !== shown.caption) caption.textContent = shown.caption;
  } catch {
    // Offline, or asked anew meanwhile: what is drawn stays.
  }
}

async function fetched(name, signal) {
  const query = new URLSearchParams(new FormData(form));
  query.set("theme", name);
  query.set("zone", zoneQuery());
  const response = await fetch(`${plot.dataset.src}?${query}`, { signal });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

const put = (figure, size = {}) =>
  Plotly.react(plot, figure.data, { ...figure.layout, ...size, separators: separators() }, { displayModeBar: false });

// The table below the chart is the server's: another choice is another page, whose address can be shared.
form.addEventListener("change", () => form.requestSubmit());
for (const type of ["theme", "zone"]) addEventListener(type, draw);
document.addEventListener("visibilitychange", draw);
document.addEventListener("htmx:afterSwap", draw);
document.addEventListener("htmx:beforeRequest", (event) => {
  const changed = ["debrief-first", "debrief-rest"].map((id) => document.getElementById(id));
  if (changed.some((part) => part?.contains(document.activeElement))) event.preventDefault();
});
// Paper is white, and laid out only after this: nothing can be asked for or measured any more.
addEventListener("beforeprint", () => {
  if (!onPaper) return;
  put(onPaper, PAPER);
  for (const svg of plot.querySelectorAll(".main-svg")) svg.setAttribute("viewBox", `0 0 ${PAPER.width} ${PAPER.height}`);
});
addEventListener("afterprint", () => {
  for (const svg of plot.querySelectorAll(".main-svg")) svg.removeAttribute("viewBox");
  if (onScreen) put(onScreen);
});
new ResizeObserver(() => { if (plot.classList.contains("js-plotly-plot")) Plotly.Plots.resize(plot); }).observe(plot);
draw();
