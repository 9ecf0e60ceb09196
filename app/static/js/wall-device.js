// What a device on the wall is spared: a pointer in the picture, going to sleep, the same bright edge at the same place.

const HIDE_AFTER = 5000, DRIFT_EVERY = 180000;
const PLACES = [[0, 0], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]];
const root = document.documentElement;

export function hidePointer() {
  let timer = 0;
  const moved = () => {
    root.dataset.pointer = "shown";
    clearTimeout(timer);
    timer = setTimeout(() => { root.dataset.pointer = "hidden"; }, HIDE_AFTER);
  };
  addEventListener("pointermove", moved);
  moved();
}

// Only pages that came by https are given the lock; it is lost whenever the page is out of sight.
export function stayAwake() {
  if (!navigator.wakeLock) return;
  const ask = async () => {
    if (document.hidden) return;
    try { await navigator.wakeLock.request("screen"); } catch { /* a device that saves its battery refuses; nothing is lost */ }
  };
  document.addEventListener("visibilitychange", ask);
  ask();
}

export function driftSlowly() {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let at = 0;
  setInterval(() => {
    at = calm.matches ? 0 : (at + 1) % PLACES.length;
    root.style.setProperty("--drift-x", PLACES[at][0]);
    root.style.setProperty("--drift-y", PLACES[at][1]);
  }, DRIFT_EVERY);
}
