// Keeping, copying and deleting dashboards.

import { h } from "../../dom.js";
import { send } from "../../api.js";
import { sentence } from "../panel.js";

const path = (uid) => `dashboards/${encodeURIComponent(uid)}`;

/** Save a dashboard in the place of the version that was changed. */
export const keep = (uid, dashboard, version) => send("PUT", path(uid), { dashboard }, { version });

/** Ask for a text in a dialog; null when it is closed. */
export function askText(title, { label, value = "", action, says = "" }) {
  const input = h("input", { class: "in", value, required: true, pattern: ".*\\S.*", maxlength: 200, autocomplete: "off" });
  const dialog = h("dialog", { "aria-labelledby": "ask-title" }, h("form", { method: "dialog", class: "flow" }, h("h2", { class: "title", id: "ask-title" }, title), says && h("p", { class: "soft" }, says),
    h("label", { class: "field" }, h("span", {}, label), input), h("div", { class: "row" }, h("button", { class: "btn main", value: "ok" }, action), h("button", { class: "btn", value: "", formnovalidate: true }, "Cancel"))));
  document.body.append(dialog);
  dialog.showModal();
  input.select();
  return new Promise((done) => dialog.addEventListener("close", () => { dialog.remove(); done(dialog.returnValue === "ok" ? input.value.trim() : null); }));
}

/** Open a copy for editing: of the dashboard as it is stored, or of a draft. */
export async function copyOf(editing, draft = null) {
  const { dashboard, uid } = editing.board;
  const name = await askText("Duplicate", { label: "Name of the copy", value: `${dashboard.name} (copy)`, action: "Duplicate" });
  if (!name) return;
  try {
    const { uid: _old, ...rest } = draft ?? {};
    const answer = draft ? await send("POST", "dashboards", { dashboard: { ...rest, name } }) : await send("POST", `${path(uid)}/duplicate`, { name });
    editing.changed = false;
    location.assign(`/dashboards/${encodeURIComponent(answer.dashboard.uid)}?edit=1`);
  } catch (error) {
    editing.say(sentence(error), { bad: true });
  }
}

/** Delete the dashboard, after asking. */
export async function remove(editing) {
  const { dashboard, version, uid } = editing.board;
  if (!confirm(`Delete the dashboard ${dashboard.name}?`)) return;
  try {
    await send("DELETE", path(uid), {}, { version });
    location.assign("/dashboards");
  } catch (error) {
    editing.say(sentence(error), { bad: true });
  }
}
