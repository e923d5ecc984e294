// Annotations: marks in all charts of a dashboard, of releases, alerts, series, spans or log records.

import { level } from "../alerts/words.js";
import { ask } from "../api.js";
import { getAlerts } from "../monitoring.js";
import { plain } from "../time.js";

const MOST_MARKS = 50; // of one annotation
const MS = 1000;

const iso = (seconds) => new Date(seconds * MS).toISOString();

/** A label with the values of what is marked in the place of `{{key}}`; without one what says most. */
const labelled = (label, values, otherwise) => (label ? label.replace(/\{\{\s*([^{}]+?)\s*\}\}/g, (_, key) => plain(values[key] ?? "")) : otherwise);

/** Releases that have one before them: a service that is seen for the first time is none. */
async function releases({ label }, range) {
  const { releases: found } = await ask("releases", range);
  return found.filter(({ before }) => before).map((one) => ({ time: Date.parse(one.first_seen_time) / MS, text: labelled(label, one, `${one.service} ${one.release}`) }));
}

const DAY_MS = 86_400_000;

/** Alerts as the time that they lasted; those that began up to a day before the range and went on are in it, too. */
async function alerts({ query, label }, { start, end }) {
  const begin = new Date(Date.parse(start) - DAY_MS).toISOString();
  const { alerts: found } = await getAlerts({ start: begin, end, limit: 500, text: query });
  const from = Date.parse(start);
  return found.map((one) => ({ one, time: Date.parse(one.created_at), end: Date.parse(one.resolved_at ?? end) })).filter((mark) => mark.end > from)
    .map(({ one, time, end: until }) => ({ time: Math.max(time, from) / MS, end: until / MS, level: level(one.severity)[0] || "calm", text: labelled(label, one, one.title) }));
}

/** Moments at which a series is above zero and was not before. */
async function series({ query, label, name }, { start, end }, board) {
  const step = Math.max(15, Math.ceil((Date.parse(end) - Date.parse(start)) / MS / 300));
  const response = await fetch(`/prometheus/api/v1/query_range?${new URLSearchParams({ query: board.variables.inPromql(query), start, end, step })}`);
  const { data } = await response.json();
  return (data?.result ?? []).flatMap(({ metric, values }) => values.filter(([time, value], i) => Number(value) > 0 && !(i && Number(values[i - 1][1]) > 0 && time - values[i - 1][0] <= step)).map(([time]) => ({ time, text: labelled(label, metric, name) })));
}

async function spans({ query, label, name }, range) {
  const { traces } = await ask("traces", { ...range, filter: query, limit: MOST_MARKS });
  return traces.map((one) => ({ time: Date.parse(one.start_time) / MS, text: labelled(label, one, `${name}: ${one.root_operation || one.root_service}`) }));
}

async function logs({ query, label, name }, range) {
  const { logs: found } = await ask("logs", { ...range, filter: query, limit: MOST_MARKS });
  return found.map((one) => ({ time: Date.parse(one.time) / MS, text: labelled(label, { ...one.attributes, ...one }, `${name}: ${plain(one.body ?? "").slice(0, 80)}`) }));
}

const SOURCES = { releases, alerts, promql: series, spans, logs };

/** All marks in the range; an annotation that cannot be read is left out: charts are shown without it. */
export async function marksOf(board) {
  const { start, end } = board.range;
  const found = await Promise.all(board.dashboard.annotations.filter(({ source }) => source in SOURCES).map((one) => SOURCES[one.source](one, { start: iso(start), end: iso(end) }, board).catch(() => [])));
  return found.flatMap((marks) => marks.slice(0, MOST_MARKS)).filter(({ time }) => time >= start && time <= end);
}
