// How script says what pages/alerts/words.py says: levels, and values by their units.

import { h, icon } from "../dom.js";
import { valueText } from "../charts/units.js";

const LEVELS = { critical: ["err", "errors", "Critical"], error: ["err", "errors", "Error"], warning: ["warn", "warn", "Warning"], info: ["", "info", "Info"] };

/** How bad: class, icon, word. */
export const level = (severity) => LEVELS[severity] ?? ["", "info", severity ? String(severity) : "OK"];

/** The badge of a level; none is below all thresholds. */
export function badge(severity) {
  const [css, name, word] = severity ? level(severity) : ["", "check", "OK"];
  return h("span", { class: css ? `badge ${css}` : "badge" }, icon(name), word);
}

/** A value as text. */
export const value = (number, unit) => valueText(number, unit);

/** A key by its labels; a rule without keys has one. */
export const keyName = (labels) => Object.values(labels).filter(Boolean).join(" ") || "the whole condition";
