// Changes what is on the page into what it should be, touching only what differs: the focus, an open <details>,
// a selection and the scroll position all survive. Children are matched by id, else by place and kind. What is inside
// an element with data-keep is somebody else's, and stays.

export function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName || (from.id || "") !== (to.id || "")) {
    from.replaceWith(to);
  } else if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
  } else if (!from.isEqualNode(to)) {
    attributes(from, to);
    if (!to.hasAttribute("data-keep")) children(from, to);
  }
}

function attributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !(name === "open" && from.nodeName === "DETAILS")) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}

function children(from, to) {
  const named = new Map([...from.children].filter((child) => child.id).map((child) => [child.id, child]));
  let place = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const match = wanted.id ? named.get(wanted.id) : place && !place.id && alike(place, wanted) ? place : null;
    if (!match) {
      from.insertBefore(wanted, place);
    } else {
      if (match === place) place = place.nextSibling; else from.insertBefore(match, place);
      morph(match, wanted);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName;
