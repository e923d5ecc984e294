// Changing alerts: who, why, what was done, and the way back.

import { h } from "../dom.js";
import { actor, refusal, say } from "../issues/actions.js";
import { changeAlert } from "../monitoring.js";
import { grouped } from "../time.js";

const DONE = { active: "Reopened", acknowledged: "Acknowledged", resolved: "Resolved", dismissed: "Dismissed" };
const VERBS = { resolved: "Resolve", dismissed: "Dismiss" };
const AGAIN = "A new alert comes when its condition has ended and holds again.";
const SAYS = { resolved: `It is over. ${AGAIN}`, dismissed: `It was no problem. ${AGAIN}` };

const many = (alerts) => (alerts.length === 1 ? `“${alerts[0].title}”` : `${grouped(alerts.length)} alerts`);

/** Ask for the reason of what can't be undone; null if the question is closed. */
export function askReason(status, what) {
  const input = h("input", { class: "in", name: "reason", maxlength: 1000, autocomplete: "off", placeholder: "for the history; may be left empty" });
  const dialog = h("dialog", { id: "why", "aria-labelledby": "why-title" }, h("form", { method: "dialog", class: "flow" },
    h("h2", { class: "title", id: "why-title" }, `${VERBS[status]} ${what}`), h("p", { class: "soft" }, SAYS[status]),
    h("label", { class: "field" }, h("span", {}, "Reason"), input), h("div", { class: "row" }, h("button", { class: "btn main", value: "ok" }, VERBS[status]), h("button", { class: "btn", value: "", formnovalidate: true }, "Cancel"))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => { dialog.remove(); done(dialog.returnValue === "ok" ? input.value.trim() : null); }));
}

/**
 * Give alerts ([{ id, title }]) a status, under the reader's name; what can't be undone asks for a reason first.
 * Says what was done, with a way back where there is one, and calls `renew` when alerts have changed.
 */
export async function give(alerts, status, renew) {
  const by = await actor();
  if (!by) return;
  const reason = status in VERBS ? await askReason(status, many(alerts)) : "";
  if (reason === null) return;
  const done = [];
  let failed = null;
  for (const one of alerts) {
    try {
      await changeAlert(one.id, { status, by, ...(reason ? { reason } : {}) });
      done.push(one);
    } catch (error) {
      failed ??= error;
    }
  }
  if (done.length) await renew();
  const back = status === "acknowledged" && done.length ? () => give(done, "active", renew) : null;
  undoing = back;
  if (failed) say(`${refusal(failed)}${done.length ? ` ${DONE[status]} ${many(done)}.` : ""}`, { bad: true, undo: back });
  else say(`${DONE[status]} ${many(done)}.`, { undo: back });
}

let undoing = null;

/** Take the last change back, if it can be. */
export function undo() {
  if (!undoing) return false;
  const run = undoing;
  undoing = null;
  run();
}
