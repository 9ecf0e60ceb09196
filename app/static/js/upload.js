// Says so on the page when an upload cannot be answered: too large, no connection, or a fault of the server.
const MOST_BYTES = 1024 * 1024, OVERHEAD_BYTES = 4096;
const TOO_LARGE = "The file is larger than 1 MiB; upload fewer days at once.";
const say = (text) => {
  const line = document.createElement("p");
  line.className = "fault";
  line.textContent = text;
  document.getElementById("result").replaceChildren(line);
};
document.addEventListener("htmx:beforeRequest", (event) => {
  const file = document.getElementById("file").files[0];
  if (!file || file.size <= MOST_BYTES - OVERHEAD_BYTES) return;
  event.preventDefault();
  say(TOO_LARGE);
});
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) =>
  say(xhr.status === 413 ? TOO_LARGE : `The server answered ${xhr.status}; nothing was changed.`));
document.addEventListener("htmx:sendError", () => say("The server could not be reached; nothing was changed."));
