// Keys: `?` for help, `g` and a letter to go somewhere, `/` to filter, `p` to pause, `k` for the whole screen. They can
// be turned off (WCAG 2.1.4), and none of them does anything while somebody types.

const KEY = "holdfire-keys", GO_WITHIN = 1500;
const root = document.documentElement;
let goUntil = 0;

const stored = () => { try { return localStorage.getItem(KEY); } catch { return null; } };

function help() {
  const dialog = document.getElementById("help");
  if (!dialog.open) dialog.showModal();
}

function kiosk() {
  if (!document.getElementById("live")) { location.assign("/?kiosk=yes"); return; }
  const on = root.dataset.kiosk !== "yes";
  setKiosk(on);
  if (on) document.documentElement.requestFullscreen?.().catch(() => {}); // refused without a gesture: the page alone does
  else if (document.fullscreenElement) document.exitFullscreen();
}

function setKiosk(on) {
  root.dataset.kiosk = on ? "yes" : "no";
  const url = new URL(location.href);
  if (on) url.searchParams.set("kiosk", "yes"); else url.searchParams.delete("kiosk");
  history.replaceState(history.state, "", url);
}

function filter(event) {
  const field = document.querySelector("[data-filter], .filters :is(input:not([type=hidden]), select), #chart-form select");
  if (!field) return;
  event.preventDefault();
  field.focus();
}

const ACTIONS = {
  "?": help,
  "/": filter,
  k: kiosk,
  p: () => document.getElementById("pause")?.click(),
  g: () => { goUntil = performance.now() + GO_WITHIN; },
};

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || root.dataset.keys === "off") return;
  if (event.target.closest?.("input, textarea, select, dialog, [contenteditable], [role=grid], [role=slider]")) return;
  if (performance.now() < goUntil) {
    goUntil = 0;
    document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  ACTIONS[event.key]?.(event);
}

export function listen() {
  const toggle = document.getElementById("single-keys");
  root.dataset.keys = stored() === "off" ? "off" : "on";
  toggle.checked = root.dataset.keys === "on";
  toggle.addEventListener("change", () => {
    root.dataset.keys = toggle.checked ? "on" : "off";
    try { localStorage.setItem(KEY, root.dataset.keys); } catch { /* private mode: as long as the page */ }
  });
  document.getElementById("help-button").addEventListener("click", help);
  document.addEventListener("keydown", pressed);
  document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement) setKiosk(false); });
  if (document.getElementById("live") && new URLSearchParams(location.search).get("kiosk") === "yes") setKiosk(true);
}
