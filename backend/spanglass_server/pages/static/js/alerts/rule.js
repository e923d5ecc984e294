// The page of a rule: switching it, tuning its thresholds, deleting it.

import { send } from "../api.js";
import { actor, refusal, say } from "../issues/actions.js";
import { enable } from "./rules.js";

const acts = document.getElementById("acts");
const { rule: uid, version } = acts.dataset;
const path = `rules/${encodeURIComponent(uid)}`;

/** Run a change under the reader's name, and load the page anew; what was refused is said. */
async function run(change) {
  const by = await actor();
  if (!by) return;
  try {
    await change(by);
    location.reload();
  } catch (error) {
    say(refusal(error), { bad: true });
  }
}

const button = document.getElementById("enable");
button.addEventListener("click", () => run((by) => enable(uid, button.dataset.enabled !== "true", by)));

document.getElementById("delete")?.addEventListener("click", async () => {
  if (!confirm("Delete this rule? Its open alerts are resolved.")) return;
  const by = await actor();
  if (!by) return;
  try {
    await send("DELETE", path, { by }, { version });
    location.assign("/rules");
  } catch (error) {
    say(refusal(error), { bad: true });
  }
});

document.getElementById("tune").addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  const given = Object.fromEntries([...new FormData(event.target)].map(([name, text]) => [name, text.trim()]).filter(([, text]) => text));
  run((by) => send("PUT", `${path}/thresholds`, { ...given, by }));
});
document.documentElement.dataset.rule = "";
