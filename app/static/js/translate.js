// Pieces of HTML from the server, as this reader wants to read them: times in the chosen zone, numbers by the locale.

import { byLocale } from "./numbers.js";
import { inZone } from "./zone.js";

// Returns the one element of a piece that the server escaped, ready to be put on the page.
export function translated(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  inZone(template.content);
  byLocale(template.content);
  return template.content.firstElementChild;
}
