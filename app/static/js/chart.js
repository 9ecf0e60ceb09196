// The one big chart: made once, changed in place, at most every five seconds, and not while nobody looks.
/* global Plotly */

const AT_MOST_EVERY = 5000;
const form = document.getElementById("chart-form"), plot = document.getElementById("chart");
const caption = document.getElementById("chart-caption"), json = document.getElementById("chart-json");
const root = document.documentElement;
let drawnAt = -AT_MOST_EVERY, timer = 0, asked = null;

export const theme = () => root.dataset.theme ?? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");

const chosen = () => new URLSearchParams(new FormData(form));

// Draws soon; several wishes within five seconds become one.
export function redraw({ now = false } = {}) {
  if (document.hidden || root.dataset.paused === "yes" || form.closest("[hidden]") || !form.elements.queue.value) return;
  if (timer && !now) return;
  clearTimeout(timer);
  timer = setTimeout(draw, now ? 0 : Math.max(0, drawnAt + AT_MOST_EVERY - performance.now()));
}

async function draw() {
  timer = 0;
  drawnAt = performance.now();
  asked?.abort();
  asked = new AbortController();
  const query = chosen();
  query.set("theme", theme());
  try {
    const response = await fetch(`/partials/chart?${query}`, { signal: asked.signal });
    if (!response.ok) return;
    const drawn = await response.json();
    await Plotly.react(plot, drawn.figure.data, drawn.figure.layout, { displayModeBar: false });
    if (caption.textContent !== drawn.caption) caption.textContent = drawn.caption;
  } catch {
    // Offline, or asked anew meanwhile: the page says itself when it is not live, and the next frame draws again.
  }
}

// Keeps the list of queues as the board has it.
export function follow(tiles) {
  const select = form.elements.queue;
  const shown = [...select.options].map((option) => option.value);
  if (tiles.length === shown.length && tiles.every((tile, place) => tile.queue === shown[place])) return;
  const kept = select.value;
  select.replaceChildren(...tiles.map(({ queue, title }) => new Option(title, queue, false, queue === kept)));
  redraw({ now: true });
}

// The plot's box follows the panel beside it, not only the window.
new ResizeObserver(() => { if (plot.classList.contains("js-plotly-plot")) Plotly.Plots.resize(plot); }).observe(plot);

form.addEventListener("change", () => {
  const query = chosen();
  history.replaceState(null, "", `/?${query}`);
  json.href = `/api/v1/history?queue=${encodeURIComponent(query.get("queue"))}&metric=${query.get("metric")}`;
  redraw({ now: true });
});
for (const type of ["theme", "zone", "unpaused"]) addEventListener(type, () => redraw({ now: true }));
document.addEventListener("visibilitychange", () => redraw());
