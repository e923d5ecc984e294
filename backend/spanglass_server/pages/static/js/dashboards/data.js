// What panels show, asked of the API, and in the form in which they draw it.

import { send } from "../api.js";

const MS = 1000;

const iso = (seconds) => new Date(seconds * MS).toISOString();

/** The range of a question, as parameters. */
const ranged = ({ start, end }) => new URLSearchParams({ start: iso(start), end: iso(end) });

/** A query that failed, in one sentence with its place. */
const failure = ({ query, message, line, column, hint }, many) => [[many && query, !/^\d+:\d+:/.test(message) && column && `line ${line ?? 1}, column ${column}`, message.replace(/\.$/, "")].filter(Boolean).join(": "), hint].filter(Boolean).join("; ");

/** Buckets as rows from below, with both ends. */
function heatFrame({ bounds, counts, times }, step, range) {
  const ends = bounds.map((bound) => bound ?? Infinity);
  return { times: times.map((time) => time / MS), step, ...range, bounds: ends.map((end, i) => [ends[i - 1] ?? Math.min(0, end), end]), cells: counts.map((row) => row.map((count) => count || null)), series: [] };
}

const tableOf = ({ columns, rows }) => ({ columns: columns.map(({ name, type }) => ({ name, number: type === "number", time: type === "time" })), values: rows });

/** Exemplars of the queries that are PromQL, where the panel asks for them. */
async function exemplarsOf(board, definition, signal) {
  const { range } = board;
  if (!definition.options.exemplars) return [];
  const texts = definition.queries.map(({ query, promql }) => board.variables.inPromql(promql || query)).filter(Boolean);
  const found = await Promise.all(texts.map(async (query) => {
    const response = await fetch(`/prometheus/api/v1/query_exemplars?${new URLSearchParams({ query, start: range.start, end: range.end })}`, { signal });
    return response.ok ? (await response.json()).data : [];
  }).map((one) => one.catch(() => [])));
  return found.flat().flatMap(({ exemplars }) => exemplars).map(({ labels, value, timestamp }) => ({ time: Number(timestamp), value: Number(value), trace_id: labels.trace_id ?? labels.traceID ?? "", span_id: labels.span_id ?? "" })).filter(({ trace_id: trace }) => trace);
}

const COMPARED = new Set(["line", "area", "bar", "stat"]);

/** Series of an earlier answer, placed on the times of the present one. */
function placedLater({ series, times, step_ms: step }, later, now) {
  const at = now.map((time) => Math.round((time - later - times[0]) / step));
  return series.map(({ name, labels, query, values, value }) => ({ name, labels, query, value, values: at.map((i) => values[i] ?? null) }));
}

/** The same panel earlier, where the reader compares. */
async function earlier(board, definition, ask_) {
  const later = COMPARED.has(definition.type) ? board.compared : 0;
  if (!later) return null;
  const range = { start: board.range.start - later, end: board.range.end - later };
  const answer = await ask_(range).catch(() => null); // the present is shown without it
  return answer && { answer, later };
}

/** The answer to one panel's queries. */
export async function panelData(board, definition, { points, signal }) {
  const { range } = board;
  const body = { panel: definition, definitions: board.dashboard.variables, variables: board.variables.values, points };
  const asked = (when) => send("POST", `dashboards/panel-data?${ranged(when)}`, body, { signal });
  const [answer, before, exemplars, annotations] = await Promise.all([asked(range), earlier(board, definition, asked), exemplarsOf(board, definition, signal), board.marks()]);
  const { errors, notes, series, table, heatmap, records, times, unit } = answer;
  const said = errors.map((one) => failure(one, definition.queries.length > 1));
  const isEmpty = !series.length && !table?.rows.length && !heatmap?.times.length && !records?.length;
  if (said.length && isEmpty) throw new Error(said.join(". "));
  const step = answer.step_ms / MS;
  const previous = before ? { series: placedLater(before.answer, before.later * MS, times) } : null;
  return { previous, range: { ...range, step }, times: times.map((time) => time / MS), series, unit, exemplars, annotations, notes: [...said, ...notes], records, table: table && tableOf(table), heat: heatmap && heatFrame(heatmap, step, range) };
}

/** The values that variables offer: [{ name, values, chosen, problem }]. */
export async function variableValues(board) {
  const { variables } = await send("POST", `dashboards/variables?${ranged(board.range)}`, { definitions: board.dashboard.variables, variables: board.variables.values });
  return variables.map(({ name, values, chosen, error }) => ({ name, values, chosen, problem: error && failure(error, false) }));
}
