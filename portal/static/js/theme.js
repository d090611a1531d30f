// Light or dark by the reader's own choice; without this script the system's choice holds.
(() => {
  const root = document.documentElement;
  const button = document.querySelector("[data-theme-switch]");
  if (!button) return;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const show = () => button.setAttribute("aria-pressed", String(isDark()));

  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${root.dataset.theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    show();
  });
  system.addEventListener("change", show);
  button.hidden = false;
  show();
})();
