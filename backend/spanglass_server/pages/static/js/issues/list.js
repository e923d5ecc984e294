// The list of issues: selecting rows, what is done to those selected, keys.

import { bind, step } from "../keys.js";
import { grouped } from "../time.js";
import { change, picked } from "./actions.js";

const boxes = () => [...document.querySelectorAll(".issues tbody input[type=checkbox]")];
const focused = () => document.activeElement?.closest?.(".issues tbody tr");

/** The issue that others are merged into: of those selected the one with most events. */
function target() {
  const rows = boxes().filter((box) => box.checked).map((box) => box.closest("tr"));
  const most = rows.reduce((best, row) => (Number(row.dataset.events) > Number(best.dataset.events) ? row : best), rows[0]);
  return most?.dataset.issue ?? "";
}

function show() {
  const count = picked().length;
  document.getElementById("picked").replaceChildren(count ? `${grouped(count)} selected` : "None selected");
  const all = document.getElementById("pick-all");
  all.checked = count > 0 && count === boxes().length;
  all.indeterminate = count > 0 && !all.checked;
  const merge = document.getElementById("merge");
  merge.disabled = count < 2;
  merge.form.dataset.merge = target();
  merge.replaceChildren(count < 2 ? "Merge" : `Merge into ${target()}`);
}

function toggle() {
  const box = focused()?.querySelector("input");
  if (!box) return false;
  box.checked = !box.checked;
  show();
}

function resolve() {
  const ids = picked();
  if (ids.length) change("PATCH", "issues", { ids, state: "resolved" });
  else if (focused()) change("PATCH", `issues/${encodeURIComponent(focused().dataset.issue)}`, { state: "resolved" });
  else return false;
}

export function start() {
  const table = document.querySelector(".issues");
  if (!table) return;
  table.addEventListener("change", (event) => {
    if (event.target.id === "pick-all") for (const box of boxes()) box.checked = event.target.checked;
    show();
  });
  bind({ x: toggle, e: resolve, ArrowDown: () => focused() !== null && step(1), ArrowUp: () => focused() !== null && step(-1) }, { x: "select the row", e: "resolve what is selected" });
  show(); // the browser may have kept what was selected
}
