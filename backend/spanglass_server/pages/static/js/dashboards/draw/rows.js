// Panels of rows: tables, log records, traces.

import { h, icon, linkable, service, unit } from "../../dom.js";
import { momentText } from "../../charts/moment.js";
import { valueText } from "../../charts/units.js";
import { logRow } from "../../logs.js";
import { clock, durationParts, grouped, plain } from "../../time.js";
import { CSS } from "./figures.js";

const MOST_ROWS = 200;
const MOST_RECORDS = 20;

const limitOf = (panel, otherwise) => panel.options.limit ?? otherwise;

const head = (columns) => h("thead", {}, h("tr", {}, columns.map(({ name, number }) => h("th", { scope: "col", class: number ? "n" : null }, name))));

/** The level of a value: that of the highest threshold which it reaches. */
const levelOf = (value, thresholds) => thresholds.filter((one) => value >= one.value).sort((a, b) => b.value - a.value)[0]?.level;

function cell(value, { number, time }, panel) {
  if (value === null || value === undefined) return h("td", { class: number ? "n dim" : "dim" }, "\u2013");
  if (number && typeof value === "number") return h("td", { class: `n ${CSS[levelOf(value, panel.thresholds)] ?? ""}` }, valueText(value, panel.unit, panel.options.decimals));
  if (time && typeof value === "string") return h("td", { class: "mono" }, momentText(Date.parse(value) / 1000, 1));
  if (linkable(value)) return h("td", {}, h("a", { href: value, rel: "noreferrer noopener" }, value));
  return h("td", {}, plain(value));
}

/** Rows that a statement gave, or series with their labels. */
export function table(panel, { table: { columns, values } }) {
  const most = limitOf(panel, MOST_ROWS);
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Rows: ${panel.title || "table"}` },
    h("table", { class: "tbl" }, head(columns), h("tbody", {}, values.slice(0, most).map((row) => h("tr", {}, columns.map((column, i) => cell(row[i], column, panel)))))),
    values.length > most && h("p", { class: "note" }, `${grouped(values.length - most)} more rows`));
}

/** Log records, newest first; lines open as on the page of logs. */
export function logs(panel, { records }) {
  return h("div", { class: "log" }, records.slice(0, limitOf(panel, MOST_RECORDS)).map(logRow));
}

/** Traces, newest first, each with its root, duration and errors. */
export function traces(panel, { records }) {
  const rows = records.slice(0, limitOf(panel, MOST_RECORDS)).map((one) => h("tr", {},
    h("td", { class: "mono dim hide-s" }, clock(one.start_time).slice(0, -4)),
    h("td", { class: "w" }, h("a", { href: `/traces/${one.trace_id}` }, service(one.root_operation || one.root_service, slotOf(one))), " ", h("span", { class: "dim" }, one.root_service)),
    h("td", { class: "n" }, unit(durationParts(one.duration_ns))),
    h("td", { class: "n hide-s" }, one.span_count ? grouped(one.span_count) : ""),
    h("td", { class: "n" }, one.error_count ? h("span", { class: "err nums" }, icon("errors"), grouped(one.error_count)) : h("span", { class: "dim" }, "0"))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Rows: ${panel.title || "traces"}` }, h("table", { class: "tbl rows" },
    h("thead", {}, h("tr", {}, [["Start", "hide-s"], ["Root", "w"], ["Duration", "n"], ["Spans", "n hide-s"], ["Errors", "n"]].map(([name, css]) => h("th", { scope: "col", class: css || null }, name)))), h("tbody", {}, rows)));
}

const slotOf = (one) => one.services?.find(({ service: name }) => name === one.root_service)?.slot ?? 0;
