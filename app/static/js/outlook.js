// The outlook: asked for every half minute while somebody looks, and changed in place. Apart from the live socket, whose
// frames must stay small and soon.

import { now } from "./ages.js";
import { morph } from "./morph.js";
import { translated } from "./translate.js";

const USUALLY = 30, AFTER_TYPING = 600;
const panel = document.getElementById("outlook"), form = document.getElementById("outlook-form");
const caption = document.getElementById("outlook-caption");
const fault = document.getElementById("outlook-fault"), numbers = document.getElementById("outlook-numbers");
const heads = document.getElementById("outlook-heads"), rows = document.getElementById("outlook-rows");
const queue = document.getElementById("outlook-queue"), metric = document.getElementById("outlook-metric");
const { audience, campaign, gate } = form.elements;
const answer = () => document.getElementById("outlook-answer");
const chosen = new Set(); // until somebody chooses, queue and metric are those that break first
let timer = 0, asked = null, shown = null, drawn = "";

async function ask() {
  clearTimeout(timer);
  asked?.abort();
  if (document.hidden) return;
  const mine = asked = new AbortController();
  const query = new URLSearchParams({ gate: gate.value, audience: audience.value });
  for (const select of [campaign, queue, metric]) {
    if (chosen.has(select)) query.set(select.name || select.id.replace("outlook-", ""), select.value);
  }
  let seconds = USUALLY;
  try {
    const response = await fetch(`/partials/outlook?${query}`, { signal: mine.signal });
    if (response.ok) {
      const told = await response.json();
      seconds = told.refresh_seconds;
      await show(told);
    }
  } catch {
    // Offline, or asked anew meanwhile: what is shown grows old and says so.
  }
  if (mine === asked) timer = setTimeout(ask, seconds * 1000);
}

async function show(told) {
  shown = told;
  morph(answer(), translated(told.said));
  offer(campaign, told.campaigns, told.campaign);
  campaign.parentElement.hidden = told.campaigns.length < 2;
  fault.hidden = !told.fault;
  fault.textContent = told.fault;
  if (told.fault) audience.setAttribute("aria-invalid", "true"); else audience.removeAttribute("aria-invalid");
  caption.hidden = numbers.hidden = !told.table;
  if (told.table) {
    offer(queue, told.queues, told.queue);
    metric.value = told.metric;
    if (caption.textContent !== told.caption) caption.textContent = told.caption;
    list();
  }
  mark();
  const send = audience.value.trim() && !told.fault ? `${campaign.value} ${audience.value}` : "";
  if (send !== drawn) dispatchEvent(new CustomEvent("outlook:asked")); // the charts draw it, too
  drawn = send;
}

function offer(select, options, value) {
  const had = [...select.options].map((option) => option.value + option.text).join();
  if (had !== options.map((option) => option.value + option.text).join()) {
    select.replaceChildren(...options.map((option) => new Option(option.text, option.value)));
  }
  select.value = value;
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

// An outlook that nobody made anew in time must not look like one.
function mark() {
  const until = answer().dataset.goodUntil;
  const dead = answer().dataset.dead === "yes" || (until && now() > Date.parse(until));
  panel.dataset.dead = dead ? "yes" : "no";
}

function typed() {
  asked?.abort();
  clearTimeout(timer);
  timer = setTimeout(ask, AFTER_TYPING);
}

for (const select of [campaign, queue, metric]) {
  select.addEventListener("change", () => { chosen.add(select); ask(); });
}
audience.addEventListener("input", typed);
audience.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  ask();
});
numbers.addEventListener("toggle", list);
document.addEventListener("visibilitychange", ask);
new MutationObserver(ask).observe(document.documentElement, { attributeFilter: ["data-state"] });
setInterval(mark, 1000);
ask();
