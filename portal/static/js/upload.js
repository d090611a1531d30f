// Shows how far an upload has come. Without this script the form is sent as any other.
(() => {
  const follow = (form) => {
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      event.preventDefault();
      const bar = document.createElement("progress");
      bar.max = 1;
      bar.setAttribute("aria-label", form.dataset.upload);
      form.append(bar);
      const request = new XMLHttpRequest();
      request.responseType = "document";
      request.upload.addEventListener("progress", (part) => {
        if (part.lengthComputable) bar.value = part.loaded / part.total;
      });
      request.addEventListener("load", () => {
        // The answer is a whole page: the same one with what is wrong, or where a success leads.
        const main = request.response?.querySelector("main");
        if (!main) return form.submit();
        document.querySelector("main").replaceWith(document.adoptNode(main));
        history.replaceState(null, "", request.responseURL);
        (document.querySelector(".error-summary") ?? main).focus();
        document.querySelectorAll("form[data-upload]").forEach(follow);
      });
      request.addEventListener("error", () => form.submit());
      request.open("POST", form.action);
      request.send(new FormData(form));
    });
  };
  document.querySelectorAll("form[data-upload]").forEach(follow);
})();
