// The overrides page: how long each one still lasts, counted by the server's clock, and an end picked by how long it takes.

import { now } from "./ages.js";
import { duration } from "./format.js";

const room = document.querySelector(".overrides"), quick = document.querySelector(".quick");
const MINUTE = 60000;

// What is over, or has begun, stands in the wrong list: the page is fetched anew, unless somebody is typing.
let isOver = false;

function everySecond() {
  for (const node of room.querySelectorAll("[data-counts]")) {
    const left = Date.parse(node.dataset.counts) - now();
    const text = duration(Math.max(0, left / 1000));
    if (node.textContent !== text) node.textContent = text;
    isOver ||= left <= 0;
  }
  if (isOver && !document.activeElement?.matches("main :is(input, select, textarea)")) location.reload();
}

if (room.querySelector("[data-counts]")) setInterval(everySecond, 1000);

// The fields are on the center's wall clock, which only the server knows: the end is as long as is asked after the
// beginning that is typed, or else after the time that the page opened at and what has passed since.
if (quick) {
  const { starts, ends } = document.getElementById("new").elements;
  const after = (text, minutes) => new Date(Date.parse(`${text}Z`) + minutes * MINUTE).toISOString().slice(0, 16);
  quick.hidden = false;
  quick.addEventListener("click", ({ target }) => {
    const minutes = Number(target.dataset.minutes);
    if (!minutes) return;
    const passed = (now() - Date.parse(room.dataset.now)) / MINUTE;
    ends.value = starts.value ? after(starts.value, minutes) : after(quick.dataset.from, passed + minutes);
    ends.focus();
  });
}
