// The values of a chart as a table: for those who read better than they see, and for copying.

import { h } from "../dom.js";
import { heatRows } from "./heat.js";
import { traceLink } from "./marks.js";
import { momentText } from "./moment.js";
import { valueText } from "./units.js";

const MOST_ROWS = 300;
const MOST_SERIES = 20;
const MOST_LINKS = 30;

const cell = (css, text) => h("td", { class: css }, text);

function rowsOf({ frame, look }, series) {
  const unit = [look.unit, look.decimals ?? null];
  if (look.kind === "heat") return heatRows(frame, look.unit).map(([time, words]) => h("tr", {}, cell("mono", time), cell("w", words)));
  return frame.times.map((time, at) => h("tr", {}, cell("mono", momentText(time, frame.step)), series.map(({ values }) => cell("n", valueText(values[at], ...unit)))));
}

/** A scrolling table, newest first, with links to the traces of exemplars below it. */
export function valuesTable(chart) {
  const { frame, look, exemplars, annotations } = chart;
  const series = frame.series.slice(0, MOST_SERIES);
  const heads = look.kind === "heat" ? [h("th", { scope: "col", class: "w" }, "Fullest buckets")] : series.map(({ name }) => h("th", { scope: "col", class: "n" }, name || "value"));
  const rows = rowsOf(chart, series).reverse();
  const notes = [
    rows.length > MOST_ROWS && `${rows.length - MOST_ROWS} earlier moments are left out: choose a shorter range.`,
    frame.series.length > MOST_SERIES && `${frame.series.length - MOST_SERIES} series are left out.`,
    ...annotations.slice(0, MOST_LINKS).map(({ time, text }) => `${momentText(time, frame.step)} ${text}`),
  ].filter(Boolean);
  const links = [...exemplars].sort((a, b) => b.value - a.value).slice(0, MOST_LINKS).map((one) => h("a", { href: traceLink(one) }, `${valueText(one.value, look.unit)} at ${momentText(one.time, frame.step)}`));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Values of ${look.label || "the chart"}` },
    h("table", { class: "tbl" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Time"), heads)), h("tbody", {}, rows.slice(0, MOST_ROWS))),
    links.length > 0 && h("p", { class: "note row" }, "Traces: ", links),
    notes.map((text) => h("p", { class: "note" }, text)));
}
