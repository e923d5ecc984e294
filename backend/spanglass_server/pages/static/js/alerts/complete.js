// Completion of conditions: words of the language, measures and metrics, labels, and filters of spans and logs in quotes.

import { ask } from "../api.js";
import { context as promql, options as promqlOptions } from "../promql/complete.js";
import { context as filter, field, literal } from "../tokens.js";

const MEASURES = ["error_rate", "avg_response_time", "request_rate", "response_time", "cpu_usage", "memory_usage", "disk_usage", "queue_length", "active_connections", "task_failures"];
const AGGREGATES = ["avg", "max", "min", "sum", "p50", "p95", "p99", "count", "rate"];
const FORMS = [
  ['count(spans "status:error") over 5m > ', "spans that match a filter"], ['rate(logs "severity:error") > ', "log records a second"], ["baseline", "the usual value at this time"],
  ["spread", "how far values usually lie from it"], ["absent()", "no data of a quantity"], ["new_issue", "an error that was never seen"], ["regression", "an error that came back"],
  ["escalation", "an error that became more frequent"], ['promql("")', "any PromQL"],
];
const WORDS = ["and", "or", "not", "by", "over", "offset"];
const QUOTED = /(spans|logs|promql|new_issue|regression|escalation)\s*\(?\s*"((?:[^"\\]|\\.)*)$/;
const MOST = 8;

const fits = (names, partial) => names.filter((name) => name.toLowerCase().startsWith(partial.toLowerCase()));

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
  return { ...promql(text, caret), inside: "" };
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

/** Options at a place of a condition, for `promql/box.js`. */
export async function options(at) {
  if (at.inside && at.inside !== "promql") return inFilter(at).catch(() => []);
  if (at.inside || at.kind !== "name") return promqlOptions(at);
  const measures = fits(MEASURES, at.partial).map((name) => ({ group: "Measure", label: name, insert: name }));
  const forms = fits(FORMS.map(([text]) => text), at.partial).map((text) => ({ group: "Form", label: text.trim(), insert: text, back: /\(("")?\)$/.test(text) ? (text.endsWith('("")') ? 2 : 1) : 0 }));
  const aggregates = fits(AGGREGATES, at.partial).map((name) => ({ group: "Of several", label: `${name}()`, insert: `${name}()`, back: 1 }));
  const words = at.partial ? fits(WORDS, at.partial).map((name) => ({ group: "Word", label: name, insert: name })) : [];
  const metrics = (await promqlOptions(at)).filter(({ group }) => group === "Metric").map((one) => ({ ...one, insert: one.label }));
  return [...measures.slice(0, at.partial ? MOST : 5), ...words, ...forms.slice(0, at.partial ? MOST : 4), ...aggregates.slice(0, 4), ...metrics.slice(0, MOST)];
}
