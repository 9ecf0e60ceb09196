// A session ends at the latest after so many hours, whatever is done in it: that is said five minutes before.

import { announce } from "./status.js";

const BEFORE = 300, LONGEST = 2147483; // seconds; a browser's timer waits no longer than that
const notice = document.getElementById("ending");
const left = Number(notice.dataset.seconds) - BEFORE;

if (left < LONGEST) {
  setTimeout(() => {
    notice.hidden = false;
    announce("You are signed out in a few minutes.");
  }, Math.max(0, left) * 1000);
}
