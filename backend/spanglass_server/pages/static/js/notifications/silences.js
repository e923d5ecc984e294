// The list of silences: one hour more, or ended now.

import { parseMs } from "../time.js";
import { changeHere } from "./acting.js";

const HOUR_MS = 3_600_000;

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-extend], [data-expire]");
  const row = button?.closest("[data-silence]");
  if (!row) return;
  const { silence, matchers, comment, starts, ends } = row.dataset;
  const path = `silences/${encodeURIComponent(silence)}`;
  if ("expire" in button.dataset) return changeHere("DELETE", path, {}, "The silence has ended.");
  const end = new Date(parseMs(ends) + HOUR_MS).toISOString();
  changeHere("PUT", path, { matchers, comment, starts_at: starts, ends_at: end }, "It goes on for one hour more.");
});
document.documentElement.dataset.silences = "";
