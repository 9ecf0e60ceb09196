// A campaign's page reads itself anew every ten seconds. When that fails it must not look like one of now.

const OLD_AFTER = 35000;
const root = () => document.getElementById("campaign");
let said = root()?.dataset.word, timer = 0;

function fresh() {
  clearTimeout(timer);
  if (!root()?.hasAttribute("hx-get")) return;
  timer = setTimeout(() => root()?.classList.add("old"), OLD_AFTER);
}

// Said once, when the state is another one than before; the page's title says it, too.
function tell() {
  const { word, title } = root()?.dataset ?? {};
  if (!word || word === said) return;
  said = word;
  const frame = document.documentElement.dataset, now = `${title}: ${word.toLowerCase()} – holdfire`;
  document.title = document.title.replace(frame.title, now);
  frame.title = now;
  document.getElementById("status").textContent = `${title}: ${word}.`;
}

document.addEventListener("htmx:afterSettle", () => { fresh(); tell(); });
fresh();
