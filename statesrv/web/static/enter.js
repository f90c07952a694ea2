"use strict";
// The token stands behind the # of the link, which browsers do not send. It is exchanged,
// once, for a cookie that this script cannot read, and leaves the address.
(async () => {
  const token = location.hash.slice(1);
  history.replaceState(null, "", "/enter");
  const answer = await fetch("/session", { headers: { Authorization: "Bearer " + token }, cache: "no-store" });
  if (answer.ok) {
    location.replace("/");
    return;
  }
  document.getElementById("say").textContent = await answer.text();
})();
