// How a sum is told: a card that opens by a press, with a keyboard or without JavaScript too; here also while the pointer
// rests on the mark or on the card itself. Escape closes it, as every popover.

const SOON = 250;
const open = (card) => card.matches(":popover-open");

for (const mark of document.querySelectorAll(".how")) {
  const card = document.getElementById(mark.getAttribute("popovertarget"));
  let timer = 0, byHover = false;
  const later = (action) => { clearTimeout(timer); timer = setTimeout(action, SOON); };
  const hide = () => { if (byHover && open(card)) card.hidePopover(); };
  const place = () => {
    const { left, bottom } = mark.getBoundingClientRect();
    const room = document.documentElement.clientWidth - card.offsetWidth - 8;
    Object.assign(card.style, { position: "fixed", margin: "0", left: `${Math.max(8, Math.min(left, room))}px`, top: `${bottom + 6}px` });
  };
  card.addEventListener("toggle", ({ newState }) => { if (newState === "open") place(); else byHover = false; });
  mark.addEventListener("pointerenter", ({ pointerType }) => {
    if (pointerType === "mouse") later(() => { if (!open(card)) { byHover = true; card.showPopover(); } });
  });
  mark.addEventListener("pointerleave", () => later(hide));
  mark.addEventListener("click", () => { clearTimeout(timer); byHover = false; });
  card.addEventListener("pointerenter", () => clearTimeout(timer));
  card.addEventListener("pointerleave", () => later(hide));
}
addEventListener("scroll", () => document.querySelectorAll(".told-how:popover-open").forEach((card) => card.hidePopover()), { passive: true });
