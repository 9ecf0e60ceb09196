// Stops the board where it is, for who reads it (WCAG 2.2.2). The header goes on, and one line says what is missed: how
// much newer there is, and the verdict as soon as it is another one than that on the paused board.

import { pulse } from "./pulse.js";

const root = document.documentElement;
const button = document.getElementById("pause"), line = document.getElementById("paused");
const newer = document.getElementById("paused-newer"), differs = document.getElementById("paused-differs");
let held = null, missed = 0, since = "";

export const isPaused = () => root.dataset.paused === "yes";

// Returns a function that takes frames and hands them to show, the newest one only once the pause is over.
export function pausable(show) {
  const set = (paused) => {
    root.dataset.paused = paused ? "yes" : "no";
    button.setAttribute("aria-pressed", String(paused));
    line.hidden = !paused;
    missed = 0;
    since = pulse().dataset.state;
    say();
    if (paused) return;
    if (held) show(held);
    held = null;
    dispatchEvent(new CustomEvent("unpaused"));
  };
  button.addEventListener("click", () => set(!isPaused()));
  document.getElementById("go-on").addEventListener("click", () => { set(false); button.focus(); });
  document.addEventListener("verdict", say);
  return (frame) => {
    if (!isPaused()) return show(frame);
    held = frame;
    missed += 1;
    say();
  };
}

function say() {
  newer.textContent = `${missed} newer.`;
  const now = root.dataset.state;
  differs.textContent = isPaused() && now !== since ? `The gate says ${now.toUpperCase()} by now.` : "";
  root.dataset.pausedDiffers = isPaused() && now !== since ? "yes" : "no";
}
