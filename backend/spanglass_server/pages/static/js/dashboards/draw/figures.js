// Numbers that stand for series: a figure with its course, a bar with its limits, the largest of many.

import { h, s } from "../../dom.js";
import { valueParts, valueText } from "../../charts/units.js";
import { recordsLink } from "./links.js";

const MOST_FIGURES = 24;

/** The class of a level: nothing for those that are well. */
export const CSS = { warning: "warn", error: "err", critical: "err" };

const big = (value, panel) => { const [number, unit] = valueParts(value, panel.unit, panel.options.decimals); return [number, unit && h("small", {}, unit)]; };

/** The course of a series, from zero or its least value, without axes. */
export function spark(values, css = "") {
  const there = values.filter((value) => value !== null);
  if (there.length < 2) return null;
  const [low, high] = [Math.min(0, ...there), Math.max(...there)];
  const width = 100 / (values.length - 1);
  let path = "";
  let pen = "M";
  values.forEach((value, i) => {
    if (value === null) { pen = "M"; return; }
    path += `${pen}${(i * width).toFixed(2)},${(98 - (96 * (value - low)) / (high - low || 1)).toFixed(2)}`;
    pen = "L";
  });
  return s("svg", { class: "spark", viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, s("path", { class: `c-l ${css}`, d: path }));
}

/** A mark that says the level without colour, for the eye and for the ear. */
function mark(level) {
  if (!CSS[level]) return null;
  return h("span", { class: `lvl ${CSS[level]}`, title: level }, s("svg", { class: "i", "aria-hidden": "true" }, s("use", { href: level === "warning" ? "#warn" : "#errors" })), h("span", { class: "vh" }, level));
}

/** Figures: the number large, its course beside it; several series are rows. */
export function stat(panel, { series, previous }) {
  const { sparkline } = panel.options;
  const shown = series.slice(0, MOST_FIGURES);
  const one = shown.length === 1;
  const was = (name) => { const before = previous?.series.find((other) => other.name === name)?.value; return before === undefined ? null : h("span", { class: "was" }, `was ${valueText(before, panel.unit, panel.options.decimals)}`); };
  return h("dl", { class: one ? "stat one" : "stat" }, shown.map(({ name, values, value, level }) => {
    return h("div", {}, h("dt", { class: one ? "vh" : null }, name || panel.title), h("dd", { class: CSS[level] ?? null }, mark(level), h("b", {}, big(value, panel)), was(name), sparkline && spark(values, CSS[level] === "err" ? "err" : "")));
  }), more(series.length - shown.length));
}

const more = (count) => (count > 0 ? h("p", { class: "note" }, `and ${count} more`) : null);

/** The end of a meter: what the panel says, else the largest threshold or value. */
function scale(panel, values) {
  const { min, max } = panel.options;
  const most = Math.max(0, ...values.filter((value) => value !== null), ...panel.thresholds.map(({ value }) => value));
  const high = max ?? (panel.unit === "percent" || panel.unit === "%" ? 100 : panel.unit === "ratio" || panel.unit === "percentunit" ? 1 : most * 1.1 || 1);
  return [min ?? 0, high];
}

/** Meters: a bar from least to most, with ticks at the thresholds. */
export function gauge(panel, { series }) {
  const shown = series.slice(0, MOST_FIGURES);
  const [low, high] = scale(panel, shown.map(({ value }) => value));
  const share = (value) => Math.max(0, Math.min(100, (100 * (value - low)) / (high - low || 1)));
  const ticks = panel.thresholds.filter(({ value }) => value > low && value < high).map(({ value, level }) => s("line", { class: `c-lim ${CSS[level] ?? ""}`, x1: `${share(value)}%`, x2: `${share(value)}%`, y1: 0, y2: "100%" }));
  return h("div", { class: shown.length === 1 ? "gauges one" : "gauges" }, shown.map(({ name, value, level }) => {
    const bar = s("svg", { class: `meter ${CSS[level] ?? ""}`, role: "img", "aria-label": `${valueText(value, panel.unit)} of ${valueText(high, panel.unit)}` }, s("rect", { width: `${share(value ?? low)}%`, height: "100%", rx: 2 }), ticks.map((tick) => tick.cloneNode()));
    return h("div", {}, h("p", {}, h("span", { class: shown.length === 1 ? "vh" : "name" }, name || panel.title), h("b", { class: CSS[level] ?? null }, mark(level), big(value, panel))), bar);
  }), h("p", { class: "ends note", "aria-hidden": "true" }, h("span", {}, valueText(low, panel.unit)), h("span", {}, valueText(high, panel.unit))));
}

/** The largest (or least) series, each with a bar in its row's ground. */
export function top(panel, { series }) {
  const rows = series.filter(({ value }) => value !== null);
  const most = Math.max(0, ...rows.map(({ value }) => Math.abs(value))) || 1;
  return h("ol", { class: "toplist" }, rows.map(({ name, value, level, records }) => h("li", {}, s("svg", { class: "bar", "aria-hidden": "true" }, s("rect", { width: `${(100 * Math.abs(value)) / most}%`, height: "100%" })),
    records ? h("a", { href: recordsLink(records) }, name) : h("span", { class: "name" }, name || "value"), h("b", { class: CSS[level] ?? null }, mark(level), valueText(value, panel.unit, panel.options.decimals)))));
}
