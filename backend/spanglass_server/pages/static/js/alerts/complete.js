// Completion of conditions: what the server offers there, and in quotes filters of spans and logs, or PromQL.

import { ask } from "../api.js";
import { context as promql, options as promqlOptions } from "../promql/complete.js";
import { context as filter, field, literal } from "../tokens.js";

const QUOTED = /(spans|logs|promql|new_issue|regression|escalation)\s*\(?\s*"((?:[^"\\]|\\.)*)$/;
const MOST = 12;
const GROUPS = { measure: "Measure", metric: "Metric", aggregation: "Of several", function: "Function", word: "Word", label: "Label", operator: "Comparison", duration: "Duration", unit: "Unit" };
const PLACES = { function: "()", aggregation: "()" }; // what follows, with the caret inside

/** What stands before the caret of a condition; inside quotes it is what the text there is written in. */
export function context(text, caret) {
  const before = text.slice(0, caret);
  const quoted = QUOTED.exec(before);
  if (quoted) {
    const [, what, inner] = quoted;
    const start = caret - inner.length;
    const at = what === "promql" ? promql(inner, inner.length) : filter(inner, inner.length);
    return { ...at, partial: at.partial ?? "", from: start + (at.from ?? inner.length), inside: what === "promql" ? "promql" : what === "logs" ? "logs" : what === "spans" ? "spans" : "occurrences" };
  }
  return { kind: "condition", partial: "", from: caret, text, caret };
}

async function inFilter(at) {
  if (at.kind === "value") {
    const { values } = await ask("values", { signal: at.inside, key: at.key, prefix: at.partial, limit: MOST });
    return values.map(({ value }) => ({ group: "Value", label: literal(at.key, value), insert: literal(at.key, value).replaceAll('"', '\\"') }));
  }
  if (at.kind !== "key") return [];
  const { keys } = await ask("keys", { signal: at.inside, prefix: at.partial, limit: MOST });
  return keys.map(({ key }) => ({ group: "Attribute", label: key, insert: `${field(key).replaceAll('"', '\\"')}:` }));
}

/** What the server offers at a place of a condition; the place becomes the one that it names. */
async function inCondition(at) {
  const { start, items } = await ask("rules/completions", { text: at.text, at: at.caret });
  at.from = start;
  at.partial = at.text.slice(start, at.caret);
  return items.slice(0, MOST).map(({ text, kind }) => {
    const behind = PLACES[kind] && !text.includes("(") && at.text[at.caret] !== "(" ? PLACES[kind] : "";
    return { group: GROUPS[kind] ?? "", label: text, insert: text + behind, back: behind ? 1 : 0 };
  });
}

/** Options at a place of a condition, for `promql/box.js`; none where they can't be had: completion helps only. */
export function options(at) {
  if (at.kind === "condition") return inCondition(at).catch(() => []);
  return (at.inside === "promql" ? promqlOptions(at) : inFilter(at)).catch(() => []);
}
