// The thresholds page: limits as lines over the last week, and what they would have done to it while they are moved.
// Every number has its input; the lines, the preview and the list of changes follow the inputs, never the other way.
/* global Plotly */

import { csrfHeaders } from "./csrf.js";
import { lines, spoken } from "./limits.js";
import { put } from "./paper.js";
import { announce } from "./status.js";
import { translated } from "./translate.js";

const REVIEW_AFTER = 150, PREVIEW_AFTER = 250, PATIENCE = 5000;
const form = document.getElementById("policy"), rule = document.getElementById("rule"), queue = document.getElementById("queue");
const plot = document.getElementById("curve"), caption = document.getElementById("curve-caption");
const told = document.getElementById("told"), review = document.getElementById("review");
const root = document.documentElement, gate = form.dataset.gate, edits = form.dataset.edit === "yes";
const theme = () => root.dataset.theme ?? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
const at = (path, more = {}) => `${path}?${new URLSearchParams({ gate, ...more })}`;
const fieldset = (place = rule.value) => document.querySelector(`.rule[data-rule="${place}"]`);
const inputsOf = (box) => ({ hold: box.querySelector("[id$='-hold']"), resume: box.querySelector("[id$='-resume']") });
const scaleOf = (box) => (box.dataset.unit === "%" ? 100 : 1);

const drawn = plot && lines({
  area: document.getElementById("lines"),
  moved: (input) => input.dispatchEvent(new Event("input", { bubbles: true })),
  settled: () => { if (drawn.crowded) draw(); },
});

// --- the curve ---

let asked = null;

async function draw() {
  const box = plot && fieldset();
  if (!box) return drawn?.hide();
  asked?.abort();
  asked = new AbortController();
  const { hold, resume } = inputsOf(box), scale = scaleOf(box);
  const metric = box.querySelector("[id$='-metric']").value;
  const limits = [hold, resume].filter((input) => input.value !== "").map((input) => Number(input.value) / scale);
  try {
    const query = { queue: queue.value, metric, theme: theme(), limits };
    const response = await fetch(at("/partials/thresholds/curve", query), { signal: asked.signal });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const { figure, caption: said, top, step } = await response.json();
    await put(plot, figure);
    caption.textContent = said;
    const words = [hold, resume].map((input) => input.labels[0].textContent.toLowerCase());
    const { unit, worse } = box.dataset;
    drawn.over({ most: top * scale, step: step * scale, unit, worse, title: rule.selectedOptions[0].text, holdWord: words[0], resumeWord: words[1] }, { hold, resume });
    const table = new URLSearchParams({ gate, queue: queue.value, metric, range: "7d" });
    document.getElementById("curve-table").href = `/history?${table}`;
  } catch (fault) {
    if (fault.name !== "AbortError") caption.textContent = "holdfire does not answer, so there is no curve; the numbers can be typed all the same.";
  }
}

function chosen() {
  remember();
  draw();
}

// --- what it would have done, and what would change: one question at a time, the last wish wins ---

function asker(ask, after) {
  let timer = 0, asking = false, wanted = false;
  const soon = (pause = after) => { clearTimeout(timer); timer = setTimeout(run, pause); };
  async function run() {
    wanted = true;
    if (asking) return;
    asking = true;
    while (wanted) {
      wanted = false;
      await ask(soon);
    }
    asking = false;
  }
  return soon;
}

