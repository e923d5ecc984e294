// The page of a rule: switching it, tuning its thresholds, deleting it.

import { send } from "../api.js";
import { actor, refusal, say } from "../issues/actions.js";
import { updateThresholds } from "../monitoring.js";
import { baseNumber } from "./form.js";
import { enable } from "./rules.js";

const acts = document.getElementById("rule-acts");
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
    await send("DELETE", path, { version }, { by });
    location.assign("/rules");
  } catch (error) {
    say(refusal(error), { bad: true });
  }
});

const form = document.getElementById("tune");
const fields = [...form.querySelectorAll("input")];
const changed = fields.filter((field) => field.name !== "duration");

/** What was changed in the form; null goes back to what the rule says. */
function given() {
  const found = {};
  for (const field of fields) {
    if (field.value.trim() === field.defaultValue) continue;
    const value = field.name === "duration" ? field.value.trim() || null : baseNumber(field.value);
    if (Number.isNaN(value)) { field.setAttribute("aria-invalid", "true"); field.focus(); return null; }
    found[field.name] = value;
  }
  return found;
}

form.addEventListener("input", ({ target }) => target.removeAttribute("aria-invalid"));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  const values = given();
  if (values === null) say("A threshold is a number, with its unit if need be: 5%, 800ms, 1.5GB.", { bad: true });
  else if (!Object.keys(values).length) say("Nothing is changed yet.");
  else run((by) => updateThresholds({ [uid]: values }, { by }));
});
document.getElementById("untune")?.addEventListener("click", () => run((by) => updateThresholds({ [uid]: { ...Object.fromEntries(changed.map(({ name }) => [name, null])), duration: null, enabled: null } }, { by })));
document.documentElement.dataset.rule = "";
