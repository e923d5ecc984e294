// Values as text: number and unit. The same rules as pages/format.py, which a test compares.

import { digits, durationParts, grouped } from "../time.js";

const THIN = "\u202f";
const NONE = "\u2013";

/** A number for an axis, a legend or a figure: 950, 3 k, 1.25 M. */
export function compactParts(number) {
  const size = Math.abs(number);
  for (const [least, unit] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) if (size >= least) return [digits(number / least), unit];
  if (size > 0 && size < 0.01) return [number.toPrecision(2).replace(/e-0?/, "e\u2212"), ""];
  return [digits(number), ""];
}

/** A size in bytes, in powers of 1024. */
export function sizeParts(bytes) {
  let value = bytes;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (Math.abs(value) < 1023.5) return [digits(value), unit];
    value /= 1024;
  }
  return [digits(value), "TiB"];
}

/** A share of one as per cent. */
export function percentParts(ratio) {
  const percent = ratio * 100;
  if (percent > 0 && percent < 0.1) return ["<0.1", "%"];
  return [percent === 0 || percent === 100 ? percent.toFixed(0) : percent.toFixed(1), "%"];
}

/** Per cent on an axis: steps are told apart, however small they are. */
const percentSteps = (percent) => [String(Number(percent.toPrecision(3))), "%"];

/** A rate a second; below one in ten seconds the minute is the better unit. */
export function rateParts(rate) {
  if (rate > 0 && rate < 0.1) return [digits(rate * 60), "/min"];
  return [rate >= 1000 ? grouped(rate) : digits(rate), "/s"];
}

const perSecond = (parts) => (value) => { const [number, unit] = parts(value); return [number, `${unit}/s`]; };

/** A duration; negative ones keep their sign. */
const duration = (factor) => (value) => { const [number, unit] = durationParts(Math.abs(value) * factor); return [value < 0 ? `\u2212${number}` : number, unit]; };

/** Units by name: how a value becomes [number, unit], on an axis too where that differs, and what axis steps are multiples of. */
const UNITS = {
  "": { parts: compactParts, base: 10 },
  count: { parts: (value) => (Math.abs(value) < 1e6 ? [Number.isInteger(value) ? grouped(value) : digits(value), ""] : compactParts(value)), base: 10 },
  s: { parts: duration(1e9), base: 60 },
  ms: { parts: duration(1e6), base: 10 },
  us: { parts: duration(1e3), base: 10 },
  ns: { parts: duration(1), base: 10 },
  bytes: { parts: sizeParts, base: 1024 },
  "bytes/s": { parts: perSecond(sizeParts), base: 1024 },
  ratio: { parts: percentParts, axis: (value) => percentSteps(value * 100), base: 10 },
  percent: { parts: (value) => percentParts(value / 100), axis: percentSteps, base: 10 },
  "/s": { parts: rateParts, base: 10 },
};

/** Names that mean the same: of OpenTelemetry (UCUM), Prometheus and Grafana. */
const ALSO = {
  none: "", short: "", number: "", "1": "", By: "bytes", B: "bytes", byte: "bytes", decbytes: "bytes", "By/s": "bytes/s", Bps: "bytes/s", binBps: "bytes/s",
  seconds: "s", milliseconds: "ms", "\u00b5s": "us", microseconds: "us", nanoseconds: "ns", "%": "percent", percentunit: "ratio", ops: "/s", reqps: "/s", rps: "/s", "1/s": "/s", per_second: "/s",
};

/** A unit by any of its names; one that is not known stands behind the number as it is. */
export function unitOf(name) {
  const text = String(name ?? "");
  const key = text in UNITS ? text : ALSO[text];
  if (key !== undefined) return UNITS[key];
  const plain = text.replace(/^\{(.*)\}$/, "$1"); // UCUM's annotation: {request}
  return { parts: (value) => { const [number, power] = compactParts(value); return [number, [power, plain].filter(Boolean).join(THIN)]; }, base: 10 };
}

/** A value as [number, unit]; a dash for nothing. `decimals` fixes the digits behind the point. */
export function valueParts(value, unit = "", decimals = null) {
  if (value === null || value === undefined || Number.isNaN(value)) return [NONE, ""];
  if (!Number.isFinite(value)) return [value < 0 ? "\u2212\u221e" : "\u221e", ""];
  const [number, name] = unitOf(unit).parts(value);
  const plain = Number(number.replaceAll(THIN, ""));
  if (decimals === null || Number.isNaN(plain)) return [number, name];
  const power = plain ? value / plain : 1;
  return [(value / (power || 1)).toFixed(decimals), name];
}

/** A value as text. */
export const valueText = (value, unit, decimals) => valueParts(value, unit, decimals).filter(Boolean).join(THIN);

/** A value on an axis: zero has no unit, and no digits that say nothing. */
export const axisText = (value, unit) => { const [number, name] = unitOf(unit).axis?.(value) ?? valueParts(value, unit); return value === 0 ? "0" : [number.replace(/\.0$/, ""), name].filter(Boolean).join(THIN); };

const ROUND = { 10: [1, 2, 5, 10], 60: [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400], 1024: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] };

/** The step of an axis: the least round one of the unit that is not below `least`. */
export function roundStep(least, unit) {
  let { base } = unitOf(unit);
  if (base === 60 && (least < 1 || least > 86400)) base = 10;
  if (base === 60) return ROUND[60].find((step) => step >= least);
  const factor = base === 1024 && least < 1 ? 10 : base;
  const power = factor ** Math.floor(Math.log(least) / Math.log(factor));
  return (ROUND[factor].find((step) => step * power >= least * 0.9999) ?? factor) * power;
}

/** Where an axis has its lines: at most `most` steps from at or below `low` to at or above `high`. */
export function axisSteps(low, high, unit, most = 4) {
  const step = roundStep((high - low || 1) / most, unit);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}
