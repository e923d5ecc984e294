// The list of reports: asking for one, deleting; schedules.

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

const schedule = document.getElementById("new-schedule");

schedule.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopImmediatePropagation();
  const by = await actor();
  if (!by) return;
  const { channels, ...given } = Object.fromEntries(new FormData(schedule));
  try {
    await send("POST", "report-schedules", { ...given, channels: channels.split(",").map((name) => name.trim()).filter(Boolean), actor: by });
    location.reload();
  } catch (error) {
    const wrong = schedule.querySelector("[role=alert]");
    wrong.textContent = refusal(error);
    wrong.hidden = false;
  }
}, true);

document.getElementById("schedules").addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-switch], [data-unschedule]");
  if (!button) return;
  const path = `report-schedules/${encodeURIComponent(button.closest("[data-schedule]").dataset.schedule)}`;
  try {
    if ("unschedule" in button.dataset) await send("DELETE", path, {});
    else await send("PATCH", path, { enabled: button.getAttribute("aria-pressed") !== "true" });
    location.reload();
  } catch (error) {
    say(refusal(error), { bad: true });
  }
});

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
