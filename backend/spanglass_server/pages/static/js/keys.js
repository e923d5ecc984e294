// Keys: one table. Every page has those below; pages add theirs, with the words that the help shows for them.

import { h, typing } from "./dom.js";

const OFF = "spanglass.keys"; // in the browser's storage: "off" where single keys do nothing
const ROWS = ".rows tbody tr, .log > .log-r, main .list > li, .board-list > li";
const NAMES = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };

const table = new Map();
const told = new Map(); // words of this page's keys, with the keys that they are about

let waits = false; // whether the key before was g

/** Bind keys; a later binding of the same key goes first, and returning false passes the key on. `words` are by key. */
export function bind(bindings, words = {}) {
  for (const [key, run] of Object.entries(bindings)) table.set(key, [run, ...(table.get(key) ?? [])]);
  for (const [key, text] of Object.entries(words)) told.set(text, [...(told.get(text) ?? []), key]);
}

function focus(selector) {
  const field = document.querySelector(selector);
  if (!field) return false;
  field.focus();
  field.select?.();
  return true;
}

/** What each row of the page's lists opens, those that are shown. */
const links = () => [...document.querySelectorAll(ROWS)].map((row) => row.querySelector(":scope > summary, a[href]:not(.btn), summary")).filter((link) => link?.offsetParent);

/** The place of the focus among the rows; -1 outside of them. */
const place = (all) => all.findIndex((link) => link === document.activeElement || link.closest("tr, details, li").contains(document.activeElement));

/** Move the focus by one among rows' links. */
export function step(by) {
  const all = links();
  if (!all.length) return false;
  const at = place(all);
  all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))].focus();
  return true;
}

/** Run a change of the page's lists; where the row with the focus goes, the row in its place takes it. */
export function keepingFocus(change) {
  const active = document.activeElement;
  const at = place(links());
  change();
  if (document.activeElement === active) return;
  const all = active?.isConnected || at < 0 ? [] : links();
  (active?.isConnected ? active : all[Math.min(at, all.length - 1)])?.focus({ preventScroll: true });
}

/** Open what a row is about, where the focus is on something else of it. */
function enter() {
  const row = document.activeElement?.closest?.(ROWS);
  const link = row?.querySelector(":scope > summary, a[href]:not(.btn), summary");
  if (!link || document.activeElement.matches("a, button, summary, input, select, textarea")) return false;
  link.click();
  return true;
}

/** After g, a letter opens the page that the help names beside it. */
function jump(key) {
  wait(false);
  const link = [...document.querySelectorAll("#help a[data-go]")].find((one) => one.dataset.go === key);
  link?.click();
  return Boolean(link);
}

function wait(on) {
  waits = on;
  const line = document.getElementById("chord");
  if (line) line.hidden = !on;
  return true;
}

const up = () => {
  const link = [...document.querySelectorAll(".crumb a")].pop();
  link?.click();
  return Boolean(link);
};

const isOff = () => {
  try {
    return localStorage.getItem(OFF) === "off";
  } catch {
    return false; // storage is forbidden
  }
};

/** Show the help, with the keys of this page. */
function help() {
  const dialog = document.getElementById("help");
  const own = dialog.querySelector("#own-keys");
  own.replaceChildren(...[...told].flatMap(([text, keys]) => [
    h("dt", {}, ...keys.flatMap((key) => [h("kbd", {}, NAMES[key] ?? key), " "])), h("dd", {}, text),
  ]));
  own.parentElement.hidden = !told.size;
  if (!dialog.open) dialog.showModal();
}

function switches() {
  const box = document.querySelector("#help [name=keys]");
  if (!box) return;
  box.checked = !isOff();
  box.addEventListener("change", () => {
    try {
      if (box.checked) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, "off");
    } catch { /* storage is forbidden: they stay on */ }
  });
  document.getElementById("show-keys")?.addEventListener("click", help);
}

function pressed(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (typing(event)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key.length === 1 && isOff()) return;
  if (waits && event.key !== "Shift") {
    if (jump(event.key)) event.preventDefault();
    return;
  }
  for (const run of table.get(event.key) ?? []) {
    if (run(event) !== false) {
      event.preventDefault();
      return;
    }
  }
}

export function start() {
  bind({
    "/": () => focus(".jump input"),
    f: () => focus(".filter input"),
    g: () => wait(true),
    "?": help,
    j: () => step(1),
    k: () => step(-1),
    Enter: enter,
    u: up,
  });
  document.addEventListener("keydown", pressed);
  document.addEventListener("pointerdown", () => wait(false));
  switches();
}
