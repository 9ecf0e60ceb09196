// Says that a picture is too large before it is sent, and asks before what was typed is left behind.

const MOST_BYTES = 2 * 1024 * 1024 - 4096; // what is around the file in the form counts, too
const file = document.getElementById("file");

file?.addEventListener("change", () => {
  const tooLarge = file.files[0]?.size > MOST_BYTES;
  file.setCustomValidity(tooLarge ? "This picture is larger than 2 MiB; save it smaller first." : "");
  if (tooLarge) file.reportValidity();
});

const form = document.querySelector("form[data-keep]");
let changed = false;
form?.addEventListener("input", () => { changed = true; });
form?.addEventListener("submit", () => { changed = false; });
addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
