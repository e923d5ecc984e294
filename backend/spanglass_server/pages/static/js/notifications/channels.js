// Channels: a test message, and deleting one.

import { say } from "../issues/actions.js";
import { renew } from "../live.js";
import { change } from "./acting.js";

const path = (name) => `notifications/settings/channels/${encodeURIComponent(name)}`;

async function test(button) {
  button.disabled = true;
  const { test: name } = button.dataset;
  say(`A test message is on its way over ${name}.`);
  const answer = await change("POST", "notifications/test", { channel: name });
  button.disabled = false;
  if (!answer) return;
  await renew().catch(() => null);
  if (answer.sent) say(`${name} took the test message${answer.answer ? `: ${answer.answer}` : "."}`);
  else say(`${name} did not take the test message. ${answer.error || answer.answer}`, { bad: true });
  button.focus({ preventScroll: true });
}

document.addEventListener("click", ({ target }) => { const button = target.closest?.("[data-test]"); if (button) test(button); });

document.getElementById("delete")?.addEventListener("click", async () => {
  const { channel, version } = document.getElementById("channel-acts").dataset;
  if (!confirm(`Delete the channel ${channel}? What waits to be sent over it is given up.`)) return;
  if (await change("DELETE", path(channel), { version })) location.assign("/channels");
});
document.documentElement.dataset.channels = "";
