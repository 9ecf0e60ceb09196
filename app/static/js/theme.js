// Sets the colour theme before the first paint, so that nothing flashes; a classic script in the head for that reason.
(() => {
  const KEY = "holdfire-theme", THEMES = ["auto", "dark", "light"], root = document.documentElement;
  const asked = new URLSearchParams(location.search).get("theme"); // of a link, which changes nobody's choice
  const stored = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const apply = (theme) => {
    if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
    const button = document.getElementById("theme");
    if (!button) return;
    button.setAttribute("aria-label", `Colour theme: ${theme === "auto" ? "automatic" : theme}`);
    document.getElementById("theme-name").textContent = theme;
  };
  let theme = [asked, stored()].find((name) => THEMES.includes(name)) ?? "auto";
  apply(theme);
  document.addEventListener("DOMContentLoaded", () => {
    apply(theme);
    document.getElementById("theme")?.addEventListener("click", () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      try { localStorage.setItem(KEY, theme); } catch { /* private mode: the choice lasts as long as the page */ }
      apply(theme);
      dispatchEvent(new CustomEvent("theme"));
    });
  });
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => dispatchEvent(new CustomEvent("theme")));
})();
