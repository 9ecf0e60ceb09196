// The board's page: frames come in, the page follows, and when none come it says so.

import { outlived, setClock, tick } from "./ages.js";
import { announce, board, mark, show } from "./board.js";
import { follow, redraw } from "./chart.js";
import { duration } from "./format.js";
import { connect } from "./live.js";

const ACTIVITY_EVERY = 5000, RELOAD_SPREAD = 10000, PATIENCE = 1500;
const WORDS = { connecting: "connecting", ok: "live", poll: "live, every 15 s", down: "not live", out: "signed out" };
const root = document.documentElement, lost = document.getElementById("lost"), lostFor = document.getElementById("lost-for");
const connection = document.getElementById("connection-text");
let build = root.dataset.build, activityAt = 0, downSince = 0, downTimer = 0, wasDown = false;

function onFrame(frame) {
  reloadWhenNew(frame.build);
  setClock(frame.at);
  show(frame.html);
  const empty = board().dataset.empty === "yes";
  document.getElementById("first-run").hidden = !empty;
  document.getElementById("chart-panel").hidden = empty;
  follow([...document.querySelectorAll(".tile")].map(({ dataset }) => ({ queue: dataset.queue, title: dataset.queueTitle })));
  everySecond();
  redraw();
  if (performance.now() - activityAt > ACTIVITY_EVERY && !document.hidden) {
    activityAt = performance.now();
    document.body.dispatchEvent(new CustomEvent("board:activity"));
  }
}

// A server of another build speaks another language: load the page anew, not all pages at once, never while typing.
function reloadWhenNew(theirs) {
  if (!build || !theirs || theirs === build) { build ||= theirs; return; }
  build = theirs;
  setTimeout(() => {
    if (!document.activeElement?.matches("input, textarea")) location.reload();
  }, Math.random() * RELOAD_SPREAD);
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
  const down = state === "down" || state === "out";
  if (down && !wasDown) announce(state === "out" ? "Signed out. What you see is old." : "Live connection lost. What you see is old.");
  if (!down && wasDown) announce(`Live again. ${board().dataset.announcement}`);
  wasDown = down;
  if (!down) downSince = 0;
  if (state === "out") location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  everySecond();
}

function everySecond() {
  tick(document);
  const down = root.dataset.live === "down" || root.dataset.live === "out";
  const old = ["send", "throttle"].includes(board().dataset.state) && outlived(document);
  if (old !== (root.dataset.dead === "yes")) root.dataset.dead = old ? "yes" : "no";
  mark(down || old, down ? "not live" : "data are old");
  lost.hidden = !down;
  if (down) lostFor.textContent = `for ${duration((performance.now() - downSince) / 1000)}.`;
}

async function poll() {
  const gate = board().dataset.gate;
  const response = await fetch(`/partials/board?gate=${encodeURIComponent(gate)}`);
  if (!response.ok) throw Object.assign(new Error(`HTTP ${response.status}`), { signedOut: response.status === 401 });
  const html = await response.text();
  const at = /data-now="([^"]+)"/.exec(html)?.[1];
  return { type: "snapshot", at, html };
}

setClock(board().dataset.now);
root.dataset.live = "connecting";
connection.textContent = WORDS.connecting;
everySecond();
connect({ path: `/api/v1/live?view=page&gate=${encodeURIComponent(board().dataset.gate)}`, poll, onFrame, onState });
setInterval(everySecond, 1000);
document.addEventListener("DOMContentLoaded", () => redraw({ now: true }));
document.addEventListener("keydown", (event) => { if (event.key === "Escape") root.dataset.cards = "off"; });
for (const type of ["focusin", "pointerover"]) {
  document.addEventListener(type, (event) => { if (!event.target.closest?.(".hint")) delete root.dataset.cards; });
}

