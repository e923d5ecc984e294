// The page of a check: running it once, switching it on and off, deleting it; the whole address of a heartbeat.

import { ask, send } from "../api.js";
import { actor, refusal, say } from "../issues/actions.js";
import { durationText } from "../time.js";

const acts = document.getElementById("check-acts");
const path = acts && `checks/${encodeURIComponent(acts.dataset.check)}`;

/** Run a change under the reader's name; what was refused is said. */
async function run(change) {
  const by = await actor();
  if (!by) return;
  try {
    await change(by);
  } catch (error) {
    say(refusal(error), { bad: true });
  }
}

document.getElementById("run")?.addEventListener("click", async ({ currentTarget: button }) => {
  button.disabled = true;
  say("Running…");
  try {
    const found = await send("POST", `${path}/run`, {});
    say([`It is ${found.status} after ${durationText(found.latency_ns)}.`, found.detail].filter(Boolean).join(" "), { bad: found.status === "unhealthy" });
  } catch (error) {
    say(refusal(error), { bad: true });
  } finally {
    button.disabled = false;
  }
});

document.getElementById("enable")?.addEventListener("click", ({ currentTarget: button }) => run(async (by) => {
  const { check, version } = await ask(path);
  await send("PUT", path, { check: { ...check, enabled: button.dataset.enabled !== "true" }, version, by });
  location.reload();
}));

document.getElementById("delete")?.addEventListener("click", () => confirm("Delete this check? Its history stays until it is too old.") && run(async (by) => {
  await send("DELETE", path, { version: acts.dataset.version }, { by });
  location.assign("/health?view=checks");
}));

const heartbeat = document.getElementById("heartbeat");
if (heartbeat) {
  const url = new URL(heartbeat.textContent, location.href).href;
  heartbeat.textContent = url;
  heartbeat.parentElement.querySelector("[data-copy]").dataset.copy = url;
}
document.documentElement.dataset.check = "";
