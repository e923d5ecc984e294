// Times, durations and numbers as text; the same rules as pages/format.py, which a test compares.

const THIN = "\u202f";
const UNITS = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [0, "ns"]];

const zone = () => document.documentElement.dataset.zone || "UTC";

/** Three significant digits at most, without trailing zeros. */
export function digits(value) {
  const size = Math.abs(value);
  const text = value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A whole number with thousands parted. */
export const grouped = (number) => String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, THIN);

/** "2 min 5" and "s"; "2" and "min" without a rest. */
const two = (count, unit, rest, smaller) => (rest ? [`${count}${THIN}${unit} ${rest}`, smaller] : [String(count), unit]);

/** A duration in nanoseconds as number and unit. */
export function durationParts(ns) {
  const seconds = Math.floor(ns / 1e9);
  if (seconds >= 3600) return two(grouped(Math.floor(seconds / 3600)), "h", Math.floor((seconds % 3600) / 60), "min");
  if (seconds >= 60) return two(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const [size, name] = UNITS.find(([least]) => ns >= least * 0.9995);
  return [digits(ns / (size || 1)), name];
}

/** A duration in nanoseconds as text. */
export const durationText = (ns) => durationParts(ns).join(THIN);

/** An amount of money; a small one has two digits that count. */
export const money = (amount) => (amount >= 0.1 || amount <= 0 ? amount.toFixed(2) : amount.toFixed(Math.min(12, 1 - Math.floor(Math.log10(amount)))));

/** A share as per cent; of one that is nearly all, two digits of what is lacking. */
export function percent(ratio) {
  const share = ratio * 100;
  const lacking = 100 - share;
  if (share > 0 && share < 0.1) return `<0.1${THIN}%`;
  if (lacking > 1e-9 && lacking < 0.0501) return `${share.toFixed(1 - Math.floor(Math.log10(lacking))).replace(/0+$/, "")}${THIN}%`;
  return `${share.toFixed(share === 0 || share === 100 ? 0 : 1)}${THIN}%`;
}

/** Milliseconds since 1970 of the API's RFC 3339 string (nanoseconds are cut). */
export const parseMs = (text) => Date.parse(text.replace(/(\.\d{3})\d*/, "$1"));

let format = null;
/** The reader's wall clock: 14:13:58.114 */
export function clock(text) {
  format ??= new Intl.DateTimeFormat("en-GB", { timeZone: zone(), hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" });
  return format.format(parseMs(text));
}

/** An attribute's JSON value as text. */
export function plain(value) {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${value.map(plain).join(", ")}]`;
  if (value && typeof value === "object") {
    const keys = Object.keys(value);
    if (keys.length === 1 && (keys[0] === "$bytes" || keys[0] === "$double")) return String(value[keys[0]]);
    return `{${keys.map((key) => `${key}: ${plain(value[key])}`).join(", ")}}`;
  }
  return String(value);
}
