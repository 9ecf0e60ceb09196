// Forms that change something carry their session's token. Most have it from the server; those in pieces of a page
// that all watchers share, and those that scripts made, get it here as they are sent.

const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

// For fetch(): fetch(url, { method: "POST", headers: csrfHeaders(), body })
export const csrfHeaders = () => ({ "X-CSRF-Token": token });

document.addEventListener("submit", ({ target: form, submitter }) => {
  const method = submitter?.getAttribute("formmethod") ?? form.getAttribute("method") ?? "get";
  const action = new URL(submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? "", location.href);
  if (method.toLowerCase() !== "post" || action.origin !== location.origin || form.querySelector('input[name="csrf"]')) return;
  const field = Object.assign(document.createElement("input"), { type: "hidden", name: "csrf", value: token });
  form.append(field);
}, { capture: true });
