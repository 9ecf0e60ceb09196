// The plan: its chart is made once and changed in place, and a plan that nobody works out anew must not look like one
// of now.
/* global Plotly */

import { put } from "./paper.js";

const panel = document.getElementById("plan-chart"), plot = document.getElementById("plan-plot");
const caption = document.getElementById("plan-caption"), numbers = document.getElementById("plan-numbers");
const heads = document.getElementById("plan-heads"), rows = document.getElementById("plan-rows");
const queue = document.getElementById("plan-queue"), metric = document.getElementById("plan-metric");
const chosen = new URLSearchParams(location.search); // until somebody chooses, those that break first are drawn
let timer = 0, asked = null, shown = null, drawn = "";

const plan = () => document.getElementById("plan");
const theme = () => document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");

function watch() {
  clearTimeout(timer);
  if (!plan()?.dataset.freshSeconds) return;
  timer = setTimeout(() => plan().classList.add("old"), Number(plan().dataset.freshSeconds) * 1000);
}

function say(text) {
  const status = document.getElementById("status");
  if (status.textContent !== text) status.textContent = text;
}

async function draw({ anew = false } = {}) {
  const source = plan()?.dataset.figure;
  if (!source) { hide(); return; }
  const url = new URL(source, location.href);
  for (const name of ["queue", "metric"]) if (chosen.get(name)) url.searchParams.set(name, chosen.get(name));
  url.searchParams.set("theme", theme());
  if (!anew && drawn === url.href) return;
  asked?.abort();
  const mine = asked = new AbortController();
  try {
    const response = await fetch(url, { signal: mine.signal });
    if (!response.ok) return;
    const told = await response.json();
    drawn = url.href;
    await show(told);
  } catch {
    // Offline, or asked anew meanwhile: the plan itself says when it is too old.
  }
}

async function show(told) {
  shown = told;
  panel.hidden = !told.figure;
  if (!told.figure) return;
  queue.replaceChildren(...told.queues.map(({ value, text }) => new Option(text, value, false, value === told.queue)));
  metric.value = told.metric;
  caption.textContent = told.caption;
  list();
  await put(plot, told.figure);
}

function hide() {
  panel.hidden = true;
  drawn = "";
}

// The table is made only for those who opened it.
function list() {
  if (!numbers.open || !shown?.table) return;
  heads.replaceChildren(...shown.table.heads.map((text, place) => cell("th", text, place, "col")));
  rows.replaceChildren(...shown.table.rows.map((texts) => {
    const row = document.createElement("tr");
    row.append(...texts.map((text, place) => cell(place ? "td" : "th", text, place, "row")));
    return row;
  }));
}

function cell(kind, text, place, scope) {
  const made = document.createElement(kind);
  made.textContent = text;
  if (kind === "th") made.scope = scope;
  if (place) made.className = "num";
  return made;
}

// What the chart shows is part of the page's URL.
function remember() {
  const url = new URL(location.href);
  for (const { name } of [queue, metric]) if (chosen.get(name)) url.searchParams.set(name, chosen.get(name));
  if (url.href !== location.href) history.replaceState(history.state, "", url);
}

for (const select of [queue, metric]) {
  select.addEventListener("change", () => {
    chosen.set(select.name, select.value);
    remember();
    draw();
  });
}
numbers.addEventListener("toggle", list);
addEventListener("theme", () => draw());
new ResizeObserver(() => { if (plot.classList.contains("js-plotly-plot")) Plotly.Plots.resize(plot); }).observe(plot);
document.addEventListener("htmx:beforeRequest", () => say("Working it out."));
document.addEventListener("htmx:afterSettle", () => {
  watch();
  remember();
  draw({ anew: true });
  const answer = plan()?.querySelector(".answer");
  if (answer) say(`${answer.querySelector("h3").textContent.trim()}: ${answer.querySelector("p").textContent.trim()}`);
});
// What says nothing is no part of a URL that somebody sends to a colleague.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  for (const [name, value] of [...detail.formData]) if (value === "") detail.formData.delete(name);
});
watch();
draw();
