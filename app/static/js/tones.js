// A short tone per verdict, out of an oscillator. A browser makes no sound before somebody touched the page: ready()
// says whether it would.

const TONES = { hold: [[440, 0.16], [330, 0.3]], throttle: [[440, 0.16], [440, 0.16]], send: [[440, 0.12], [660, 0.2]], unknown: [[260, 0.35]] };
const GAP = 0.05, LOUDNESS = 0.25, FADE = 0.02;
let context = null;

export function prepare() {
  context ??= new AudioContext();
  return context.state === "running" ? Promise.resolve() : context.resume();
}

export const ready = () => context?.state === "running";

export function play(state) {
  if (!ready()) return false;
  let at = context.currentTime + FADE;
  for (const [hertz, seconds] of TONES[state] ?? TONES.unknown) {
    const oscillator = new OscillatorNode(context, { frequency: hertz }), volume = new GainNode(context, { gain: 0 });
    oscillator.connect(volume).connect(context.destination);
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(LOUDNESS, at + FADE);
    volume.gain.setValueAtTime(LOUDNESS, at + seconds - FADE);
    volume.gain.linearRampToValueAtTime(0, at + seconds);
    oscillator.start(at);
    oscillator.stop(at + seconds);
    at += seconds + GAP;
  }
  return true;
}
