// The queries of a panel in its form.

import { h, icon } from "../../dom.js";
import { complete } from "../../promql/box.js";
import { area, button, choice, flag, text } from "./fields.js";

const KINDS = [["query", "PromQL or measure"], ["filter", "Filter"], ["formula", "Formula"], ["sql", "SQL"]];
const SIGNALS = [["spans", "Spans"], ["logs", "Log records"]];
const AGGREGATES = [["count", "number"], ["rate", "rate a second"], ["avg(duration)", "mean duration"], ["p95(duration)", "p95 of duration"], ["p99(duration)", "p99 of duration"]];

const letter = (taken) => Array.from({ length: 26 }, (_, i) => String.fromCharCode(65 + i)).find((one) => !taken.includes(one)) ?? `Q${taken.length}`;

/** Which of the kinds a query has. */
export const kindOf = (query) => ["query", "promql", "measure", "sql", "formula"].find((kind) => query[kind]) ?? (query.signal || query.filter ? "filter" : "query");

/** A query of another kind; its text goes with it. */
function turned(query, kind) {
  const old = kindOf(query);
  const words = query[old] ?? "";
  const turned_ = { ...query, query: "", promql: "", measure: "", sql: "", formula: "", filter: "", signal: "", [kind]: old === kind ? words : kind === "query" ? words : "" };
  return kind === "filter" ? { ...turned_, signal: "spans" } : turned_;
}

/** Fields of all queries; `run` is told of each change, `again` when the fields themselves must be made anew. */
export function queryFields(panel, { run, again, emptyQuery }) {
  const isRecords = panel.type === "logs" || panel.type === "traces";
  const rows = panel.queries.map((query, i) => one(panel, query, i, { run, again, isRecords }));
  const add = !isRecords && button([icon("plus"), "Query"], () => { panel.queries.push(emptyQuery(letter(panel.queries.map(({ id }) => id)))); again(panel.queries.length - 1); });
  return h("div", { class: "flow queries" }, rows, add && h("div", { class: "row" }, add));
}

function one(panel, query, i, { run, again, isRecords }) {
  const kind = isRecords ? "query" : kindOf(query);
  const set = (name) => (value) => { query[name] = value; run(); };
  const title = panel.queries.length > 1 ? `Query ${query.id}` : "Query";
  const shown = kind === "promql" || kind === "measure" ? kind : kind;
  const own = {
    query: () => words(isRecords ? "Filter" : title, query.query, set("query"), isRecords ? { placeholder: panel.type === "logs" ? "severity >= warn" : "service = \"checkout\" and duration > 500ms", plain: true } : { placeholder: "sum by (http_route) (rate(http_server_request_duration_seconds_count[5m])), or error_rate" }),
    promql: () => words(`${title}, PromQL`, query.promql, set("promql")),
    measure: () => words(`${title}, measure`, query.measure, set("measure")),
    formula: () => text(`${title}, formula`, query.formula, set("formula"), { class: "in mono", placeholder: "A / B * 100" }),
    sql: () => area(`${title}, SQL`, query.sql, set("sql"), { class: "in area mono", placeholder: "SELECT service_name, count(*) FROM spans GROUP BY ALL" }),
    filter: () => h("div", { class: "flow tight" }, text(`${title}, filter`, query.filter, set("filter"), { class: "in mono", placeholder: "status = error" }),
      h("div", { class: "fields" }, choice("Records", query.signal || "spans", SIGNALS, set("signal")), choice("Show", query.aggregate, AGGREGATES.some(([value]) => value === query.aggregate) ? AGGREGATES : [...AGGREGATES, [query.aggregate, query.aggregate]], set("aggregate")),
        text("By", query.by.join(", "), (value) => { query.by = value.split(",").map((part) => part.trim()).filter(Boolean); run(); }, { placeholder: "service.name" }))),
  }[shown]();
  const kinds = KINDS.some(([value]) => value === kind) ? KINDS : [...KINDS, [kind, kind === "promql" ? "PromQL" : "Measure"]];
  const extras = isRecords ? null : h("div", { class: "fields" }, choice("Language", kind, kinds, (value) => { panel.queries[i] = turned(query, value); again(i); run(); }),
    text("Legend", query.legend, set("legend"), { placeholder: "{{http_route}}" }),
    panel.queries.length > 1 && h("div", { class: "row end" }, flag("Hide", query.hidden, set("hidden")), button(icon("close"), () => { panel.queries.splice(i, 1); again(Math.max(0, i - 1)); run(); }, { class: "btn bare sq", "aria-label": `Take query ${query.id} away` })));
  return h("fieldset", { class: "flow tight", "data-query": i }, h("legend", { class: "vh" }, title), own, extras);
}

/** A field for a query, as wide as the form, with completion unless it is `plain`. */
function words(label, value, run, { plain = false, ...attributes } = {}) {
  const input = h("textarea", { class: "in area mono", rows: 2, spellcheck: "false", ...attributes });
  input.value = value;
  input.addEventListener("input", () => run(input.value));
  const holder = h("div", { class: "q-field" }, input);
  if (!plain) complete(input);
  return h("div", { class: "field" }, h("label", {}, h("span", {}, label), holder));
}
