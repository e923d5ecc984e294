// Heatmaps: how many values of a histogram fell into which bucket, over time. One hue, dark (in the dark theme bright) is more.

import { colours } from "./palette.js";
import { momentText } from "./moment.js";
import { valueText } from "./units.js";

const LEVELS = 7;
const MOST_LABELS = 5;

const parsed = (text) => (text === "+Inf" || text === "Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text));

function axis({ start, end, step }) {
  return Array.from({ length: Math.max(1, Math.floor((end - start) / step + 1e-6) + 1) }, (_, i) => start + i * step);
}

/** A heat frame: `bounds` are [low, high] of each row from below, `cells[row][moment]` the counts or rates. */
const heat = (range, times, bounds, cells) => ({ ...range, times, bounds, cells, series: [] });

/**
 * Of classic histograms: the matrix of `sum by (le) (rate(x_bucket[5m]))`, whose rows hold all below their bound, too.
 * Several series of one bound are added.
 */
export function fromBuckets(result, range) {
  const times = axis(range);
  const sums = new Map();
  for (const { metric, values } of result) {
    const bound = parsed(metric.le);
    if (Number.isNaN(bound)) continue;
    if (!sums.has(bound)) sums.set(bound, new Array(times.length).fill(null));
    const row = sums.get(bound);
    for (const [time, value] of values ?? []) {
      const at = Math.round((time - range.start) / range.step);
      if (at >= 0 && at < times.length) row[at] = (row[at] ?? 0) + (Number(value) || 0);
    }
  }
  const uppers = [...sums.keys()].sort((a, b) => a - b);
  const rows = uppers.map((bound) => sums.get(bound));
  const cells = rows.map((row, i) => row.map((value, at) => (value === null ? null : Math.max(0, value - (rows[i - 1]?.[at] ?? 0)))));
  return heat(range, times, uppers.map((bound, i) => [uppers[i - 1] ?? Math.min(0, bound), bound]), cells);
}

/** Of native histograms: the matrix of `sum(rate(x[5m]))` with its `histograms`. */
export function fromHistograms(result, range) {
  const times = axis(range);
  const cells = new Map();
  for (const { histograms } of result) {
    for (const [time, { buckets }] of histograms ?? []) {
      const at = Math.round((time - range.start) / range.step);
      if (at < 0 || at >= times.length) continue;
      for (const [, low, high, count] of buckets ?? []) {
        const key = `${low} ${high}`;
        if (!cells.has(key)) cells.set(key, { bounds: [parsed(low), parsed(high)], row: new Array(times.length).fill(null) });
        const { row } = cells.get(key);
        row[at] = (row[at] ?? 0) + (Number(count) || 0);
      }
    }
  }
  const sorted = [...cells.values()].sort((a, b) => a.bounds[0] - b.bounds[0] || a.bounds[1] - b.bounds[1]);
  return heat(range, times, sorted.map(({ bounds }) => bounds), sorted.map(({ row }) => row));
}

/** The level of a count, 1 to 7 on a log scale; 0 for nothing. */
function level(value, most) {
  if (!value) return 0;
  return Math.max(1, Math.min(LEVELS, Math.ceil(LEVELS * (Math.log1p((100 * value) / most) / Math.log(101)))));
}

/** Draw the cells on the canvas: each moment's reaches back one step. */
export function drawCells(u, frame) {
  const { ctx, bbox } = u;
  const { heat: scale } = colours();
  const most = frame.cells.reduce((sum, row) => row.reduce((a, b) => Math.max(a, b ?? 0), sum), 0);
  if (!most) return;
  const xs = frame.times.map((time) => Math.round(u.valToPos(time, "x", true)));
  const wide = Math.max(1, Math.round((bbox.width * frame.step) / (frame.end - frame.start || frame.step)));
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  frame.cells.forEach((row, at) => {
    const [top, floor] = [Math.round(u.valToPos(at + 1, "y", true)), Math.round(u.valToPos(at, "y", true))];
    row.forEach((value, i) => {
      const found = level(value, most);
      if (!found) return;
      ctx.fillStyle = scale[found - 1];
      ctx.fillRect((xs[i - 1] ?? xs[i] - wide), top, xs[i] - (xs[i - 1] ?? xs[i] - wide), Math.max(1, floor - top));
    });
  });
  ctx.restore();
}

/** The values' axis of a heatmap: rows are equally high, labels stand at some of their bounds. */
export function heatLook(frame, unit) {
  const count = Math.max(1, frame.bounds.length);
  const every = Math.max(1, Math.ceil(count / MOST_LABELS));
  const at = Array.from({ length: count + 1 }, (_, i) => i).filter((i) => i % every === 0);
  const text = (i) => valueText(i === 0 ? frame.bounds[0]?.[0] : frame.bounds[i - 1][1], unit);
  return { range: () => [0, count], axis: { grid: { show: false }, splits: () => at, values: (u, splits) => splits.map((i) => (frame.bounds.length && (i < count || frame.bounds[count - 1][1] < Infinity) ? text(i) : "")) } };
}

const between = ([low, high], unit) => (high === Infinity ? `over ${valueText(low, unit)}` : `${valueText(low, unit)} to ${valueText(high, unit)}`);

/** Rows of the readout: the bucket under the crosshair, and the fullest of the moment. */
export function heatWords(frame, at, row, unit) {
  const all = frame.cells.map((cells, i) => [between(frame.bounds[i], unit), cells[at], i]).filter(([, value]) => value);
  const chosen = row !== null && frame.bounds[row] ? [[between(frame.bounds[row], unit), valueText(frame.cells[row][at] ?? 0, ""), null]] : [];
  const fullest = all.sort((a, b) => b[1] - a[1]).slice(0, 3).filter(([, , i]) => i !== row);
  return [...chosen, ...fullest.map(([name, value]) => [name, valueText(value, ""), null])];
}

/** Rows of the table of values: a moment a row, filled buckets in words. */
export function heatRows(frame, unit) {
  return frame.times.map((time, at) => [momentText(time, frame.step), heatWords(frame, at, null, unit).map(([name, value]) => `${name}: ${value}`).join(", ")]);
}
