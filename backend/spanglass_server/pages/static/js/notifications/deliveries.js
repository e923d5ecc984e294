// Deliveries: one that was given up is sent again.

import { changeHere } from "./acting.js";

const acts = document.getElementById("delivery-acts");
acts?.addEventListener("click", ({ target }) => {
  if (target.closest("[data-retry]")) changeHere("POST", `deliveries/${encodeURIComponent(acts.dataset.delivery)}/retry`, {}, "It waits to be sent again.");
});
document.documentElement.dataset.deliveries = "";
