// The page of a performance finding: dismissed with a reason, opened again.

import { send } from "../api.js";
import { actor, refusal, say } from "../issues/actions.js";
import { bind } from "../keys.js";

const { finding } = document.getElementById("finding-acts").dataset;
const why = document.getElementById("why");

async function change(state, reason = "") {
  const by = await actor();
  if (!by) return;
  try {
    await send("PATCH", `findings/${finding}`, { state, actor: by, ...(reason ? { reason } : {}) });
    location.reload();
  } catch (error) {
    say(refusal(error), { bad: true });
  }
}

why.addEventListener("close", () => {
  const reason = why.querySelector("[name=reason]").value.trim();
  if (why.returnValue === "ok" && reason) change("dismissed", reason);
});

const ask = () => {
  why.returnValue = "";
  why.showModal();
};

const dismiss = document.getElementById("dismiss");
dismiss?.addEventListener("click", ask);
document.getElementById("reopen")?.addEventListener("click", () => change("open"));
if (dismiss) bind({ d: ask }, { d: "dismiss" });
