// Passkeys (WebAuthn level 2): fetches or takes the options, asks the device, sends what it answers with the form.
(() => {
  // An address of numbers cannot be a relying party; there, and in old browsers, no passkey is offered.
  const usable = window.PublicKeyCredential && !/^[\d.]+$|^\[/.test(location.hostname);

  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");

  const opened = ({ publicKey }) => {
    const options = { ...publicKey, challenge: toBytes(publicKey.challenge) };
    if (options.user) options.user = { ...options.user, id: toBytes(options.user.id) };
    for (const list of ["excludeCredentials", "allowCredentials"]) {
      if (options[list]) options[list] = options[list].map((each) => ({ ...each, id: toBytes(each.id) }));
    }
    return options;
  };

  const written = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = toText(credential.response[name]);
    }
    return JSON.stringify({
      id: credential.id,
      rawId: toText(credential.rawId),
      type: credential.type,
      response,
      clientExtensionResults: credential.getClientExtensionResults(),
    });
  };

  const create = async ({ creation_options }) => {
    const options = opened(creation_options);
    const wanted = { residentKey: "required", requireResidentKey: true, userVerification: "required" };
    options.authenticatorSelection = { ...options.authenticatorSelection, ...wanted };
    return written(await navigator.credentials.create({ publicKey: options }));
  };
  const get = async ({ request_options }) =>
    written(await navigator.credentials.get({ publicKey: opened(request_options) }));

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!usable) {
      form.hidden = true;
      continue;
    }
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      const field = form.querySelector("[name=credential]");
      event.preventDefault();
      const complaint = form.querySelector("[role=alert]");
      complaint.hidden = true;
      try {
        const ready = document.getElementById("passkey-options");
        const options = ready
          ? JSON.parse(ready.textContent)
          : await (await fetch(form.action, { headers: { "X-Requested-With": "XMLHttpRequest" } })).json();
        field.value = await (form.dataset.passkey === "create" ? create : get)(options);
        form.submit();
      } catch {
        complaint.textContent = form.dataset.failed;
        complaint.hidden = false;
        delete form.dataset.sent;
        form.removeAttribute("aria-busy");
      }
    });
  }
})();
