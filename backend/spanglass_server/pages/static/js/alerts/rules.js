// The list of rules: a switch for each.

import { send } from "../api.js";
import { actor, refusal, say } from "../issues/actions.js";
import { renew } from "../live.js";

/** Switch a rule on or off, whatever it comes from. */
export async function enable(uid, isOn, by) {
  return send("POST", `rules/${encodeURIComponent(uid)}/${isOn ? "enable" : "disable"}`, { by });
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-switch]");
  if (!button) return;
  const by = await actor();
  if (!by) return;
  const isOn = button.getAttribute("aria-checked") !== "true";
  try {
    await enable(button.dataset.switch, isOn, by);
    button.setAttribute("aria-checked", String(isOn));
    await renew();
    say(`${button.getAttribute("aria-label").replace(/ is on$/, "")} is ${isOn ? "on" : "off"}.`);
  } catch (error) {
    say(refusal(error), { bad: true });
  }
});
document.documentElement.dataset.rules = "";
