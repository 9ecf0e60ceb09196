// Says so on the page when an upload got no answer that could be shown: too large, or no connection.
const say = (text) => {
  const line = document.createElement("p");
  line.className = "fault";
  line.textContent = text;
  document.getElementById("result").replaceChildren(line);
};
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) =>
  say(xhr.status === 413 ? "The file is larger than 1 MiB; upload fewer days at once." : `The server answered ${xhr.status}; nothing was changed.`));
document.addEventListener("htmx:sendError", () => say("The server could not be reached; nothing was changed."));
