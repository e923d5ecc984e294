// The list of alerts: selecting rows, changing them by mouse or keys, live.

import { bind, step } from "../keys.js";
import { renew } from "../live.js";
import { grouped } from "../time.js";
import { give, undo } from "./acting.js";

const rows = () => [...document.querySelectorAll(".alerts tbody tr")];
const boxes = () => [...document.querySelectorAll(".alerts tbody input[type=checkbox]")];
const focused = () => document.activeElement?.closest?.(".alerts tbody tr");
const alertOf = (row) => ({ id: row.dataset.alert, title: row.querySelector("td > a").textContent.trim(), status: row.dataset.status });

function show() {
  const picked = document.getElementById("picked");
  if (!picked) return;
  const count = boxes().filter((box) => box.checked).length;
  const text = count ? `${grouped(count)} selected` : "None selected";
  if (picked.textContent !== text) picked.replaceChildren(text);
  const all = document.getElementById("pick-all");
  all.checked = count > 0 && count === boxes().length;
  all.indeterminate = count > 0 && !all.checked;
}

function toggle() {
  const box = focused()?.querySelector("input");
  if (!box) return false;
  box.checked = !box.checked;
  show();
}

/** Read the list anew; if the row in which the reader is has gone, they are in the one that took its place. */
async function renewed() {
  const at = rows().indexOf(focused());
  for (const box of boxes()) box.checked = false;
  await renew().catch(() => location.reload());
  show();
  const left = rows();
  if (at >= 0 && left.length && !focused()) left[Math.min(at, left.length - 1)].querySelector("td > a").focus({ preventScroll: true });
}

/** Those selected become something, else the one in which the reader is; those that are it already stay. */
function become(status) {
  const picked = boxes().filter((box) => box.checked).map((box) => box.closest("tr"));
  const meant = (picked.length ? picked : [focused()].filter(Boolean)).map(alertOf).filter((one) => one.status !== status);
  if (!meant.length) return false;
  give(meant, status, renewed);
}

export function start() {
  if (!document.querySelector(".alerts")) return;
  document.addEventListener("change", (event) => {
    if (!event.target.closest(".alerts")) return;
    if (event.target.id === "pick-all") for (const box of boxes()) box.checked = event.target.checked;
    show();
  });
  let last = null; // a click on a button takes the focus from the row
  document.addEventListener("focusin", () => { last = focused() ?? last; });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#bulk [data-become]");
    if (!button) return;
    if (!boxes().some((box) => box.checked) && last?.isConnected) last.querySelector("td > a").focus({ preventScroll: true });
    if (become(button.dataset.become) === false) document.getElementById("picked").replaceChildren("Select alerts first: the boxes, or x");
  });
  const move = (by) => () => focused() !== null && focused() !== undefined && step(by);
  bind({ x: toggle, a: () => become("acknowledged"), r: () => become("resolved"), d: () => become("dismissed"), z: undo, ArrowDown: move(1), ArrowUp: move(-1) }, { x: "select the row", a: "acknowledge", r: "resolve", d: "dismiss", z: "undo" });
  show(); // the browser may have kept what was selected
}
