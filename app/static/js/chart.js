// The charts of one queue: four, each made once and changed in place, all from one answer, and not while nobody looks.
// What they show stands in the URL. How soon there is something new is for the server to say.
/* global Plotly */

import { isForeign, localized } from "./numbers.js";
import { put as drawOn } from "./paper.js";
import { zoneQuery } from "./zone.js";

const AT_MOST_EVERY = 5000, AGAIN_AFTER_A_FAULT = 15000;
const form = document.getElementById("chart-form"), meanwhile = document.getElementById("meanwhile");
const asking = document.getElementById("outlook-form");
const root = document.documentElement;
const multiples = new Map([...document.querySelectorAll(".multiple")].map((figure) => [figure.dataset.metric, {
  figure, plot: figure.querySelector(".plot"), caption: figure.querySelector("figcaption"),
}]));
let drawnAt = -AT_MOST_EVERY, timer = 0, asked = null;

const theme = () => root.dataset.theme ?? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");

const range = () => form.querySelector("[name=range]:checked");
const off = (name) => [...form.querySelectorAll(`[data-${name}]:not(:checked)`)].map((box) => box.dataset[name]);
const on = (name) => [...form.querySelectorAll(`[data-${name}]:checked`)].map((box) => box.dataset[name]);

function chosen() {
  const query = new URLSearchParams({ gate: form.elements.gate.value, queue: form.elements.queue.value, range: range().value });
  query.set("behind", on("day").join(","));
  if (off("layer").length) query.set("hide", off("layer").join(","));
  return query;
}

// Draws soon; several wishes within five seconds become one.
export function redraw({ now = false } = {}) {
  if (document.hidden || root.dataset.paused === "yes" || form.closest("[hidden]") || !form.elements.queue.value) return;
  clearTimeout(timer);
  timer = setTimeout(draw, now ? 0 : Math.max(0, drawnAt + AT_MOST_EVERY - performance.now()));
}

async function draw() {
  drawnAt = performance.now();
  asked?.abort();
  const mine = asked = new AbortController();
  const query = chosen();
  query.set("theme", theme());
  if (zoneQuery()) query.set("zone", zoneQuery());
  const { audience, campaign } = asking.elements;
  if (audience.value.trim() && audience.getAttribute("aria-invalid") !== "true") {
    query.set("audience", audience.value);
    query.set("campaign", campaign.value);
  }
  let seconds = AGAIN_AFTER_A_FAULT / 1000;
  try {
    const response = await fetch(`/partials/charts?${query}`, { signal: mine.signal });
    if (response.ok) {
      const told = await response.json();
      seconds = told.refresh_seconds;
      await show(told, mine);
    }
  } catch {
    // Offline, or asked anew meanwhile: the page says itself when it is not live, and the next round draws again.
  }
  clearTimeout(timer);
  if (mine === asked) timer = setTimeout(redraw, Math.max(AT_MOST_EVERY, seconds * 1000));
}

// One after the other, with room for what people do in between.
async function show(told, mine) {
  put(meanwhile, told.meanwhile);
  for (const { metric, figure, caption } of told.charts) {
    if (mine !== asked) return;
    const multiple = multiples.get(metric);
    if (isForeign) byLocale(figure);
    await drawOn(multiple.plot, figure);
    put(multiple.caption, caption);
    await new Promise(requestAnimationFrame);
  }
}

const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };

function byLocale({ data, layout }) {
  for (const trace of data) if (trace.text) trace.text = trace.text.map((text) => text && localized(text));
  for (const note of layout.annotations) note.text = localized(note.text);
  for (const axis of [layout.xaxis, layout.yaxis]) axis.ticktext = axis.ticktext.map(localized);
}

// Keeps the list of queues as the board has it: one that reports for the first time is added.
export function follow(tiles) {
  const select = form.elements.queue, known = new Set([...select.options].map((option) => option.value));
  const added = tiles.filter(({ queue }) => !known.has(queue));
  if (!added.length) return;
  select.append(...added.map(({ queue, title }) => new Option(title, queue)));
  redraw({ now: true });
}

// Only days that the range has room for can be drawn behind it, and the outlook only where it is wide enough to be seen.
function offer() {
  const possible = range().dataset.behind.split(",");
  for (const box of form.querySelectorAll("[data-day]")) box.disabled = !possible.includes(box.dataset.day);
  form.querySelector("[data-layer=outlook]").disabled = range().dataset.ahead !== "yes";
}

function link() {
  const { gate, queue } = form.elements;
  for (const [metric, { figure }] of multiples) {
    const own = new URLSearchParams({ gate: gate.value, queue: queue.value, range: range().value, metric });
    figure.querySelectorAll("[data-query] a").forEach((anchor) => {
      const format = new URL(anchor.href).searchParams.get("format");
      anchor.href = `/history?${own}${format ? `&format=${format}` : ""}`;
    });
  }
}

form.addEventListener("change", () => {
  const url = new URL(location.href);
  for (const name of ["queue", "range", "behind", "hide"]) url.searchParams.delete(name);
  for (const [name, value] of chosen()) url.searchParams.set(name, value);
  history.replaceState(history.state, "", url);
  offer();
  link();
  redraw({ now: true });
});
for (const type of ["theme", "zone", "unpaused", "outlook:asked"]) addEventListener(type, () => redraw({ now: true }));
document.addEventListener("visibilitychange", () => redraw());
// The plots' boxes follow their panels, not only the window.
const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) if (target.classList.contains("js-plotly-plot")) Plotly.Plots.resize(target);
});
for (const { plot } of multiples.values()) resized.observe(plot);
offer();
