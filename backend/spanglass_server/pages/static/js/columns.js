// A trace in columns (docs/api.md) as spans, as pages/columns.py makes them, and the index that finds spans by text.

import { ask } from "./api.js";

function column(packed, count) {
  if (Array.isArray(packed)) return packed;
  if (packed.at) return packed.at.map((at) => packed.values[at]);
  const found = new Array(count).fill(packed.else);
  packed.rows.forEach((row, i) => { found[row] = packed.values[i]; });
  return found;
}

/** The trace with `spans`, each with the answer's fields, its `row`, `parent_key`, and its query as attribute. */
export function unpack(answer) {
  const { columns: { critical_whole: whole, ...columns }, attributes, ...head } = answer;
  const names = Object.keys(columns);
  const lists = names.map((name) => column(columns[name], head.span_count));
  const [critical, offsets, durations] = ["critical", "offset_ns", "duration_ns"].map((name) => lists[names.indexOf(name)]);
  let waited = 0;
  for (const distance of whole ?? []) critical[(waited += distance)] = [[offsets[waited], durations[waited]]];
  const above = [];
  const spans = lists[0].map((_, row) => {
    const span = { row };
    for (let i = 0; i < names.length; i += 1) span[names[i]] = lists[i][row];
    above.length = span.depth;
    span.parent_key = above.at(-1) ?? null;
    above.push(span.key);
    span.attributes = span.query ? { "db.query.text": span.query } : {};
    return span;
  });
  return { ...head, spans, attributes };
}

/** The fields of a chosen span that its row says: it is drawn from them. */
export const ofRow = ({ row, name, service, query, target, attributes, events, critical, awaited, ...own }) => own;

/** Every text of a trace once, in lower case, with the rows that have it; made when something is first looked for. */
export class TextIndex {
  constructor(trace) {
    this.trace = trace;
    this.texts = null;
    /** Whether texts of attributes are there: a large trace comes without them. */
    this.whole = Boolean(trace.attributes);
  }

  make() {
    const rows = new Map();
    const add = (text, row) => { if (text) { if (rows.has(text)) rows.get(text).push(row); else rows.set(text, [row]); } };
    for (const { row, key, name, service, status_message: message, target } of this.trace.spans) {
      for (const text of [key, name, service, message, target]) add(text, row);
    }
    this.texts = [...rows].map(([text, found]) => [text.toLowerCase(), found]);
    if (this.trace.attributes) this.add(this.trace.attributes);
  }

  /** Take in the texts of attributes; `rowOf` says where a row of theirs is here, nowhere if it is not. */
  add(attributes, rowOf = (row) => row) {
    for (const { key, values, rows: distances } of attributes) {
      values.forEach((value, i) => {
        let at = 0;
        const rows = distances[i].map((distance) => rowOf((at += distance))).filter((row) => row !== undefined);
        this.texts.push([`${key}: ${value}`.toLowerCase(), rows]);
      });
    }
  }

  /** Fetch the texts of attributes; a trace that goes on may have spans by now that are not here. */
  async complete() {
    const { key: keys, attributes } = await ask(`traces/${this.trace.trace_id}`, { format: "attributes" });
    const rows = new Map(this.trace.spans.map(({ key, row }) => [key, row]));
    if (!this.texts) this.make();
    this.add(attributes, (row) => rows.get(keys[row]));
    this.whole = true;
  }

  /** The rows in whose texts a lower-case text is. */
  find(text) {
    if (!this.texts) this.make();
    const found = new Set();
    for (const [where, rows] of this.texts) {
      if (where.includes(text)) for (const row of rows) found.add(row);
    }
    return found;
  }
}
