// The board's page: frames come in, and the page follows.

import { board, show } from "./board.js";
import { follow as followQueues, redraw } from "./chart.js";
import { isPaused, pausable } from "./pause.js";
import { follow, typing } from "./pulse.js";

const ACTIVITY_EVERY = 5000, RELOAD_SPREAD = 10000;
const root = document.documentElement;
let build = root.dataset.build, activityAt = 0;

const take = pausable((frame) => {
  show(frame.html);
  const empty = board().dataset.empty === "yes";
  document.getElementById("first-run").hidden = !empty;
  document.getElementById("chart-panel").hidden = empty;
  followQueues([...document.querySelectorAll(".tile")].map(({ dataset }) => ({ queue: dataset.queue, title: dataset.queueTitle })));
  redraw();
  if (performance.now() - activityAt > ACTIVITY_EVERY && !document.hidden) {
    activityAt = performance.now();
    document.body.dispatchEvent(new CustomEvent("board:activity"));
  }
});

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
document.addEventListener("DOMContentLoaded", () => redraw({ now: true }));
document.addEventListener("keydown", (event) => { if (event.key === "Escape") root.dataset.cards = "off"; });
for (const type of ["focusin", "pointerover"]) {
  document.addEventListener(type, (event) => { if (!event.target.closest?.(".hint")) delete root.dataset.cards; });
}
