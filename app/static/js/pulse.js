// The gate in the frame of every page. One socket per page, whatever the page: the word in the header, title, icon and
// the status region follow it, and when nothing comes any more all of them say so.

import { outlived, setClock, tick } from "./ages.js";
import { duration } from "./format.js";
import { connect } from "./live.js";
import { morph } from "./morph.js";
import { announce } from "./status.js";
import { translated } from "./translate.js";

const PATIENCE = 1500, GO = ["send", "throttle"];
const WORDS = { connecting: "connecting", ok: "live", poll: "live, every 15 s", down: "not live", out: "signed out" };
const root = document.documentElement, favicon = document.getElementById("favicon");
const lost = document.getElementById("not-live"), lostFor = document.getElementById("lost-for");
const connection = document.getElementById("connection-text");
let downSince = 0, downTimer = 0, wasDown = false;

export const pulse = () => document.getElementById("pulse");
const down = () => root.dataset.live === "down" || root.dataset.live === "out";

// view: "pulse", or "page" for the board besides; its frames go on to onFrame. Without a pulse there is nobody to ask for.
export function follow({ view, onFrame = () => {} }) {
  if (!pulse()) return;
  const query = new URLSearchParams({ view, gate: pulse().dataset.gate });
  setClock(pulse().dataset.now);
  root.dataset.live = "connecting";
  connection.textContent = WORDS.connecting;
  everySecond();
  const take = (frame) => {
    setClock(frame.at);
    beat(frame.pulse);
    onFrame(frame);
    everySecond();
  };
  connect({ path: `/api/v1/live?${query}`, poll: () => asked(query), onFrame: take, onState });
  setInterval(everySecond, 1000);
}

async function asked(query) {
  const response = await fetch(`/partials/live?${query}`);
  if (!response.ok) throw Object.assign(new Error(`HTTP ${response.status}`), { signedOut: response.status === 401 });
  return response.json();
}

function beat(html) {
  const before = pulse().dataset.state;
  morph(pulse(), translated(html));
  if (pulse().dataset.state !== before) announce(pulse().dataset.announcement);
}

// A short break says nothing: a server that restarts is back before anybody could act on what they see.
function onState(state) {
  clearTimeout(downTimer);
  if (state === "down" && !wasDown) {
    downSince ||= performance.now();
    downTimer = setTimeout(() => settle(state), PATIENCE);
  } else {
    settle(state);
  }
}

function settle(state) {
  root.dataset.live = state;
  connection.textContent = WORDS[state];
  if (down() && !wasDown) announce(state === "out" ? "Signed out. What you see is old." : "Live connection lost. What you see is old.");
  if (!down() && wasDown) announce(`Live again. ${pulse().dataset.announcement}`);
  wasDown = down();
  if (!down()) downSince = 0;
  if (state === "out" && !typing()) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  everySecond();
}

// A paused board stands still, its ages too; the header never does.
function everySecond() {
  tick(root.dataset.paused === "yes" ? document.querySelector(".top") : document);
  const old = GO.includes(pulse().dataset.state) && outlived(pulse().dataset);
  root.dataset.dead = old ? "yes" : "no";
  mark(down() || old, down() ? "not live" : "data are old");
  lost.hidden = !down();
  if (down()) lostFor.textContent = `for ${duration((performance.now() - downSince) / 1000)}.`;
}

// Title, icon and state of the page. dead: nothing on it may be relied on, for the reason given.
function mark(dead, why) {
  const { state, word, announcement } = pulse().dataset;
  const shown = dead ? "unknown" : state;
  const title = `${dead ? `UNKNOWN · ${why}` : word} · ${root.dataset.title}`;
  if (document.title !== title) document.title = title;
  const href = favicon.getAttribute("href").replace(/[a-z]+\.svg$/, `${shown}.svg`);
  if (favicon.getAttribute("href") !== href) favicon.setAttribute("href", href);
  if (root.dataset.state === shown) return;
  root.dataset.state = shown;
  const sentence = dead ? `UNKNOWN: ${why}` : announcement;
  document.dispatchEvent(new CustomEvent("verdict", { detail: { state: shown, sentence } }));
}

// Whether somebody has begun to fill in something that a page loaded anew would lose.
export function typing() {
  const changed = (field) => field.type === "checkbox" || field.type === "radio"
    ? field.checked !== field.defaultChecked
    : field instanceof HTMLSelectElement
      ? [...field.options].some((option) => option.selected !== option.defaultSelected) && field.value !== field.options[0]?.value
      : field.value !== field.defaultValue;
  return Boolean(document.activeElement?.matches("main :is(input, textarea)"))
    || [...document.querySelectorAll("main form[method='post'] :is(input:not([type=hidden]), select, textarea)")].some(changed);
}
