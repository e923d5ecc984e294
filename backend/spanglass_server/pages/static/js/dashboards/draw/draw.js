// A panel's answer on its body: a chart that is drawn again on the same elements, or elements in its place.

import { h } from "../../dom.js";
import { Chart } from "../../charts/chart.js";
import { valuesTable } from "../../charts/table.js";
import { gauge, stat, top } from "./figures.js";
import { markdown } from "./markdown.js";
import { openLinks, pointLinks } from "./links.js";
import { logs, table, traces } from "./rows.js";

const CHARTS = { line: "line", area: "area", bar: "bar", heatmap: "heat" };
const ROWS = { stat, gauge, top, table, logs, traces };
const LEGENDS = { list: undefined, table: "table", hidden: "none" };
const LEVELS = { warning: "warn", error: "err", critical: "err" };

export const isChart = (type) => type in CHARTS;

/** The unit of a panel: its own, else the one that its measure has. */
const unitOf = ({ definition, answer }) => definition.unit || answer?.unit || "";

/** How a panel's chart looks. */
function look(panel) {
  const { definition, board } = panel;
  const { options } = definition;
  return {
    label: definition.title || "Chart", kind: CHARTS[definition.type], stack: options.stacked, log: options.log_scale, gaps: options.connect_gaps, unit: unitOf(panel), decimals: options.decimals, min: options.min ?? undefined, max: options.max ?? undefined,
    thresholds: definition.thresholds.filter(({ level }) => LEVELS[level]).map(({ value, level }) => ({ value, level: LEVELS[level] })), legend: LEGENDS[options.legend], values: false, sync: "board",
    zoom: board.zoom, point: (moment) => pointLinks(panel, moment), opened: (links, at) => openLinks(panel, links, at),
  };
}

function nothing(panel) {
  return h("p", { class: "p-empty soft" }, panel.board.isEmpty ? "No data yet." : "No data in this time range.");
}

const frameOf = ({ type }, { range, times, series, heat }) => (type === "heatmap" ? heat : { ...range, times, series });

function hasData({ definition: { type } }, { series, table: rows, records, heat }) {
  if (type === "heatmap") return heat?.cells.some((row) => row.some(Boolean));
  if (type === "logs" || type === "traces") return records?.length > 0;
  if (type === "table") return rows?.values.length > 0;
  return series.some(({ values }) => values.some((value) => value !== null));
}

function chart(panel, answer) {
  if (!panel.chart || !panel.body.contains(panel.chart.element)) {
    const element = h("div", { class: "c-chart fill" });
    panel.body.replaceChildren(element);
    panel.chart = new Chart(element, look(panel));
  }
  if (panel.chart.look.unit !== unitOf(panel)) panel.chart.look.unit = unitOf(panel);
  panel.chart.show({ frame: frameOf(panel.definition, answer), previous: answer.previous, exemplars: answer.exemplars ?? [], annotations: answer.annotations ?? [] });
}

/** Draw an answer; the place in what scrolls stays. */
export function draw(panel, answer) {
  const { type } = panel.definition;
  if (type === "text") {
    panel.body.replaceChildren(h("div", { class: "prose" }, markdown(panel.board.filled(panel.definition.options.text))));
    return;
  }
  if (!hasData(panel, answer)) {
    panel.chart?.destroy();
    panel.chart = null;
    panel.body.replaceChildren(nothing(panel));
    return;
  }
  if (isChart(type) && !panel.table) {
    chart(panel, answer);
    return;
  }
  const at = panel.body.querySelector(".scroll")?.scrollTop ?? 0;
  panel.body.replaceChildren(panel.table ? valuesOf(panel, answer) : ROWS[type]({ ...panel.definition, unit: unitOf(panel) }, answer));
  const scroll = panel.body.querySelector(".scroll");
  if (scroll) scroll.scrollTop = at;
}

/** The values of a chart as a table. */
function valuesOf(panel, answer) {
  const frame = { bounds: [], cells: [], ...frameOf(panel.definition, answer) };
  return valuesTable({ frame, look: look(panel), exemplars: answer.exemplars ?? [], annotations: answer.annotations ?? [] });
}
