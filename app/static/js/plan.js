// A plan that nobody works out anew must not look like one of now.
(() => {
  let timer = 0;
  const watch = () => {
    const plan = document.getElementById("plan");
    clearTimeout(timer);
    if (!plan?.dataset.freshSeconds) return;
    timer = setTimeout(() => plan.classList.add("old"), Number(plan.dataset.freshSeconds) * 1000);
  };
  document.addEventListener("DOMContentLoaded", watch);
  document.addEventListener("htmx:afterSettle", watch);
})();
