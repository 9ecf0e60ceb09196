// Charts, drawn in place, and drawn anew while the page is printed: in the light theme's inks, whatever the screen's are,
// and in the shape that data-paper says (width x height). A sheet is laid out only after that, so nothing can be asked
// for or measured any more; the style sheet stretches the drawing to its place there.
/* global Plotly */

const inks = JSON.parse(document.querySelector("meta[name=chart-inks]").content), drawn = new Map();
let isPrinting = false;

const react = (plot, { data, layout }) => Plotly.react(plot, data, layout, { displayModeBar: false });

const inLight = (figure) =>
  JSON.parse(JSON.stringify(figure), (_, value) => (typeof value === "string" ? inks[value] ?? value : value));

// Draws a figure where another may stand already; while the page is printed, after that.
export async function put(plot, figure) {
  drawn.set(plot, figure);
  if (!isPrinting) await react(plot, figure);
}

addEventListener("beforeprint", () => {
  isPrinting = true;
  for (const [plot, figure] of drawn) {
    const [width, height] = plot.dataset.paper.split("x").map(Number), { data, layout } = inLight(figure);
    react(plot, { data, layout: { ...layout, width, height } });
    for (const svg of plot.querySelectorAll(".main-svg")) svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    plot.style.aspectRatio = `${width} / ${height}`;
    plot.classList.add("on-paper");
  }
});
addEventListener("afterprint", () => {
  isPrinting = false;
  for (const [plot, figure] of drawn) {
    for (const svg of plot.querySelectorAll(".main-svg")) svg.removeAttribute("viewBox");
    plot.style.aspectRatio = "";
    plot.classList.remove("on-paper");
    react(plot, figure);
  }
});
