// Small things of every page: theme, copy buttons, popovers, rows, pickers.

import { ask } from "./api.js";
import { copy } from "./copying/copying.js";
import { go, remember, waiting } from "./go.js";
import { isBusy } from "./live.js";

const PERIOD = 2000; // ms between two looks whether an empty server is still empty
const THEMES = ["system", "light", "dark"];

function themes() {
  const button = document.getElementById("theme-switch");
  const root = document.documentElement;
  const name = () => button.setAttribute("aria-label", `Theme: ${root.dataset.theme ?? "system"}`);
  name();
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "system") + 1) % THEMES.length];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      if (next === "system") localStorage.removeItem("spanglass.theme");
      else localStorage.setItem("spanglass.theme", next);
    } catch { /* storage is forbidden: the choice holds for this page */ }
    name();
  });
}

function copying(event) {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  copy(button.dataset.copy);
  const use = button.querySelector("use");
  use?.setAttribute("href", "#check");
  setTimeout(() => use?.setAttribute("href", "#copy"), 1200);
}

/** A click anywhere in a row opens what its first link opens. */
function rows(event) {
  const row = event.target.closest?.(".rows tbody tr");
  if (!row || event.target.closest("a, button, input, summary") || String(getSelection())) return;
  const link = row.querySelector("td > a");
  if (!link) return;
  if (event.ctrlKey || event.metaKey) open(link.href, "_blank", "noopener");
  else {
    waiting();
    location.assign(link.href);
  }
}

function popovers() {
  const range = document.querySelector("details.range");
  if (!range) return;
  if ("unread" in range.dataset) remember({ last: null, start: null, end: null }); // the page has the default range
  document.addEventListener("click", (event) => { if (!range.contains(event.target)) range.open = false; });
  range.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !range.open) return;
    range.open = false;
    range.querySelector("summary").focus();
    event.preventDefault();
  });
}

/** In a narrow window a facet is a button that opens its values below the row of buttons. */
function facets() {
  const narrow = matchMedia("(max-width: 56rem)");
  for (const facet of document.querySelectorAll(".facet")) {
    facet.querySelector("summary").addEventListener("click", (event) => {
      if (!narrow.matches) return;
      event.preventDefault();
      facet.open = true;
      const shown = facet.classList.contains("shown");
      for (const other of document.querySelectorAll(".facet.shown")) other.classList.remove("shown");
      facet.classList.toggle("shown", !shown);
    });
  }
}

function pickers() {
  for (const form of document.querySelectorAll("form[data-auto]")) {
    form.addEventListener("change", (event) => {
      if (!(event.target instanceof HTMLSelectElement)) return;
      go({ [event.target.name]: event.target.value, ...(event.target.name === "service" ? { operation: null } : {}) });
    });
  }
}

/** On a narrow window the chosen tab may be out of sight. */
function tabs() {
  for (const tab of document.querySelectorAll(".tabs > [aria-current]")) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** An empty server's page shows what comes as soon as it comes. */
function firstRecords() {
  const what = document.querySelector("[data-waits]")?.dataset.waits;
  if (!what) return;
  const look = async () => {
    const answer = document.hidden ? {} : await ask(what, what === "services" ? { buckets: 0 } : { limit: 1 }).catch(() => ({}));
    if (answer[what]?.length && !isBusy()) location.reload();
    else setTimeout(look, PERIOD);
  };
  setTimeout(look, PERIOD);
}

export function start() {
  firstRecords();
  themes();
  popovers();
  facets();
  pickers();
  tabs();
  document.addEventListener("click", copying);
  document.addEventListener("click", rows);
}
