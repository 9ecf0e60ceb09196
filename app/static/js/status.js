// The one status region of the page: sentences only, the last one wins, not more often than every ten seconds.

const EVERY = 10000;
const status = document.getElementById("status");
let waiting = "", said = -EVERY, timer = 0;

export function announce(sentence) {
  waiting = sentence;
  clearTimeout(timer);
  timer = setTimeout(() => {
    said = performance.now();
    status.textContent = waiting;
  }, Math.max(0, said + EVERY - performance.now()));
}
