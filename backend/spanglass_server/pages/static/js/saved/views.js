// Saved views: the menu of every page, which saves what the page shows, and the page of all of them.

import { send } from "../api.js";
import { actor, ownName, refusal, remember, say } from "../issues/actions.js";
import { bind } from "../keys.js";

/** Save what the page shows; the page is read anew, with the view in its menu. */
async function save(form) {
  const owner = await actor();
  if (!owner) return;
  remember(owner); // also a name that was given before there was a cookie of it
  const field = (name) => form.elements.namedItem(`view_${name}`);
  const line = form.querySelector("[role=alert]");
  try {
    await send("POST", "views", { name: field("name").value.trim(), url: form.dataset.url, owner, shared: field("shared").checked, pinned: field("pinned").checked, default: field("default").checked });
    location.reload();
  } catch (error) {
    line.textContent = refusal(error);
    line.hidden = false;
    field("name").focus();
  }
}

async function change(button) {
  const { view } = button.closest("[data-view]").dataset;
  try {
    if ("delete" in button.dataset) await send("DELETE", `views/${view}`, {});
    else await send("PATCH", `views/${view}`, { [button.dataset.switch]: button.getAttribute("aria-pressed") !== "true" });
    location.reload();
  } catch (error) {
    say(refusal(error), { bad: true });
  }
}

export function start() {
  const menu = document.getElementById("views");
  if (!menu) return;
  if (ownName()) remember(ownName());
  menu.addEventListener("toggle", () => { if (menu.open) menu.querySelector(".list a, input, a")?.focus(); });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.preventDefault();
  });
  document.addEventListener("click", ({ target }) => { if (target.isConnected && !menu.contains(target) && !target.closest("dialog")) menu.open = false; });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "save-view") return;
    event.preventDefault();
    save(event.target);
  }, true); // before go.js, which would take it for a search
  document.getElementById("saved-views")?.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-switch], [data-delete]");
    if (button) change(button);
  });
  bind({ v: () => { menu.open = !menu.open; } });
}
