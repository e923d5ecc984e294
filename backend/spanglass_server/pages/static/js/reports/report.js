// One report: how far it is while it is made, deleting or stopping it.

import { ask, send } from "../api.js";
import { refusal } from "../issues/actions.js";

const EVERY_MS = 500;
const { report, state } = document.getElementById("report").dataset;
const path = `reports/${encodeURIComponent(report)}`;
const line = document.getElementById("refused");
const stage = document.getElementById("stage");

document.getElementById("delete").addEventListener("click", async () => {
  try {
    await send("DELETE", path, {});
    location.assign("/reports");
  } catch (error) {
    line.textContent = refusal(error);
    line.hidden = false;
  }
});

async function look() {
  try {
    const one = await ask(path);
    if (one.state === "done" || one.state === "failed") {
      location.reload();
      return;
    }
    stage.textContent = stage.dataset[one.state];
    const { done, total, section } = one.progress;
    document.getElementById("progress").textContent = total ? `${done} of ${total}: ${section}` : "";
  } catch (error) {
    line.textContent = refusal(error);
    line.hidden = false;
    if (error.status === 404) return; // it was deleted
  }
  setTimeout(look, EVERY_MS);
}

if (state === "waiting" || state === "running") look();
