// Pinning a trace with a note, changing the note, unpinning.

import { send } from "../api.js";
import { actor, refusal } from "../issues/actions.js";
import { bind } from "../keys.js";

const dialog = document.getElementById("pin-why");
const line = dialog.querySelector("[role=alert]");
const path = `pins/${dialog.dataset.trace}`;

async function change(method, note) {
  const who = await actor();
  if (!who) return;
  try {
    await send(method, path, method === "PUT" ? { note, actor: who } : {});
    location.reload();
  } catch (error) {
    line.textContent = refusal(error);
    line.hidden = false;
    dialog.showModal();
  }
}

dialog.addEventListener("close", () => {
  if (dialog.returnValue === "pin") change("PUT", dialog.querySelector("[name=note]").value.trim());
  if (dialog.returnValue === "unpin") change("DELETE");
});

const ask = () => {
  dialog.returnValue = "";
  line.hidden = true;
  dialog.showModal();
};

document.getElementById("pin-trace").addEventListener("click", ask);
bind({ p: ask }, { p: "pin the trace, or its note" });
