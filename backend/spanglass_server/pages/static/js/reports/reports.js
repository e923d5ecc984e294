// The list of reports: asking for one, deleting.

import { send } from "../api.js";
import { actor, refusal, say } from "../issues/actions.js";

const form = document.getElementById("new-report");
const line = form.querySelector("[role=alert]");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopImmediatePropagation(); // go.js would take it for a search
  const by = await actor();
  if (!by) return;
  const { kind, last, service } = Object.fromEntries(new FormData(form));
  try {
    const report = await send("POST", "reports", { kind, last, service: service.trim(), actor: by });
    location.assign(`/reports/${encodeURIComponent(report.id)}`);
  } catch (error) {
    line.textContent = refusal(error);
    line.hidden = false;
  }
}, true);

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-delete]");
  if (!button) return;
  try {
    await send("DELETE", `reports/${encodeURIComponent(button.closest("[data-report]").dataset.report)}`, {});
    location.reload();
  } catch (error) {
    say(refusal(error), { bad: true });
  }
});
