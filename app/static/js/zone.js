// Times in the zone that the reader chose: the center's, as the server writes them, the reader's own, or UTC. The choice
// is kept for this device and stands in the URL, which wins: a link that somebody shares shows what they saw.

const KEY = "holdfire-zone", CENTER = "", UTC = "UTC";
const root = document.documentElement, formats = new Map();
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const center = () => root.dataset.zone || UTC;

const stored = () => { try { return localStorage.getItem(KEY); } catch { return null; } };

// The choice that a word stands for: center, viewer, utc, or a zone's name. Null for one that there is not.
function read(word) {
  const known = { center: CENTER, viewer: own, utc: UTC }[word?.toLowerCase()];
  if (known !== undefined || !word) return known ?? null;
  try { return new Intl.DateTimeFormat("en-US", { timeZone: word }).resolvedOptions().timeZone; } catch { return null; }
}

const asked = read(new URLSearchParams(location.search).get("zone"));
let choice = asked ?? read(stored()) ?? CENTER;

// What charts, which the server draws, are asked for: a zone's name, empty for the center's.
export const zoneQuery = () => choice;
export const zone = () => choice || center();

function parts(at, name) {
  const kept = formats.get(name) ?? new Intl.DateTimeFormat("en-US", {
    timeZone: name, hourCycle: "h23", weekday: "short", day: "numeric", month: "short", year: "numeric",
    hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
  });
  formats.set(name, kept);
  return Object.fromEntries(kept.formatToParts(at).map(({ type, value }) => [type, value]));
}

const iso = (p) => `${p.year}-${String("JanFebMarAprMayJunJulAugSepOctNovDec".indexOf(p.month) / 3 + 1).padStart(2, "0")}-${p.day.padStart(2, "0")}`;

// Whether the clock shows this time twice, because it is set back by an hour, or by half of one.
function isDouble(at, name) {
  const shown = (other) => { const p = parts(other, name); return `${iso(p)} ${p.hour}:${p.minute}`; };
  return [1800, 3600].some((seconds) => [-1, 1].some((sign) => shown(at) === shown(new Date(at.getTime() + sign * seconds * 1000))));
}

// An instant as app/web/format.py writes it. today: by which a time of another day says its date.
export function written(at, form, name, today) {
  const p = parts(at, name);
  const day = `${p.weekday} ${p.day} ${p.month}`, minute = `${p.hour}:${p.minute}`;
  const zoned = isDouble(at, name) ? `\u00a0${p.timeZoneName}` : "";
  switch (form) {
    case "day": return day;
    case "date": return iso(p);
    case "minute": return minute + zoned;
    case "full": return `${day} ${p.year} ${minute}:${p.second}${zoned}`;
    case "clock": if (iso(p) === iso(parts(today, name))) return `${minute}:${p.second}${zoned}`;
    // falls through
    default: return `${day} ${minute}${zoned}`;
  }
}

export const named = (at, name) => {
  const { timeZoneName } = parts(at, name);
  return timeZoneName === name ? name : `${timeZoneName}, ${name}`;
};

function put(node, text) {
  node.dataset.center ??= node.textContent;
  if (node.textContent !== text) node.textContent = text;
}

// Writes all times below a node anew; does nothing while the center's zone is shown.
export function inZone(below) {
  if (choice === CENTER) return;
  const today = new Date(document.getElementById("pulse")?.dataset.now ?? Date.now());
  for (const node of below.querySelectorAll("time[datetime]:not([data-form=fixed])")) {
    const at = new Date(node.dateTime);
    if (!Number.isNaN(at.getTime())) put(node, written(at, node.dataset.form, zone(), today));
  }
  for (const node of below.querySelectorAll("[data-zone-at]")) put(node, named(new Date(node.dataset.zoneAt || today), zone()));
}

// The server's own texts again; where the URL asked it for another zone, they were never the center's.
function back() {
  for (const node of document.querySelectorAll("[data-center]")) {
    if (!asked) node.textContent = node.dataset.center;
    delete node.dataset.center;
  }
}

function withChoice() {
  const url = new URL(location.href);
  if (choice) url.searchParams.set("zone", choice); else url.searchParams.delete("zone");
  return url;
}

const added = new MutationObserver((records) => {
  for (const { target } of records) if (target.isConnected) inZone(target);
});

function apply() {
  added.disconnect();
  back();
  inZone(document);
  if (choice) added.observe(document.body, { childList: true, subtree: true });
  if (withChoice().href !== location.href) history.replaceState(history.state, "", withChoice());
}

function offered() {
  const named = [[CENTER, center()], [own, `${own} (yours)`], [UTC, UTC], [choice, choice]];
  return named.filter(([value], place) => named.findIndex((other) => other[0] === value) === place);
}

// isBusy(): whether a page loaded anew would lose something; then its times are written anew where they are.
export function offerZones(isBusy) {
  const select = document.getElementById("zone");
  if (!select) return;
  if (choice && asked === null && document.querySelector("[data-zoned]")) { location.replace(withChoice()); return; }
  select.replaceChildren(...offered().map(([value, text]) => new Option(text, value, false, value === choice)));
  select.addEventListener("change", () => {
    choice = select.value;
    try { localStorage.setItem(KEY, choice === own ? "viewer" : choice || "center"); } catch { /* private mode: the URL has it */ }
    if (!isBusy()) { location.assign(withChoice()); return; }
    apply();
    dispatchEvent(new CustomEvent("zone"));
  });
  apply();
}
