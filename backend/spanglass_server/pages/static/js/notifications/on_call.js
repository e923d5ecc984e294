// On call: somebody else for a time is one more override of the rota.

import { ask, send } from "../api.js";
import { actor, refusal, say } from "../issues/actions.js";
import { onSubmit } from "./acting.js";

for (const form of document.querySelectorAll("form[data-override]")) {
  onSubmit(form, async () => {
    if (!form.reportValidity()) return;
    const by = await actor();
    if (!by) return;
    const path = `notifications/settings/rotas/${encodeURIComponent(form.dataset.override)}`;
    const { person, from, to, reason } = Object.fromEntries(new FormData(form));
    try {
      const { value, version } = await ask(path);
      const override = { person, from, to, ...(reason.trim() ? { reason: reason.trim() } : {}) };
      await send("PUT", path, { value: { ...value, overrides: [...(value.overrides ?? []), override] }, version, by });
      location.reload();
    } catch (error) {
      say(`Not saved. ${refusal(error)}`, { bad: true });
    }
  });
}
document.documentElement.dataset.onCall = "";
