// Tells of a changed verdict outside the page: a notification of the browser, a tone. Both are chosen per device, both
// wait a moment, so that a verdict that comes and goes at once tells nobody, and of several open pages one tells.

import { play, prepare, ready } from "./tones.js";

const KEY = "holdfire-notify", TOLD = "holdfire-told", DEBOUNCE = 3000, ONE_TELLS = 10000, LOOK_EVERY = 5000;
const at = (name) => document.getElementById(`notify-${name}`);
let choices = { show: false, sound: false, mutedUntil: 0 }, told = "", timer = 0;

function read() {
  try { choices = { ...choices, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") }; } catch { /* private mode, or not ours */ }
}

function write() {
  try { localStorage.setItem(KEY, JSON.stringify(choices)); } catch { /* private mode: as long as the page */ }
  draw();
}

const isMuted = () => Date.now() < choices.mutedUntil;
const isBlocked = () => choices.sound && !ready();
const mayShow = () => "Notification" in window && Notification.permission === "granted";

function draw() {
  at("show").checked = choices.show && mayShow();
  at("sound").checked = choices.sound;
  at("refused").hidden = !("Notification" in window) || Notification.permission !== "denied";
  at("blocked").hidden = !isBlocked();
  at("muted").hidden = !isMuted();
  at("unmute").hidden = !isMuted();
  if (isMuted()) at("muted").textContent = `Muted until ${new Date(choices.mutedUntil).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}, by this device's clock.`;
  const on = choices.show || choices.sound;
  const words = !on ? "off" : isMuted() ? "muted" : isBlocked() ? "sound is blocked" : "on";
  at("button").dataset.notify = words;
  at("button").setAttribute("aria-label", `Notifications: ${words}`);
  at("button").title = `Notifications: ${words}`;
  at("word").textContent = words === "sound is blocked" ? words : "";
}

// Whether no other page of this browser has told the same a moment ago.
function isFirst(news) {
  try {
    const last = JSON.parse(localStorage.getItem(TOLD) ?? "{}");
    if (last.news === news && Date.now() - last.at < ONE_TELLS) return false;
    localStorage.setItem(TOLD, JSON.stringify({ news, at: Date.now() }));
  } catch { /* private mode: every page tells */ }
  return true;
}

function tell({ state, sentence }) {
  const gate = document.getElementById("pulse").dataset.gate;
  if (state === told) return;
  told = state;
  if (isMuted() || !(choices.show || choices.sound) || !isFirst(`${gate} ${state}`)) return;
  if (choices.sound) play(state);
  if (choices.show && mayShow()) new Notification(`${gate}: ${sentence}`, { tag: `holdfire-${gate}`, icon: document.getElementById("favicon").href });
  if (state === "hold") document.getElementById("alarm").textContent = sentence;
}

function wire() {
  at("button").addEventListener("click", () => { draw(); at("dialog").showModal(); });
  at("show").addEventListener("change", async ({ target }) => {
    if (target.checked && "Notification" in window && Notification.permission === "default") await Notification.requestPermission();
    choices.show = target.checked && mayShow();
    write();
  });
  at("sound").addEventListener("change", async ({ target }) => {
    choices.sound = target.checked;
    if (choices.sound) await prepare();
    write();
  });
  at("test").addEventListener("click", async () => {
    await prepare();
    play(at("test-state").value);
    draw();
  });
  at("mute").addEventListener("click", () => { choices.mutedUntil = Date.now() + Number(at("mute-for").value) * 60000; write(); });
  at("unmute").addEventListener("click", () => { choices.mutedUntil = 0; write(); });
}

export function notifyChanges() {
  if (!at("button") || !document.getElementById("pulse")) return;
  read();
  wire();
  told = document.documentElement.dataset.state;
  if (choices.sound && navigator.userActivation?.hasBeenActive) prepare().then(draw, () => {});
  for (const gesture of ["click", "keydown"]) {
    document.addEventListener(gesture, () => { if (isBlocked()) prepare().then(draw, () => {}); });
  }
  addEventListener("storage", ({ key }) => { if (key === KEY) { read(); draw(); } });
  document.addEventListener("verdict", ({ detail }) => {
    clearTimeout(timer);
    timer = setTimeout(tell, DEBOUNCE, detail);
  });
  setInterval(draw, LOOK_EVERY);
  draw();
}
