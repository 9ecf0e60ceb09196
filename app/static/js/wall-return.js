// How a screen loads itself anew: never into a browser's own error page, never in a loop, never all screens at once.

const ASK_EVERY = 60000, ASK_SPREAD = 15000, RELOAD_SPREAD = 20000;

const isThere = async () => {
  try { return (await fetch(location.href, { cache: "no-store" })).ok; } catch { return false; }
};

const later = (step, least, spread) => setTimeout(step, least + Math.random() * spread);

// Asks until this screen is there, then loads it.
export function comeBack() {
  later(async () => { if (await isThere()) location.reload(); else comeBack(); }, ASK_EVERY, ASK_SPREAD);
}

let build = document.documentElement.dataset.build;

// A server of another build speaks another language: load the page anew, once per build. Where the page that comes is
// of the former build still, because something on the way keeps it, it stays: history remembers for which it was tried.
export function reloadOnce(theirs) {
  if (!theirs || theirs === build) return;
  build = theirs;
  if (history.state?.reloadedFor !== theirs) later(() => reload(theirs), 0, RELOAD_SPREAD);
}

async function reload(theirs) {
  if (!await isThere()) { later(() => reload(theirs), RELOAD_SPREAD, RELOAD_SPREAD); return; }
  history.replaceState({ ...history.state, reloadedFor: theirs }, "");
  location.reload();
}
