// Tells our own server, once a tab, the class of hardware and connection that the browser gives away. Nothing else.
(() => {
  const n = navigator, c = n.connection || {};
  try {
    if (n.globalPrivacyControl || !n.sendBeacon || sessionStorage.hinted) return;
    sessionStorage.hinted = 1;
  } catch { return; } // storage is closed: the reader wants no traces
  n.sendBeacon("/devices/hints/", new Blob([JSON.stringify({
    memory: n.deviceMemory, cores: n.hardwareConcurrency, screen: Math.min(screen.width, screen.height),
    touch: n.maxTouchPoints > 1, link: c.type, speed: c.effectiveType,
  })], { type: "application/json" }));
})();
