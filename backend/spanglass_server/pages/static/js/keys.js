// Keys: one table; pages add theirs.

import { typing } from "./dom.js";

const table = new Map();

/** Bind keys; a later binding of the same key goes first, and returning false passes the key on. */
export function bind(bindings) {
  for (const [key, run] of Object.entries(bindings)) table.set(key, [run, ...(table.get(key) ?? [])]);
}

function focus(selector) {
  const field = document.querySelector(selector);
  if (!field) return false;
  field.focus();
  field.select?.();
  return true;
}

/** Move the focus by one among rows' links. */
export function step(by) {
  const links = [...document.querySelectorAll(".rows tbody tr > td > a, .log > .log-r > summary")];
  if (!links.length) return false;
  const at = links.findIndex((link) => link === document.activeElement || link.closest("tr, details")?.contains(document.activeElement));
  links[Math.max(0, Math.min(links.length - 1, at < 0 ? 0 : at + by))].focus();
  return true;
}

export function start() {
  bind({
    "/": () => focus(".jump input"),
    f: () => focus(".filter input"),
    "?": () => document.getElementById("help").showModal(),
    j: () => step(1),
    k: () => step(-1),
  });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (typing(event)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    for (const run of table.get(event.key) ?? []) {
      if (run(event) !== false) {
        event.preventDefault();
        return;
      }
    }
  });
}
