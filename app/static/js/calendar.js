// Moving a campaign in the grid: by pointer, or by keys on its handle. Both end in the form that the server makes, which
// says what the move would mean; nothing is saved before that. All reckoning here is of the wall clock, as text: what
// an hour that comes twice, or never, means is the server's to say.

const DRAG_FROM = 5, QUARTER = 15, DAY = 1440, WEEK = 7 * DAY;
const dialog = document.getElementById("move-dialog");
let held = null; // { slip, handle, home, start, at, pointer, from, dragging }

const grid = () => document.querySelector(".week, .month");
const isMonth = () => grid()?.classList.contains("month");

function later(wall, minutes) {
  const at = new Date(`${wall}:00Z`);
  at.setUTCMinutes(at.getUTCMinutes() + minutes);
  return at.toISOString().slice(0, 16);
}

const said = (wall) => new Date(`${wall}:00Z`).toLocaleString("en-GB", {
  timeZone: "UTC", weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
}).replace(",", "");

function slotOf(wall) {
  const found = isMonth() ? `[data-day="${wall.slice(0, 10)}"]` : `[data-at="${wall.slice(0, 13)}"]`;
  return grid()?.querySelector(found) ?? null;
}

function tell(text) {
  const line = document.getElementById("moving");
  if (!line) return;
  line.textContent = text;
  line.hidden = !text;
}

// Show the slip where it would go. Where that is out of sight only the line says so.
function place(wall) {
  held.at = wall;
  const slot = slotOf(wall);
  held.slip.classList.toggle("out-of-sight", !slot);
  for (const other of document.querySelectorAll(".slot.target")) other.classList.remove("target");
  slot?.classList.add("target");
  if (!held.dragging && slot && held.slip.parentElement !== slot) {
    slot.append(held.slip);
    held.handle.focus();
  }
  held.slip.querySelector(".slip-time time").textContent = wall.slice(11);
  tell(`${held.slip.dataset.title}: ${said(wall)}${slot ? "" : ", out of sight"}. ${held.dragging ? "" : "Enter saves, Escape gives up."}`);
}

function take(slip, handle) {
  held = {
    slip, handle, home: slip.parentElement, next: slip.nextSibling, start: slip.dataset.start, at: slip.dataset.start,
    clock: slip.querySelector(".slip-time time").textContent, dragging: false,
  };
  slip.classList.add("moving");
}

function giveUp() {
  if (!held) return;
  const { slip, home, next, clock, handle } = held;
  slip.classList.remove("moving", "out-of-sight");
  slip.style.translate = "";
  slip.querySelector(".slip-time time").textContent = clock;
  if (slip.parentElement !== home) home.insertBefore(slip, next?.parentElement === home ? next : null);
  for (const slot of document.querySelectorAll(".slot.target")) slot.classList.remove("target");
  held = null;
  tell("");
  handle.focus();
}

async function ask() {
  const address = new URL(held.handle.href);
  address.searchParams.set("start", held.at);
  const slot = slotOf(held.at);
  if (slot?.dataset.which) address.searchParams.set("start_which", slot.dataset.which);
  held.slip.classList.add("asking");
  await window.htmx.ajax("GET", address.pathname + address.search, { target: "#move-sheet", select: "#move-sheet", swap: "outerHTML" });
  held?.slip.classList.remove("asking");
  if (!held || dialog.open) return;
  dialog.showModal();
  (document.querySelector("#move-sheet #reason") ?? document.querySelector("#move-sheet #start"))?.focus();
}

// --- keys ---

const STEPS = () => ({
  ArrowLeft: -DAY, ArrowRight: DAY, ArrowUp: isMonth() ? -WEEK : -QUARTER, ArrowDown: isMonth() ? WEEK : QUARTER,
});

document.addEventListener("keydown", (event) => {
  const handle = event.target.closest?.(".mover");
  if (!handle || dialog.open) return;
  const step = STEPS()[event.key];
  if (step && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    if (!held) take(handle.closest(".slip"), handle);
    place(later(held.at, step));
  } else if (held && event.key === "Escape") {
    event.preventDefault();
    giveUp();
  } else if (held && event.key === "Enter") {
    event.preventDefault();
    if (held.at === held.start) giveUp();
    else ask();
  }
});

document.addEventListener("focusout", ({ target, relatedTarget }) => {
  if (held && !held.dragging && target === held.handle && relatedTarget && !dialog.contains(relatedTarget)) giveUp();
});

// --- pointer ---

function wallAt(x, y) {
  const below = document.elementsFromPoint(x, y).filter((each) => !held.slip.contains(each));
  const slot = below.map((each) => each.closest(".slot")).find(Boolean);
  if (!slot) return null;
  if (slot.dataset.day) return slot.dataset.day + held.start.slice(10);
  const { top, height } = slot.getBoundingClientRect();
  const quarter = Math.min(3, Math.max(0, Math.floor(4 * (y - top) / height)));
  return `${slot.dataset.at}:${String(quarter * QUARTER).padStart(2, "0")}`;
}

document.addEventListener("pointerdown", (event) => {
  const slip = event.target.closest?.(".slip");
  const handle = slip?.querySelector(".mover");
  const onHandle = event.target.closest?.(".mover");
  if (!handle || event.button || dialog.open || (event.pointerType !== "mouse" && !onHandle)) return;
  if (held) giveUp();
  slip.dataset.pressed = `${event.pointerId} ${event.clientX} ${event.clientY}`;
});

document.addEventListener("pointermove", (event) => {
  const slip = document.querySelector(".slip[data-pressed]");
  if (!slip) return;
  const [pointer, x, y] = slip.dataset.pressed.split(" ").map(Number);
  if (pointer !== event.pointerId) return;
  if (!held) {
    if (Math.hypot(event.clientX - x, event.clientY - y) < DRAG_FROM) return;
    take(slip, slip.querySelector(".mover"));
    held.dragging = true;
    slip.setPointerCapture(pointer);
  }
  slip.style.translate = `${event.clientX - x}px ${event.clientY - y}px`;
  const wall = wallAt(event.clientX, event.clientY);
  if (wall && wall !== held.at) place(wall);
});

document.addEventListener("pointerup", () => {
  const slip = document.querySelector(".slip[data-pressed]");
  if (!slip) return;
  delete slip.dataset.pressed;
  if (!held?.dragging) return;
  swallowClick();
  held.dragging = false;
  if (held.at === held.start) giveUp();
  else ask();
});

// The click that ends a drag must not follow one of the slip's links.
function swallowClick() {
  const swallow = (event) => { event.preventDefault(); event.stopPropagation(); };
  addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", swallow, { capture: true }), 0);
}

document.addEventListener("pointercancel", () => {
  const slip = document.querySelector(".slip[data-pressed]");
  if (slip) delete slip.dataset.pressed;
  if (held?.dragging) giveUp();
});

document.addEventListener("dragstart", (event) => { if (event.target.closest?.(".slip")) event.preventDefault(); });

// --- the form ---

dialog.addEventListener("close", giveUp);
dialog.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-give-up]");
  if (!link) return;
  event.preventDefault();
  dialog.close();
});

// The hours' work that arrives late must not take a slip out of somebody's hands.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (held && event.detail.target?.id === "calendar") event.detail.shouldSwap = false;
});
