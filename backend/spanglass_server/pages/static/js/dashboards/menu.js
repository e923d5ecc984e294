// The menu of a panel.

import { h, icon } from "../dom.js";
import { asLink, asMarkdown } from "../copying/copying.js";
import { isChart } from "./draw/draw.js";

const item = (text, run, attributes = {}) => { const button = h("button", { type: "button", class: "opt", ...attributes }, text); button.addEventListener("click", run); return button; };

const FORMS = { csv: "CSV", ndjson: "NDJSON", parquet: "Parquet" };
const MS = 1000;

/** What a panel shows as a file, over the range that it has now. */
function fileOf(board, definition, form) {
  const [start, end] = [board.range.start, board.range.end].map((seconds) => new Date(seconds * MS).toISOString());
  const asked = new URLSearchParams({ start, end, variables: JSON.stringify(board.variables.values), format: form });
  return `/api/v1/dashboards/${encodeURIComponent(board.uid)}/panels/${encodeURIComponent(definition.id)}/export?${asked}`;
}

/** A menu that is filled when it is opened, so that it says what is possible then. */
export function panelMenu(panel) {
  const { board } = panel;
  const list = h("div", { class: "pop p-menu" });
  const menu = h("details", { class: "menu", "data-own": "" }, h("summary", { class: "btn bare sq", "aria-label": `Menu of ${panel.definition.title || "the panel"}` }, icon("more")), list);
  const done = (run) => () => { menu.open = false; menu.querySelector("summary").focus(); run(); };
  menu.addEventListener("toggle", () => {
    if (!menu.open) return;
    const { definition } = panel;
    const alone = board.solo === definition.id;
    list.replaceChildren(...[
      item(alone ? "Back to all panels" : "Full screen", done(() => board.show(alone ? null : definition.id))),
      isChart(definition.type) && item(panel.table ? "As a chart" : "Values as a table", done(() => panel.swap())),
      definition.type !== "text" && item("Load again", done(() => panel.load())),
      !board.editing && item("Copy link", done(() => asLink(null, { panel: definition.id }))),
      !board.editing && item("Copy as Markdown", done(() => asMarkdown(null, panel.element, { panel: definition.id }))),
      ...(board.editing || definition.type === "text" ? [] : ["csv", "ndjson", "parquet"].map((form) => h("a", { class: "opt", href: fileOf(board, definition, form), download: "" }, `Download as ${FORMS[form]}`))),
      ...board.menuItems(panel).map(([text, run]) => item(text, done(run))),
      ...definition.links.map(({ title, url }) => h("a", { class: "opt", href: board.filled(url, true) }, title || url)),
      definition.description && h("p", { class: "note" }, definition.description),
    ].filter(Boolean));
  });
  return menu;
}
