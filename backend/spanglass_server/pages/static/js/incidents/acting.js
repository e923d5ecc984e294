// Changing the status of incidents: who, why, what was done.

import { h } from "../dom.js";
import { actor, refusal, say } from "../issues/actions.js";
import { changeIncident } from "./api.js";

const DONE = { open: "Reopened", acknowledged: "Acknowledged", recovered: "Recovered", resolved: "Resolved", dismissed: "Dismissed" };
const ASKS = {
  resolved: ["Resolve", "It is over, and so are its alerts that are still open. What did you do? The next one who has it reads this."],
  dismissed: ["Dismiss", "It was none, and neither are its open alerts. It counts in no figure."],
};

/** Ask why; null if the question is closed. */
function askWhy(status, title) {
  const [verb, text] = ASKS[status];
  const input = h("textarea", { class: "in", name: "reason", maxlength: 5000, rows: 3 });
  const dialog = h("dialog", { id: "why", "aria-labelledby": "why-title" }, h("form", { method: "dialog", class: "flow" },
    h("h2", { class: "title", id: "why-title" }, `${verb} “${title}”`), h("p", { class: "soft" }, text),
    h("label", { class: "field" }, h("span", {}, "Reason"), input), h("div", { class: "row" }, h("button", { class: "btn main", value: "ok" }, verb), h("button", { class: "btn", value: "" }, "Cancel"))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => { dialog.remove(); done(dialog.returnValue === "ok" ? input.value.trim() : null); }));
}

/** Do something under the reader's name, read the page anew, and say what was done; `change` is given the name. */
export async function run(change, said, renewed) {
  const by = await actor();
  if (!by) return false;
  try {
    const answer = await change(by);
    await renewed(answer);
    if (said) say(said);
    return true;
  } catch (error) {
    say(refusal(error), { bad: true });
    return false;
  }
}

/** Give an incident ({ id, title }) a status. */
export async function give({ id, title }, status, renewed) {
  const by = await actor();
  if (!by) return;
  const reason = status in ASKS ? await askWhy(status, title) : "";
  if (reason === null) return;
  await run(() => changeIncident(id, { status, by, ...(reason ? { reason } : {}) }), `${DONE[status]} ${id}.`, renewed);
}
