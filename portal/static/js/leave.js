// Leaves for the bank at once; the button is for a browser without scripts, and for a person who came back.
(() => {
  const [arrival] = performance.getEntriesByType("navigation");
  if (arrival && arrival.type === "back_forward") return;
  const form = document.querySelector("form[data-leave]");
  if (form) form.requestSubmit();
  const link = document.querySelector("a[data-leave]");
  if (link) location.assign(link.href);
})();
