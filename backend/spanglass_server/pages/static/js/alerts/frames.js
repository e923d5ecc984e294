// From a backtest of the API to what a chart draws: one time axis for all keys, thresholds, firing times.

import { keyName, level, value } from "./words.js";

const MS = 1000;
export const seconds = (time) => (time ? Date.parse(time) / MS : null);

/** Values of a series on an axis that has more moments: between two of its points those on the line between them. */
function placed(own, values, axis) {
  const at = new Map(own.map((time, i) => [time, i]));
  const found = axis.map((time) => (at.has(time) ? values[at.get(time)] : undefined));
  let last = -1;
  for (let i = 0; i < found.length; i += 1) {
    if (found[i] === undefined) continue;
    if (last >= 0 && found[last] !== null && found[i] !== null) for (let k = last + 1; k < i; k += 1) found[k] = found[last] + ((found[i] - found[last]) * (k - last)) / (i - last);
    last = i;
  }
  return found.map((one) => one ?? null);
}

/** The frame of a backtest's series. */
export function frameOf({ series, evaluated, step_ns: step }) {
  const times = [...new Set(series.flatMap(({ times_s: own }) => own))].sort((a, b) => a - b);
  const usual = series.filter(({ bounds }) => bounds).slice(0, 1).map(({ times_s: own, bounds }) => ({ name: "threshold", labels: {}, css: "ink-3", values: placed(own, bounds, times) }));
  return { times, step: step / 1e9, start: seconds(evaluated.start_time), end: seconds(evaluated.end_time), series: [...series.map(({ labels, times_s: own, values }) => ({ name: keyName(labels), labels, values: placed(own, values, times) })), ...usual] };
}

/** The firing times of a backtest as bands. */
export const bandsOf = ({ keys, evaluated }) => keys.flatMap(({ labels, fired }) => fired.map((one) => ({ time: seconds(one.fired_time), end: seconds(one.resolved_time) ?? seconds(evaluated.end_time), level: level(one.severity)[0] || "calm", text: `${keyName(labels)}: ${level(one.severity)[2].toLowerCase()}` })));

/** The thresholds of a backtest as lines. */
export const linesOf = ({ thresholds }) => thresholds.map((one) => ({ value: one.value, level: level(one.severity)[0] || "calm" }));

/** A threshold in words. */
export const thresholdText = ({ severity, value: number }, unit) => `${level(severity)[2].toLowerCase()} ${value(number, unit)}`;
