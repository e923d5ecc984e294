// The postmortem: written, copied, downloaded.

import { say } from "../issues/actions.js";
import { run } from "./acting.js";
import { writePostmortem } from "./api.js";

const { incident: id } = document.getElementById("incident-acts").dataset;
const form = document.getElementById("postmortem");
const area = form.elements.text;
area.readOnly = false;
let saved = area.value;

document.getElementById("copy-text").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(area.value);
    say("Copied.");
  } catch {
    area.select();
    say("The browser does not let it be copied from here: it is selected, copy it with the keyboard.", { bad: true });
  }
});

const download = document.getElementById("download-file");
download.addEventListener("click", () => {
  URL.revokeObjectURL(download.href);
  download.href = URL.createObjectURL(new Blob([area.value], { type: "text/markdown" }));
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopPropagation();
  if (await run((by) => writePostmortem(id, area.value, by), "Saved. It is no longer made anew.", () => null)) saved = area.value;
});
document.getElementById("draft")?.addEventListener("click", () => run((by) => writePostmortem(id, "", by), "", () => { saved = area.value; location.reload(); }));
addEventListener("beforeunload", (event) => { if (area.value !== saved) event.preventDefault(); });
