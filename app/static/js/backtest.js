// Walks the policy anew while its limits are moved: one question at a time, the last wish wins.

import { duration } from "./format.js";
import { announce } from "./status.js";
import { translated } from "./translate.js";

const SETTLED = 250, PATIENCE = 5000;
const form = document.getElementById("dials"), outcome = document.getElementById("outcome"), use = document.getElementById("use");
let timer = 0, asking = false, wanted = false;

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const text = { seconds: duration, ratio: (value) => `${number.format(value * 100)}\u202f%` };

function say(input) {
  const unit = input.closest("fieldset").dataset.unit;
  input.nextElementSibling.value = (text[unit] ?? number.format)(input.valueAsNumber);
}

// A resume limit stays on the good side of its hold limit: whichever is moved takes the other one along.
function follow(input) {
  const rule = input.closest("fieldset"), [hold, resume] = rule.querySelectorAll("input");
  const wrong = rule.dataset.worse === "higher" ? resume.valueAsNumber > hold.valueAsNumber : resume.valueAsNumber < hold.valueAsNumber;
  const other = input === hold ? resume : hold;
  if (wrong) other.value = input.value;
  say(input);
  say(other);
}

function soon(after = SETTLED) {
  clearTimeout(timer);
  timer = setTimeout(walk, after);
}

async function walk() {
  wanted = true;
  if (asking) return;
  asking = true;
  outcome.setAttribute("aria-busy", "true");
  while (wanted) {
    wanted = false;
    await ask();
  }
  asking = false;
  outcome.setAttribute("aria-busy", "false");
}

async function ask() {
  const query = new URLSearchParams(new FormData(form));
  history.replaceState(null, "", `?${query}`);
  query.set("gate", form.dataset.gate);
  use.href = `/thresholds?${query}`;
  try {
    const response = await fetch(`/partials/backtest?${query}`);
    if (response.status === 401) return location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    if (response.headers.has("Retry-After")) soon(PATIENCE);
    if (!response.headers.get("content-type")?.startsWith("text/html")) throw new Error(`HTTP ${response.status}`);
    outcome.replaceChildren(translated(await response.text()));
    announce(document.getElementById("found")?.textContent ?? "");
  } catch {
    announce("holdfire does not answer; what you see is of the limits before.");
    soon(PATIENCE);
  }
}

form.addEventListener("input", ({ target }) => {
  if (target.type === "range") follow(target);
  soon();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  soon(0);
});
if (!outcome.firstElementChild) soon(0);
