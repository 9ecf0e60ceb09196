// The demonstration's same day, twice: asked for every few seconds while somebody looks, and changed in place.
/* global Plotly */

import { theme } from "./chart.js";

const EVERY = 3000;
const panel = document.getElementById("twins"), plot = document.getElementById("twins-plot");
const verdict = document.getElementById("twins-verdict"), numbers = document.getElementById("twins-numbers");
const rows = document.getElementById("twins-rows");
let timer = 0, shown = null;

async function draw() {
  clearTimeout(timer);
  try {
    const response = await fetch(`/demo/twins?theme=${theme()}`);
    if (response.ok) await show(await response.json());
  } catch {
    // Offline: the page says so itself, and the next round draws again.
  }
  clearTimeout(timer);
  if (!document.hidden && !shown?.is_over) timer = setTimeout(draw, EVERY);
}

async function show(twins) {
  shown = twins;
  if (verdict.textContent !== twins.verdict) verdict.textContent = twins.verdict;
  list();
  await Plotly.react(plot, twins.figure.data, twins.figure.layout, { displayModeBar: false });
}

// The table is made only for those who opened it.
function list() {
  if (!numbers.open || !shown || rows.rows.length === shown.rows.length) return;
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

new ResizeObserver(() => { if (plot.classList.contains("js-plotly-plot")) Plotly.Plots.resize(plot); }).observe(plot);
numbers.addEventListener("toggle", list);
addEventListener("theme", draw);
document.addEventListener("visibilitychange", draw);
if (panel) draw();
