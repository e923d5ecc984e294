// The form of a channel: previewed before it is saved, and what is wrong is said at its field.

import { send } from "../api.js";
import { h } from "../dom.js";
import { actor, refusal, say } from "../issues/actions.js";
import { mark } from "../alerts/form.js";
import { onSubmit } from "./acting.js";
import { fieldAt, valueOf } from "./fields.js";

const form = document.getElementById("channel");
const { name: old, kind, version } = form.dataset;
const before = JSON.parse(form.dataset.before);
const path = (name) => `notifications/settings/channels/${encodeURIComponent(name)}`;
const named = () => form.elements.namedItem("@name").value.trim();

function written() {
  const value = valueOf(form, before);
  if (kind !== named() || "type" in value) value.type = kind;
  return value;
}

/** Say what is wrong, at its field where one is named. */
function refused(error, begin) {
  const field = error.field ?? fieldAt(form, error.error?.field);
  mark(form, field?.dataset ? field : null);
  say(`${begin} ${refusal(error)}`, { bad: true });
  field?.focus?.();
}

/** Whether the channel could be kept; else all that is wrong is said, each at its field. */
async function isRight(value) {
  const { problems } = await send("POST", `${path(named())}/check`, { value });
  if (!problems.length) return true;
  const fields = problems.map((one) => fieldAt(form, one.path)).filter((one) => one?.dataset);
  mark(form, null);
  for (const field of fields.reverse()) mark(form, field, true);
  say(`Not saved. ${problems.map(refusal).join(" ")}`, { bad: true });
  fields.at(-1)?.focus();
  return false;
}

form.addEventListener("input", () => mark(form, null));
onSubmit(form, async () => {
  if (!form.reportValidity()) return;
  const by = await actor();
  if (!by) return;
  try {
    const value = written();
    if (!(await isRight(value))) return;
    const answer = await send("PUT", path(old || named()), { value, version, by });
    location.assign(`/channels/${encodeURIComponent(answer.name)}`);
  } catch (error) {
    if (error.status === 409 && error.error?.field === "version") say(old ? "Not saved: somebody else changed this channel meanwhile. Load the page anew, and change it again." : `Not saved: there is a channel ${named()} already. Give this one another name.`, { bad: true });
    else refused(error, "Not saved.");
  }
});

document.getElementById("preview").addEventListener("click", async () => {
  const at = document.getElementById("message");
  try {
    const message = await send("POST", "notifications/preview", { channel: named() || kind, value: written() });
    at.replaceChildren(...[message.problem && h("p", { class: "err" }, message.problem), h("div", { class: "message" }, h("p", { class: "strong" }, message.title), h("pre", { tabindex: 0 }, message.text))].filter(Boolean));
  } catch (error) {
    at.replaceChildren(h("p", { class: "note" }, "Correct what is marked first."));
    refused(error, "It can’t be shown.");
  }
});
document.documentElement.dataset.channelForm = "";
