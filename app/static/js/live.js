// One live connection: a WebSocket with a watchdog, because a browser never says that a socket is half dead.
// Where sockets do not get through at all, it asks every 15 s instead. Latest wins; there is nothing to catch up on.

// Frames come every five seconds at least: twelve without one, a second until that is noticed and the patience with short
// breaks are less than fifteen in all.
const WATCHDOG = 12000, LONGEST_PAUSE = 5000, POLL_EVERY = 15000, POLL_AFTER_FAILURES = 3, TICK = 1000;
const ASK_PATIENCE = 10000, SLEPT = 5000;
const SIGNED_OUT = [4401, 4403], NO_GATE = 4404;

// Large frames come gzipped, packed once for all who watch.
const unpacked = (data) => typeof data === "string" ? data
  : new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"))).text();

const inTime = (answer) => Promise.race([answer, new Promise((_, no) => setTimeout(no, ASK_PATIENCE, new Error("no answer")))]);

// protocols: what the socket is opened with, where it is no session's. onFrame(frame) gets every snapshot that is newer
// than the one before. onState gets "ok", "poll", "down" or "out". poll() returns a promise of a frame. Returns a function
// that says when anything was last heard, by performance.now().
export function connect({ path, protocols = [], poll, onFrame, onState }) {
  let socket = null, tries = 0, timer = 0, seq = 0, heard = performance.now(), opened = false, polled = -Infinity, state = "";
  const url = `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${path}`;

  const say = (next) => { if (next !== state) { state = next; onState(next); } };

  const drop = () => {
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
    socket.close();
    socket = null;
  };

  const lost = (event) => {
    drop();
    if (event && SIGNED_OUT.includes(event.code)) { say("out"); return again(60000); }
    if (event && event.code === NO_GATE) { say("down"); return again(10000); }
    if (state !== "poll") say("down");
    again(Math.random() * Math.min(LONGEST_PAUSE, 250 * 2 ** Math.min(tries++, 10)));
  };

  const again = (pause) => { clearTimeout(timer); timer = setTimeout(open, pause); };

  function open() {
    clearTimeout(timer);
    drop();
    seq = 0;
    if (!polling()) heard = performance.now();
    const began = performance.now();
    const mine = socket = new WebSocket(url, protocols);
    socket.binaryType = "arraybuffer";
    socket.onclose = socket.onerror = lost;
    socket.onmessage = async (event) => {
      heard = performance.now();
      tries = 0;
      opened = true;
      const frame = JSON.parse(await unpacked(event.data));
      if (mine !== socket) return;
      if (frame.type !== "snapshot" || frame.seq <= seq) return;
      seq = frame.seq;
      say("ok");
      onFrame(frame);
    };
    socket.began = began;
  }

  // Sockets that never opened once, several times over, while plain requests may well get through: a proxy blocks them.
  const polling = () => !opened && tries >= POLL_AFTER_FAILURES;

  async function ask() {
    polled = performance.now();
    try {
      const frame = await inTime(poll());
      if (state === "ok") return;
      heard = performance.now();
      say("poll");
      onFrame(frame);
    } catch (fault) {
      if (state !== "ok") say(fault.signedOut ? "out" : "down");
    }
  }

  // While a device sleeps, performance.now() stands still in many browsers, and what was fresh before would seem so still.
  let ticked = performance.now(), date = Date.now();
  setInterval(() => {
    const now = performance.now(), slept = Date.now() - date - (now - ticked) > SLEPT;
    [ticked, date] = [now, Date.now()];
    if (slept && state !== "out") { say("down"); polled = -Infinity; lost(); }
    if (socket && socket.readyState <= 1 && now - Math.max(heard, socket.began) > WATCHDOG) lost();
    if (polling() && now - polled > POLL_EVERY) ask();
  }, TICK);

  const kick = () => {
    if (!socket || socket.readyState > 1 || performance.now() - heard > WATCHDOG) { tries = Math.min(tries, 1); open(); }
  };
  addEventListener("online", kick);
  addEventListener("offline", () => { if (socket) lost(); }); // to this machine itself there may be a way all the same
  addEventListener("pageshow", (event) => { if (event.persisted) kick(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) kick(); });
  open();
  return () => heard;
}
