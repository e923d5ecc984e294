// Completion of PromQL: what can stand at the caret, and names, labels and values from the server.

import { range } from "../api.js";

const FUNCTIONS = `abs absent absent_over_time avg_over_time ceil changes clamp clamp_max clamp_min count_over_time day_of_month day_of_week days_in_month delta deriv exp floor histogram_avg histogram_count histogram_fraction histogram_quantile histogram_sum holt_winters hour idelta increase info irate label_join label_replace last_over_time ln log10 log2 max_over_time min_over_time minute month predict_linear present_over_time quantile_over_time rate resets round scalar sgn sort sort_desc sqrt stddev_over_time sum_over_time time timestamp vector year`.split(" ");
const AGGREGATIONS = "avg bottomk count count_values group max min quantile stddev stdvar sum topk".split(" ");
const MEASURES = ["avg(response_time)", "p95(response_time)", "error_rate", "active_connections", "request_rate"];
const COUNTED = /^(spans_total|span_duration_seconds_(bucket|count|sum)|log_records_total|issue_events_total)$/;
const FILTER = "__filter__"; // narrows what is counted, in the filter language
const MOST = 12;
const KEPT = 60_000; // ms that answers are remembered

const known = new Map();

/** The data of an answer of the Prometheus API, remembered for a minute; nothing where it fails: completion helps only. */
async function asked(path, params = {}) {
  const key = `${path}?${new URLSearchParams(params)}`;
  const found = known.get(key);
  if (found && Date.now() - found.time < KEPT) return found.data;
  const data = fetch(`/prometheus/api/v1/${key}`, { headers: { accept: "application/json" } }).then((response) => response.json()).then((body) => body.data ?? [], () => []);
  known.set(key, { time: Date.now(), data });
  return data;
}

const window_ = () => { const { start, end } = range(); return /^\d{4}-/.test(start ?? "") ? { start, end } : {}; };

const IDENTIFIER = /[A-Za-z_:][\w:.]*$/;

/** What stands before the caret: { kind, partial, from, metric, label }. */
export function context(text, caret) {
  const before = text.slice(0, caret);
  const open = before.lastIndexOf("{");
  const inSelector = open > before.lastIndexOf("}");
  if (inSelector) {
    const inside = before.slice(open + 1);
    const metric = IDENTIFIER.exec(before.slice(0, open))?.[0] ?? "";
    const value = /([\w.:]+|"[^"]*")\s*(=~|!~|!=|=)\s*"([^"]*)$/.exec(inside);
    if (value) return { kind: "value", label: value[1].replaceAll('"', ""), metric, partial: value[3], from: caret - value[3].length };
    if (/"[^"]*$/.test(inside.replace(/"[^"]*"/g, ""))) return { kind: "none", partial: "", from: caret };
    const partial = /[\w.]*$/.exec(inside)[0];
    return { kind: "label", metric, partial, from: caret - partial.length };
  }
  const grouping = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)$/i.exec(before);
  if (grouping) {
    const partial = /[\w.]*$/.exec(grouping[1])[0];
    return { kind: "label", metric: "", partial, from: caret - partial.length };
  }
  if (/\[[^\]]*$/.test(before)) return { kind: "range", partial: /\[([^\]]*)$/.exec(before)[1], from: caret - /\[([^\]]*)$/.exec(before)[1].length };
  if (/"[^"]*$/.test(before.replace(/"[^"]*"/g, ""))) return { kind: "none", partial: "", from: caret };
  const partial = IDENTIFIER.exec(before)?.[0] ?? "";
  return { kind: "name", partial, from: caret - partial.length };
}

const fitting = (names, partial) => {
  const part = partial.toLowerCase();
  const at = (name) => name.toLowerCase().indexOf(part);
  return [...names.filter((name) => at(name) === 0), ...names.filter((name) => at(name) > 0)];
};

const match = (metric) => (metric ? { "match[]": metric } : {});

/** Options at a place: [{ label, group, insert, back }]; `back` is how far the caret goes back after it. */
export async function options({ kind, partial, metric, label }) {
  if (label === FILTER) return [];
  if (kind === "value") return fitting(await asked(`label/${encodeURIComponent(label)}/values`, { ...match(metric), ...window_() }), partial).slice(0, MOST).map((name) => ({ group: "Value", label: name, insert: name.replaceAll("\\", "\\\\").replaceAll('"', '\\"') }));
  const virtual = COUNTED.test(metric) ? [FILTER] : [];
  if (kind === "label") return fitting([...(await asked("labels", { ...match(metric), ...window_() })).filter((name) => name !== "__name__"), ...virtual], partial).slice(0, MOST).map((name) => ({ group: "Label", label: name, insert: name }));
  if (kind === "range") return fitting(["$__rate_interval", "5m", "1m", "15m", "1h", "1d"], partial).map((name) => ({ group: "Range", label: name, insert: name }));
  if (kind !== "name" || !partial) return [];
  const metrics = fitting(await asked("label/__name__/values", window_()), partial).slice(0, MOST);
  const functions = fitting([...AGGREGATIONS, ...FUNCTIONS], partial).filter((name) => name.startsWith(partial.toLowerCase())).slice(0, 4);
  const measures = fitting(MEASURES, partial).slice(0, 3);
  return [
    ...measures.map((name) => ({ group: "Measure", label: name, insert: name })),
    ...metrics.map((name) => ({ group: "Metric", label: name, insert: /^[a-zA-Z_:][\w:]*$/.test(name) ? name : `{"${name}"}` })),
    ...functions.map((name) => ({ group: "Function", label: `${name}()`, insert: `${name}()`, back: 1 })),
  ];
}
