// What a dashboard is besides its panels: name, refresh, range, variables, annotations.

import { h, icon } from "../../dom.js";
import { area, button, choice, flag, text } from "./fields.js";

const SOURCES = [["query", "label_values(...) of PromQL"], ["key", "values of an attribute"], ["values", "a fixed list"], ["sql", "SQL"], ["text", "typed by the reader"]];
const REFRESH = ["off", "5s", "10s", "30s", "1m", "5m"];
const RANGES = ["5m", "15m", "1h", "6h", "24h", "7d"];

const clone = (value) => JSON.parse(JSON.stringify(value));
const list = (words) => words.split(",").map((part) => part.trim()).filter(Boolean);
const named = (values, own) => [...new Set([...values, own])].map((value) => [value, value]);

const emptyVariable = () => ({ name: "", label: "", query: "", sql: "", key: "", signal: "spans", filter: "", values: [], regex: "", default: [], multi: false, all: false, hidden: false });

const sourceOf = (variable) => ["query", "sql", "key"].find((name) => variable[name]) ?? (variable.values.length ? "values" : variable.source ?? "query");

/** The fields of one variable. */
function variableFields(variable, i, again) {
  const source = sourceOf(variable);
  const set = (name) => (value) => { variable[name] = value; };
  const own = {
    query: () => text("Query", variable.query, set("query"), { class: "in mono", placeholder: "label_values(http_server_request_duration_seconds_count, service_name)" }),
    key: () => text("Attribute", variable.key, set("key"), { class: "in mono", placeholder: "service.name" }),
    values: () => text("Values", variable.values.join(", "), (value) => { variable.values = list(value); }),
    sql: () => text("SQL", variable.sql, set("sql"), { class: "in mono" }),
    text: () => null,
  }[source]();
  return h("fieldset", { class: "flow tight" }, h("legend", { class: "vh" }, `Variable ${i + 1}`),
    h("div", { class: "fields" }, text("Name", variable.name, set("name"), { class: "in mono", placeholder: "service" }), text("Label", variable.label, set("label")),
      choice("From", source, SOURCES, (value) => { Object.assign(variable, { query: "", sql: "", key: "", values: [], source: value }); again(); })), own,
    h("div", { class: "row" }, flag("Several", variable.multi, set("multi")), flag("All", variable.all, set("all")), flag("Hidden", variable.hidden, set("hidden")), button(icon("close"), () => again(i), { class: "btn bare sq push", "aria-label": `Take variable ${variable.name || i + 1} away` })));
}

/** Ask in a dialog; what is taken over is one change of the draft. */
export function settings(editing) {
  const draft = clone(editing.board.dashboard);
  const variables = h("div", { class: "flow" });
  const fill = (removed = null) => {
    if (removed !== null) draft.variables.splice(removed, 1);
    variables.replaceChildren(...draft.variables.map((one, i) => variableFields(one, i, fill)));
  };
  fill();
  const add = button([icon("plus"), "Variable"], () => { draft.variables.push(emptyVariable()); fill(); variables.lastElementChild.querySelector("input").focus(); });
  const marks = (source, name) => flag(`Mark ${source} in charts`, draft.annotations.some((one) => one.source === source), (value) => { draft.annotations = draft.annotations.filter((one) => one.source !== source); if (value) draft.annotations.push({ name, source, query: "", label: "" }); });
  const dialog = h("dialog", { class: "wide", "aria-labelledby": "settings-title" }, h("form", { method: "dialog", class: "flow" }, h("h2", { class: "title", id: "settings-title" }, "Settings"),
    h("div", { class: "fields" }, text("Name", draft.name, (value) => { draft.name = value; }, { required: true, pattern: ".*\\S.*" }), text("Tags", draft.tags.join(", "), (value) => { draft.tags = list(value); })),
    area("Description", draft.description, (value) => { draft.description = value; }, { rows: 2 }),
    h("div", { class: "fields" }, choice("Refresh", draft.refresh_interval, named(REFRESH, draft.refresh_interval), (value) => { draft.refresh_interval = value; }), choice("Range", draft.range, named(RANGES, draft.range), (value) => { draft.range = value; })),
    h("div", { class: "row" }, marks("releases", "Releases"), marks("alerts", "Alerts")),
    h("h3", {}, "Variables"), h("p", { class: "note" }, "Queries name them: service_name=~\"$service\"."), variables, h("div", { class: "row" }, add),
    h("div", { class: "row" }, h("button", { class: "btn main", value: "ok" }, "Take over"), h("button", { class: "btn", value: "", formnovalidate: true }, "Cancel"))));
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (dialog.returnValue !== "ok") return;
    for (const variable of draft.variables) delete variable.source;
    editing.takeOver(draft);
  });
  dialog.showModal();
}
