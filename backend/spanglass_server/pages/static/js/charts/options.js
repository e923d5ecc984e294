// A frame as uPlot draws it: axes, lines, areas, bars and stacks, in the colours of the theme.

import uPlot from "../../vendor/uplot/uPlot.esm.js";
import { stacked } from "./frame.js";
import { colours, faint } from "./palette.js";
import { axisSteps, axisText } from "./units.js";

const TICKS_S = [1, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000, 31536000];
const CHARACTER = 6.2; // px of a character on an axis
const FAR = 2.5; // thresholds further above all values than so many times are left out: they would flatten the lines
const NARROWEST = 40; // px of the values' axis: axes of charts below one another agree
const SPACE_X = 60; // px between two labels of the time axis

const zone = () => document.documentElement.dataset.zone || "UTC";

const formats = new Map();
/** A time in Unix seconds in the reader's zone, in the parts that a step of the axis needs. */
function tick(seconds, step) {
  const style = step < 60 ? { hour: "2-digit", minute: "2-digit", second: "2-digit" } : step < 86400 ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" };
  const key = JSON.stringify(style);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { ...style, hourCycle: "h23", timeZone: zone() }));
  return formats.get(key).format(seconds * 1000);
}

/** Points with nothing on either side would not be seen in a line: their indices. */
function alone(u, index) {
  const values = u.data[index];
  const found = [];
  for (let i = 0; i < values.length; i += 1) if (values[i] != null && values[i - 1] == null && values[i + 1] == null) found.push(i);
  return found;
}

function line(css, extra = {}) {
  return { stroke: css, width: 1.5, points: { show: true, size: 4, width: 0, fill: css, filter: alone }, ...extra };
}

/** The colour of a series: its own, or its slot's; grey past the tenth. */
export function colourOf(one) {
  const found = colours();
  if (one.css) return found[one.css] ?? one.css;
  return one.slot >= 0 ? found[`s${one.slot}`] : found.edge;
}

const bars = uPlot.paths.bars({ size: [0.82, 48], align: -1 });
const PREVIOUS = { width: 1, points: { show: false } };

/** Of a stack that was before, its height: one line that can be held against the present one. */
const total = (previous) => (previous.length > 1 ? [{ ...previous[0], name: "all", values: stacked(previous).at(-1) }] : previous);

/** Series and columns: the previous period lies under all, stacks from the floor up. */
export function columns(frame, before, { kind, stack, log, gaps }) {
  const previous = stack ? total(before) : before;
  const drawable = (values) => (log ? values.map((value) => (value > 0 ? value : null)) : values); // zero has no logarithm
  const shown = frame.series;
  const drawn = stack ? stacked(shown.map((one) => (one.hidden ? { values: one.values.map(() => null) } : one))) : shown.map(({ values }) => values);
  const order = shown.map((_, i) => i);
  if (kind === "bar" && stack) order.reverse(); // the tallest first, the others over it
  const series = [{}, ...previous.map(() => ({ ...PREVIOUS, stroke: colours()["ink-3"], dash: [2, 3] }))];
  for (const i of order) series.push({ ...drawnAs(shown[i], { kind, stack, count: shown.length }), spanGaps: Boolean(gaps) });
  const bands = stack && kind !== "bar" ? shown.slice(1).map((one, i) => ({ series: [previous.length + 2 + i, previous.length + 1 + i], fill: faint(colourOf(one), 38) })) : [];
  return { data: [frame.times, ...previous.map(({ values }) => drawable(values)), ...order.map((i) => drawable(drawn[i]))], series, bands, order };
}

function drawnAs(one, { kind, stack, count }) {
  const css = colourOf(one);
  const show = !one.hidden;
  if (one.guide) return { show, stroke: css, width: 1, dash: [5, 4], auto: false, points: { show: false } }; // no reason to make the axis longer
  if (kind === "bar") return { show, stroke: css, fill: stack ? css : faint(css, count > 1 ? 70 : 100), width: 0, paths: bars, points: { show: false } };
  if (stack) return line(css, { show, width: 1, fill: faint(css, 38) });
  if (kind === "area") return line(css, { show, fill: faint(css, count > 3 ? 7 : 12) });
  return line(css, { show, width: one.slot < 0 && !one.css ? 1 : 1.5, alpha: one.slot < 0 && !one.css ? 0.55 : 1 });
}

/** The values' axis: from zero, to a round number above all values and the thresholds near them. */
function height(look, low, high) {
  const near = (look.thresholds ?? []).map(({ value }) => value).filter((value) => value <= FAR * (high ?? 0) && value >= Math.min(0, FAR * (low ?? 0)));
  const steps = axisSteps(Math.min(low ?? 0, 0, ...near), Math.max(high ?? 0, 0, ...near) || 1, look.unit);
  const [least, most] = [look.min ?? steps[0], look.max ?? steps.at(-1)];
  return [least, most > least ? most : least + 1];
}

const MOST_POWERS = 5; // lines of a log scale

/** Powers of ten within a range, every second or third of them where there are many. */
function powers(low, high) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const every = Math.max(1, Math.ceil((last - first + 1) / MOST_POWERS));
  return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, i) => 10 ** (first + i * every));
}

/** The steps of the values' axis, and their names. */
const steps = (look) => ({
  splits: (u, _axis, low, high) => (look.log ? powers(low, high) : axisSteps(low, high, look.unit).filter((value) => value >= low && value <= high * 1.0001)),
  values: (u, splits) => splits.map((value) => axisText(value, look.unit)),
  ...(look.log ? { filter: (u, splits) => splits } : {}),
});

function axes(look) {
  const found = colours();
  const base = { stroke: found["ink-3"], font: found.font, ticks: { show: false }, border: { show: false } };
  const size = (u, texts) => Math.max(NARROWEST, Math.ceil(CHARACTER * Math.max(0, ...(texts ?? []).map((text) => String(text).length))) + 10);
  return [
    { ...base, space: SPACE_X, incrs: TICKS_S, grid: { show: false }, size: 20, gap: 4, border: { show: true, stroke: found["line-2"], width: 1 },
      values: (u, splits, _axis, _space, step) => splits.map((seconds) => tick(seconds, step)) },
    { ...base, gap: 6, size, grid: { stroke: found.line, width: 1 }, ...(look.axis ?? steps(look)) },
  ];
}

/** uPlot's options; `look` is what the chart was asked to be, `hooks` what is drawn besides. */
export function options({ frame, look, size, hooks, cursor, series, bands }) {
  return {
    ...size, series, bands, hooks, cursor, padding: [6, 16, 0, 0], legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone()),
    scales: { x: { range: () => [frame.start, frame.end] }, y: look.log ? { distr: 3, log: 10 } : { range: look.range ?? ((u, low, high) => height(look, low, high)) } },
    axes: axes(look),
  };
}

export { uPlot };
