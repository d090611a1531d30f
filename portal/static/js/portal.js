// Comforts on top of pages that work without them: copy buttons, showing a password, going to what went wrong.
(() => {
  const words = document.body.dataset;

  // A live region of its own: the words of a button that changes are not read out everywhere.
  const live = document.createElement("p");
  live.className = "visually-hidden";
  live.setAttribute("role", "status");
  document.body.append(live);

  const makeButton = (label) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet small";
    button.textContent = label;
    return button;
  };

  // The clipboard is there on secure pages only.
  if (navigator.clipboard) {
    for (const piece of document.querySelectorAll(".copy")) {
      const text = piece.textContent.trim();
      const button = makeButton(words.copy);
      button.setAttribute("aria-label", `${words.copy}: ${text}`);
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(text);
        button.textContent = live.textContent = words.copied;
        setTimeout(() => {
          button.textContent = words.copy;
          live.textContent = "";
        }, 2000);
      });
      piece.append(button);
    }
  }

  for (const input of document.querySelectorAll("input[type=password]")) {
    const row = document.createElement("div");
    row.className = "with-toggle";
    input.before(row);
    const button = makeButton(words.show);
    button.className = "button secondary small";
    if (input.id) button.setAttribute("aria-controls", input.id);
    row.append(input, button);
    const set = (visible) => {
      input.type = visible ? "text" : "password";
      button.textContent = visible ? words.hide : words.show;
      button.setAttribute("aria-label", visible ? words.hidePassword : words.showPassword);
    };
    set(false);
    button.addEventListener("click", () => set(input.type === "password"));
    // Sent as a password, or browsers would offer to remember it as plain text.
    input.form?.addEventListener("submit", () => set(false));
  }

  document.querySelector(".error-summary")?.focus();

  // A second press of a slow button would send the form twice. A form whose answer is a download never leaves the page,
  // so the wait ends by itself.
  const rest = (form) => {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  };
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
      form.setAttribute("aria-busy", "true");
      setTimeout(rest, 15000, form);
    });
  }
  // Back from the bank by the browser's button: the page is shown as it was left.
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(rest));
})();
