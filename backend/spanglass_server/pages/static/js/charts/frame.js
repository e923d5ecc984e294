// What a chart draws: values of all series on one time axis.
//
// A frame is { times, step, start, end, series: [{ name, labels, values, css?, guide? }] }: times in Unix seconds, one
// value or null for each, the range drawn from start to end. A guide is a dashed line beside the others.

const number = (text) => { const value = typeof text === "number" ? text : Number(text); return Number.isFinite(value) ? value : null; };

/** Labels in braces, as PromQL writes them. */
export const labelText = (labels) => `{${Object.entries(labels).filter(([key]) => key !== "__name__").map(([key, value]) => `${key}="${value}"`).join(", ")}}`;

/** A name from a template, `{{host}} in`; a label that a series lacks is left out. */
const written = (template, labels) => template.replace(/\{\{\s*([^{}]+?)\s*\}\}/g, (_, key) => labels[key] ?? "").trim();

/** Labels in which series differ; all labels where there is one series. */
function differing(all) {
  const keys = [...new Set(all.flatMap((labels) => Object.keys(labels)))].filter((key) => key !== "__name__");
  return all.length < 2 ? keys : keys.filter((key) => all.some((labels) => labels[key] !== all[0][key]));
}

/** A name for each label set: its values that tell it from the others; `template` as in legends of dashboards. */
export function names(all, template = "", lone = "") {
  const keys = differing(all);
  const metrics = new Set(all.map((labels) => labels.__name__));
  const found = all.map((labels) => {
    if (template) return written(template, labels) || labelText(labels);
    const parts = keys.map((key) => labels[key]).filter(Boolean);
    const metric = metrics.size > 1 || !parts.length ? labels.__name__ : null;
    if (all.length < 2 && lone) return lone;
    return [metric, ...parts].filter(Boolean).join(" ") || lone || labelText(labels);
  });
  const seen = new Map();
  return found.map((name) => { const count = (seen.get(name) ?? 0) + 1; seen.set(name, count); return count > 1 ? `${name} (${count})` : name; });
}

/** The time axis of a range query: one point a step. */
function axis(start, end, step) {
  const count = Math.max(1, Math.floor((end - start) / step + 1e-6) + 1);
  return Array.from({ length: count }, (_, i) => start + i * step);
}

/** Pairs of time and value placed on the axis; `later` seconds later than they say. */
function placed(pairs, { start, step, length }, later = 0) {
  const values = new Array(length).fill(null);
  for (const [time, value] of pairs ?? []) {
    const at = Math.round((time + later - start) / step);
    if (at >= 0 && at < length) values[at] = number(value);
  }
  return values;
}

/**
 * A frame of the `result` of Prometheus' query_range (a matrix): `range` is { start, end, step } in seconds as asked,
 * `template` the legend, `lone` the name of a series without labels, `later` a shift in seconds for an earlier period.
 */
export function fromMatrix(result, range, { template = "", lone = "", later = 0 } = {}) {
  const times = axis(range.start, range.end, range.step);
  const grid = { start: range.start, step: range.step, length: times.length };
  const named = names(result.map(({ metric }) => metric ?? {}), template, lone);
  const series = result.map(({ metric, values }, i) => ({ name: named[i], labels: metric ?? {}, values: placed(values, grid, later) }));
  return { times, step: range.step, start: range.start, end: range.end, series };
}

/** Several frames of one range as one. */
export function joined(frames) {
  const [first] = frames;
  return { ...first, series: frames.flatMap(({ series }) => series) };
}

const mean = (values) => { let [sum, count] = [0, 0]; for (const value of values) if (value !== null) { sum += Math.abs(value); count += 1; } return count ? sum / count : -1; };

/** The series with the largest first, as legends show them: those past the tenth have no colour of their own. */
export function ranked(series) {
  return series.length <= 10 ? series : series.map((one) => [mean(one.values), one]).sort(([a], [b]) => b - a).map(([, one]) => one);
}

/** Running sums from the first series up; nothing where no series has a value. */
export function stacked(series) {
  let below = null;
  return series.map(({ values }) => {
    below = values.map((value, i) => { const base = below?.[i] ?? null; return value === null && base === null ? null : (base ?? 0) + (value ?? 0); });
    return below;
  });
}

/** Figures of a series that legends show: last, mean, least and most value. */
export function figures(values) {
  const there = values.filter((value) => value !== null);
  if (!there.length) return { last: null, mean: null, min: null, max: null, sum: null };
  const sum = there.reduce((a, b) => a + b, 0);
  return { last: there.at(-1), mean: sum / there.length, min: Math.min(...there), max: Math.max(...there), sum };
}
