// The board's page: frames come in, and the page follows.

import { board, show } from "./board.js";
import { showCards } from "./card.js";
import { follow as followQueues, redraw } from "./chart.js";
import { followMore } from "./more.js";
import { isPaused, pausable } from "./pause.js";
import { follow, typing } from "./pulse.js";

const LOG_AT_MOST_EVERY = 5000, LOG_SPREAD = 3000, RELOAD_SPREAD = 10000;
const root = document.documentElement;
let build = root.dataset.build, log = board().dataset.log, logAt = 0, logTimer = 0;

const take = pausable((frame) => {
  show(frame.html);
  const empty = board().dataset.empty === "yes", panel = document.getElementById("chart-panel");
  document.getElementById("first-run").hidden = !empty;
  const isFirst = panel.hidden && !empty;
  panel.hidden = empty;
  followQueues([...document.querySelectorAll(".tile")].map(({ dataset }) => ({ queue: dataset.queue, title: dataset.queueTitle })));
  if (isFirst) redraw({ now: true });
  followMore();
  if (board().dataset.log !== log) readLog();
});

// The frame says that there is something new in the log; who looks fetches it, not all at the same instant.
function readLog() {
  if (document.hidden || logTimer) return;
  const pause = Math.max(0, logAt + LOG_AT_MOST_EVERY - performance.now());
  logTimer = setTimeout(() => {
    logTimer = 0;
    logAt = performance.now();
    log = board().dataset.log;
    document.body.dispatchEvent(new CustomEvent("board:log"));
  }, pause + Math.random() * LOG_SPREAD);
}

function onFrame(frame) {
  reloadWhenNew(frame.build);
  take(frame);
}

// A server of another build speaks another language: load the page anew, not all pages at once, never while typing.
function reloadWhenNew(theirs) {
  if (!build || !theirs || theirs === build) { build ||= theirs; return; }
  build = theirs;
  setTimeout(() => { if (!typing() && !isPaused()) location.reload(); }, Math.random() * RELOAD_SPREAD);
}

follow({ view: "page", onFrame });
showCards();
document.addEventListener("DOMContentLoaded", () => redraw({ now: true }));
document.addEventListener("visibilitychange", () => { if (board().dataset.log !== log) readLog(); });
