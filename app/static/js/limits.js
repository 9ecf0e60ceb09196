// Two limits as lines over a curve: dragged with a pointer, moved with keys, and always the same as the numbers typed.

import { duration } from "./format.js";

const KEYS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const TEXT = { s: duration, "%": (value) => `${number.format(value)}\u202f%` };

export const spoken = (value, unit) => (TEXT[unit] ?? number.format)(value);

// area: what the lines lie in. moved(input): a line was moved, by hand; settled(): the hand has let go.
export function lines({ area, moved, settled }) {
  const band = area.querySelector(".band"), ends = { hold: area.querySelector(".line-hold"), resume: area.querySelector(".line-resume") };
  let scale = null, inputs = null, dragged = null;

  const value = (end) => Number(inputs[end].value || inputs.hold.value);
  const part = (end) => Math.min(1, Math.max(0, 1 - value(end) / scale.most));

  function show() {
    area.hidden = !scale || inputs.hold.value === "";
    if (area.hidden) return;
    for (const [end, line] of Object.entries(ends)) {
      const words = `${end === "hold" ? scale.holdWord : scale.resumeWord} ${spoken(value(end), scale.unit)}`;
      line.style.top = `${part(end) * 100}%`;
      line.querySelector(".tag").textContent = words;
      if (!line.hasAttribute("role")) continue;
      line.setAttribute("aria-label", `${scale.title}: ${end} limit`);
      line.setAttribute("aria-valuemax", scale.most);
      line.setAttribute("aria-valuenow", value(end));
      line.setAttribute("aria-valuetext", words);
    }
    const [top, bottom] = [part("hold"), part("resume")].sort((a, b) => a - b);
    band.style.top = `${top * 100}%`;
    band.style.height = `${(bottom - top) * 100}%`;
  }

  // A resume limit stays on the good side of its hold limit: whichever is moved by hand takes the other one along.
  function put(end, wanted) {
    const steps = Math.round(Math.min(scale.most, Math.max(0, wanted)) / scale.step) * scale.step;
    inputs[end].value = Number(steps.toFixed(6));
    const wrong = scale.worse === "higher" ? value("resume") > value("hold") : value("resume") < value("hold");
    const other = end === "hold" ? "resume" : "hold";
    if (wrong) inputs[other].value = inputs[end].value;
    show();
    moved(inputs[end]);
  }

  for (const [end, line] of Object.entries(ends)) {
    if (!line.hasAttribute("role")) continue;
    line.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      line.focus();
      line.setPointerCapture(event.pointerId);
      dragged = end;
      line.classList.add("dragged");
    });
    line.addEventListener("pointermove", (event) => {
      if (dragged !== end) return;
      const box = area.getBoundingClientRect();
      put(end, (1 - (event.clientY - box.top) / box.height) * scale.most);
    });
    const drop = () => {
      if (dragged !== end) return;
      dragged = null;
      line.classList.remove("dragged");
      settled();
    };
    line.addEventListener("pointerup", drop);
    line.addEventListener("pointercancel", drop);
    line.addEventListener("keydown", (event) => {
      const far = event.key === "Home" ? 0 : event.key === "End" ? scale.most : value(end) + KEYS[event.key] * scale.step;
      if (Number.isNaN(far)) return;
      event.preventDefault();
      put(end, far);
      settled();
    });
  }

  return {
    // inputs: {hold, resume}. next: {most, step, unit, worse, title, holdWord, resumeWord}, in the unit that is typed.
    over(next, those) { scale = next; inputs = those; show(); },
    show: () => { if (scale) show(); },
    hide() { scale = null; area.hidden = true; },
    get held() { return dragged !== null; },
    get crowded() { return Boolean(scale) && Math.max(value("hold"), value("resume")) > scale.most * 0.97; },
  };
}
