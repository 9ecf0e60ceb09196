// Durations as app/web/format.py writes them; the browser tests hold both to the same words.
const THIN = "\u202f";
const SCALES = [
  [86400, "d", 86400, "h", 3600, 1],
  [3600, "h", 3600, "min", 60, 2],
  [60, "min", 60, "s", 1, 1],
];

export function duration(seconds) {
  const whole = Math.max(0, Math.trunc(seconds));
  for (const [least, large, largeSeconds, small, smallSeconds, digits] of SCALES) {
    if (whole < least) continue;
    const rest = Math.trunc((whole % largeSeconds) / smallSeconds);
    const head = `${Math.trunc(whole / largeSeconds).toLocaleString("en-US")}${THIN}${large}`;
    return rest ? `${head} ${String(rest).padStart(digits, "0")}${THIN}${small}` : head;
  }
  return `${whole}${THIN}s`;
}
