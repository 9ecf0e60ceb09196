// A screen on the wall: nobody is there to press a key, so whatever happens it goes on by itself, and whatever is old or
// unknown looks so. Its token stands in its own address, and opens its socket as a sub-protocol, which nobody logs.

import { now, outlived, setClock, tick } from "./ages.js";
import { duration } from "./format.js";
import { connect } from "./live.js";
import { morph } from "./morph.js";
import { byLocale } from "./numbers.js";
import { announce } from "./status.js";
import { comeBack, reloadOnce } from "./wall-return.js";
import { driftSlowly, hidePointer, stayAwake } from "./wall-device.js";

const PATIENCE = 1500, BLANK_AFTER = 120000, LARGEST = 1.3, MOST_SAID = 1.6, LEAST = 0.5, STEP = 0.05, GO = ["send", "throttle"];
const WORDS = { connecting: "connecting", ok: "live", poll: "live, every 15 s", down: "no live data", out: "taken down" };
const root = document.documentElement, link = document.getElementById("wall-link");
const frame = document.getElementById("wall-frame"), favicon = document.getElementById("favicon");
const clocks = new Map();
const name = document.querySelector("h1").textContent;
let downSince = 0, downTimer = 0, fits = LARGEST, says = MOST_SAID;

const face = () => document.getElementById("wall");
const isDown = () => root.dataset.live === "down" || root.dataset.live === "out";

function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  byLocale(template.content);
  return template.content.firstElementChild;
}

function take(told) {
  setClock(told.at);
  const before = face().dataset.state;
  morph(face(), parsed(told.html));
  const isOther = face().dataset.state !== before;
  if (isOther) announce(`${face().dataset.word}: ${face().dataset.reason}`);
  everySecond();
  fit({ grow: isOther });
  reloadOnce(told.build);
}

// Whatever the words and however long: nothing is cut, and little room is left. All sizes hang on one number, the
// sentences on another besides. Both give way whenever they must, and grow only with another verdict or another window:
// a wall should not fidget.
function fit({ grow }) {
  if (grow) [fits, says] = [LARGEST, MOST_SAID];
  const most = says;
  says = 1;
  for (put(); overflows() && fits > LEAST; put()) fits -= STEP;
  for (says = most, put(); overflows() && says > 1; put()) says = Math.max(1, says - 2 * STEP);
}

function put() {
  root.style.setProperty("--fit", fits.toFixed(2));
  root.style.setProperty("--say", says.toFixed(2));
}

const refit = () => fit({ grow: true });

const overflows = () => [...document.querySelectorAll(".wall-why, .wall-call, .wall-number, .wall-verdict")]
  .some((box) => box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1)
  || frame.scrollHeight > frame.clientHeight + 1;

// A short break says nothing: a server that restarts is back before anybody could act on what they see.
function onState(state) {
  clearTimeout(downTimer);
  if (state === "down" && !isDown()) {
    downSince ||= performance.now();
    downTimer = setTimeout(() => settle(state), PATIENCE);
  } else {
    settle(state);
  }
}

function settle(state) {
  const was = isDown();
  root.dataset.live = state;
  link.textContent = WORDS[state];
  document.getElementById("wall-gone").hidden = state !== "out";
  frame.inert = state === "out";
  if (!isDown()) downSince = 0; else downSince ||= performance.now();
  if (isDown() && !was) announce(state === "out" ? "This screen was taken down." : "No live data.");
  everySecond();
}

function everySecond() {
  tick(document);
  for (const node of document.querySelectorAll("[data-clock]")) node.firstElementChild.textContent = clock(node.dataset.clock);
  const isOld = GO.includes(face().dataset.state) && outlived(face().dataset);
  const lasting = downSince ? performance.now() - downSince : 0;
  root.dataset.dead = isDown() || isOld ? "yes" : "no";
  root.dataset.blank = isDown() && lasting > BLANK_AFTER ? "yes" : "no";
  const lost = isDown() ? `No live data for ${duration(lasting / 1000)}: what was here is old.` : isOld ? "The data are too old to go by." : "";
  const line = document.getElementById("wall-lost");
  if (line.textContent !== lost) line.textContent = lost;
  mark(root.dataset.dead === "yes" ? "unknown" : face().dataset.state);
}

function clock(zone) {
  if (!clocks.has(zone)) clocks.set(zone, new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }));
  return clocks.get(zone).format(now());
}

function mark(state) {
  const title = `${state === "unknown" ? "UNKNOWN" : face().dataset.word} · ${name} – holdfire`;
  if (document.title !== title) document.title = title;
  const href = favicon.getAttribute("href").replace(/[a-z]+\.svg$/, `${state}.svg`);
  if (favicon.getAttribute("href") !== href) favicon.setAttribute("href", href);
  root.dataset.state = state;
}

async function asked() {
  const response = await fetch(`${location.pathname}/frame`, { cache: "no-store" });
  if (!response.ok) throw Object.assign(new Error(`HTTP ${response.status}`), { signedOut: response.status === 404 });
  return response.json();
}

function show() {
  const token = location.pathname.split("/").pop();
  setClock(face().dataset.now);
  root.dataset.live = "connecting";
  everySecond();
  refit();
  connect({
    path: "/api/v1/live", protocols: ["holdfire.v1", `bearer.${token}`], poll: asked, onFrame: take, onState,
  });
  setInterval(everySecond, 1000);
  addEventListener("resize", refit);
  document.fonts?.ready.then(refit);
}

hidePointer();
stayAwake();
driftSlowly();
if (face()) show(); else comeBack();
