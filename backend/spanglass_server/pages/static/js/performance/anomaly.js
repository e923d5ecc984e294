// Anomalies: somebody says that one is fine, with a reason; it is told of again.

import { send } from "../api.js";
import { actor, refusal, say } from "../issues/actions.js";
import { bind } from "../keys.js";

const why = document.getElementById("why");
const fine = document.getElementById("fine");

async function change(method, path, body) {
  const by = await actor();
  if (!by) return;
  try {
    await send(method, path, { ...body, actor: by });
    location.reload();
  } catch (error) {
    say(refusal(error), { bad: true });
  }
}

why?.addEventListener("close", () => {
  const reason = why.querySelector("[name=reason]").value.trim();
  const until = why.querySelector("[name=until]").value;
  const { anomaly } = document.getElementById("anomaly-acts").dataset;
  if (why.returnValue === "ok" && reason) change("POST", `anomalies/${anomaly}/fine`, { reason, ...(until ? { until } : {}) });
});

const ask = () => {
  why.returnValue = "";
  why.showModal();
};

fine?.addEventListener("click", ask);
if (fine) bind({ d: ask }, { d: "this is fine" });
// the list is drawn anew while it is looked at: what is clicked is told by its place
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-undo]");
  if (button) change("DELETE", `anomaly-feedback/${button.dataset.undo}`, {});
});
