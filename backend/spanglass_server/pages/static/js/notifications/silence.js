// The form of a silence: what it would hide is shown while it is typed.

import { change, onSubmit } from "./acting.js";
import { follow } from "./preview.js";

const form = document.getElementById("silence");
const { id, starts, ends } = form.dataset;
const field = (name) => form.elements.namedItem(name);

/** When it ends: at a time of the browser's clock, so long from now, or when it did before. */
function end() {
  if (field("ends").value) return { ends_at: new Date(field("ends").value).toISOString() };
  const lasts = field("for").value;
  return lasts ? { ends_at: `now+${lasts}` } : { ends_at: ends };
}

follow(form);
for (const one of form.querySelectorAll("[name=for]")) one.addEventListener("change", () => { field("ends").value = ""; });
field("ends").dataset.apart = "";
onSubmit(form, async () => {
  if (!form.reportValidity()) return;
  const body = { matchers: field("matchers").value.trim(), comment: field("comment").value.trim(), ...end() };
  const answer = id ? await change("PUT", `silences/${encodeURIComponent(id)}`, { ...body, starts_at: starts }) : await change("POST", "silences", body);
  if (answer) location.assign("/silences");
});
document.getElementById("expire")?.addEventListener("click", async () => { if (await change("DELETE", `silences/${encodeURIComponent(id)}`)) location.assign("/silences"); });
document.documentElement.dataset.silence = "";