async function post(path) {
  const body = new URLSearchParams(new FormData(form));
  const response = await fetch(at(path), edits ? { method: "POST", headers: csrfHeaders(), body } : {});
  if (response.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  return response;
}

const preview = asker(async (again) => {
  told.setAttribute("aria-busy", "true");
  try {
    const response = await post("/partials/thresholds/preview");
    if (response.headers.has("Retry-After")) return again(PATIENCE);
    if (response.status === 422) return;
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    told.replaceChildren(translated(await response.text()));
    told.setAttribute("aria-busy", "false");
    if (!drawn.held) announce(told.querySelector(".said")?.textContent ?? "");
  } catch {
    again(PATIENCE);
  }
}, PREVIEW_AFTER);

const reviewed = asker(async (again) => {
  try {
    const response = await post("/partials/thresholds/review");
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    review.replaceChildren(translated(await response.text()));
    blame();
    lead();
  } catch {
    again(PATIENCE);
  }
}, REVIEW_AFTER);

// Puts each fault beside its field, as the server does where the whole page is sent.
function blame() {
  for (const marked of form.querySelectorAll("[aria-invalid]:not(#reason)")) {
    marked.removeAttribute("aria-invalid");
    marked.removeAttribute("aria-describedby");
  }
  for (const old of form.querySelectorAll(".fault[id$='-fault']:not(#reason-fault, #rules-fault)")) old.remove();
  for (const item of review.querySelectorAll("[data-field]")) {
    const input = document.getElementById(item.dataset.field);
    if (!input) continue;
    const fault = Object.assign(document.createElement("span"), { className: "fault", id: `${input.id}-fault`, textContent: item.textContent });
    (input.closest(".field") ?? input).append(fault);
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", fault.id);
    const folded = input.closest("details");
    if (folded) folded.open = true;
  }
}

// From beside the curve to where the changes are read and saved, which may be out of sight.
function lead() {
  const jump = document.getElementById("jump"), count = review.querySelectorAll("tbody tr").length;
  if (!jump) return;
  jump.hidden = !count;
  jump.firstElementChild.textContent = `${count === 1 ? "1 change" : `${count} changes`} to look at and save`;
}

// --- the page around them ---

// The address has the limits that differ, as long as the rules are those it opened with: a link shows the same again.
function remember() {
  const query = new URLSearchParams(location.search);
  for (const name of [...query.keys()]) if (/^(hold|resume)-\d+$|^(rule|queue|saved)$/.test(name)) query.delete(name);
  query.set("gate", gate);
  if (rule.value !== "0") query.set("rule", rule.value);
  if (queue?.selectedIndex > 0) query.set("queue", queue.value);
  const tried = new URLSearchParams({ days: 7 });
  const metrics = [...form.querySelectorAll(".rule [id$='-metric']")];
  if (metrics.every((select) => select.value === select.dataset.base) && metrics.length === Number(form.dataset.rules)) {
    for (const box of form.querySelectorAll(".rule")) {
      for (const [end, input] of Object.entries(inputsOf(box))) {
        if (input.value === "" || input.value === input.dataset.base) continue;
        const value = Number((Number(input.value) / scaleOf(box)).toFixed(6));
        query.set(`${end}-${box.dataset.rule}`, value);
        tried.set(`${end}-${box.dataset.rule}`, value);
      }
    }
  }
  history.replaceState(null, "", `/thresholds?${query}${location.hash}`);
  const detail = document.getElementById("in-detail");
  if (detail) detail.href = `/gates/${encodeURIComponent(gate)}/backtest?${tried}`;
}

// Long seconds and minutes are also said in words: 900 s is 15 min.
function say(input) {
  const unit = input.parentElement.querySelector(".unit"), seconds = { s: 1, min: 60 }[unit?.dataset.unit ?? unit?.textContent];
  if (!seconds) return;
  unit.dataset.unit ??= unit.textContent;
  const typed = input.value || input.dataset.usual, whole = Number(typed) * seconds;
  const words = spoken(whole, "s");
  unit.textContent = Number.isFinite(whole) && whole >= 60 * seconds && typed !== "" ? `${unit.dataset.unit} = ${words}` : unit.dataset.unit;
}

const sayAll = () => { for (const input of form.querySelectorAll("input[type=number]")) say(input); };

form.addEventListener("input", ({ target }) => {
  if (target.id === "reason") return;
  if (target.type === "number") say(target);
  if (target.id === "outlook") document.getElementById("outlook-fields").hidden = !target.checked;
  drawn?.show();
  if (!target.name || target.form !== form) return;
  remember();
  reviewed();
  if (plot) preview();
});
form.addEventListener("change", ({ target }) => { if (target.type === "number" && drawn?.crowded) draw(); });
form.addEventListener("focusin", ({ target }) => {
  const place = /^rule-(\d+)-(hold|resume)$/.exec(target.id)?.[1];
  if (place === undefined || place === rule.value) return;
  rule.value = place;
  chosen();
});
// The return key in a field must not press the first button of the form, which leads away from the page.
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.id === "reason" || !event.target.matches("input, select")) return;
  event.preventDefault();
  reviewed(0);
});
for (const select of [rule, queue]) select?.addEventListener("change", chosen);
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target?.id === "rules" || document.getElementById("rules")?.contains(detail.elt)) {
    const kept = rule.value, titles = [...form.querySelectorAll(".rule > legend")].map((legend) => legend.textContent);
    rule.replaceChildren(...titles.map((title, place) => new Option(title, place, false, String(place) === kept)));
    chosen();
  }
  sayAll();
  reviewed(0);
  if (plot) preview();
});
addEventListener("theme", draw);

form.classList.add("live");
sayAll();
if (review) lead();
if (plot) {
  new ResizeObserver(() => { if (plot.classList.contains("js-plotly-plot")) Plotly.Plots.resize(plot); }).observe(plot);
  draw();
  preview(0);
}
