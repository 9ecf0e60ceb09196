// Puts the board's frames on the page.

import { morph } from "./morph.js";
import { translated } from "./translate.js";

const live = document.getElementById("live");

export const board = () => live.firstElementChild;

export function show(html) {
  const before = board().dataset.state;
  morph(board(), translated(html));
  if (before === board().dataset.state) return;
  const verdict = document.getElementById("verdict");
  verdict.classList.remove("fresh");
  requestAnimationFrame(() => verdict.classList.add("fresh"));
}
