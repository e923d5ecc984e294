// A trace in columns (docs/api.md) as spans, as pages/columns.py makes them, and the index that finds spans by text.

import { ask } from "./api.js";

function column(packed, count) {
  if (Array.isArray(packed)) return packed;
  if (packed.at) return packed.at.map((at) => packed.values[at]);
  const found = new Array(count).fill(packed.else);
  packed.rows.forEach((row, i) => { found[row] = packed.values[i]; });
  return found;
}

/** A span of a trace in columns: its fields are read where they stand, since objects of their own cost ten times as much. */
class RowSpan {
  constructor(of, row, parent) {
    this.of = of;
    this.row = row;
    this.parent = parent; // the row of its parent, -1 at the top
  }

  get key() { return this.of.key[this.row]; }
  get parent_key() { return this.parent < 0 ? null : this.of.key[this.parent]; }
  get depth() { return this.of.depth[this.row]; }
  get offset_ns() { return this.of.offset_ns[this.row]; }
  get duration_ns() { return this.of.duration_ns[this.row]; }
  get self_time_ns() { return this.of.self_time_ns[this.row]; }
  get name() { return this.of.name[this.row]; }
  get service() { return this.of.service[this.row]; }
  get kind() { return this.of.kind[this.row]; }
  get status() { return this.of.status[this.row]; }
  get status_message() { return this.of.status_message[this.row]; }
  get query() { return this.of.query[this.row]; }
  get target() { return this.of.target[this.row]; }
  get children() { return this.of.children[this.row]; }
  get critical() { return this.of.critical[this.row]; }
  get awaited() { return this.of.awaited[this.row]; }
  get orphan() { return this.of.orphan[this.row]; }
  get skew_ns() { return this.of.skew_ns[this.row]; }
  get start_unknown() { return this.of.start_unknown[this.row]; }
  get state() { return this.of.state[this.row]; }
  get last_heard_time() { return this.of.last_heard_time[this.row]; }
  get events() { return this.of.events[this.row]; }
  get attributes() { return this.query ? { "db.query.text": this.query } : {}; }
}

/** The trace with `spans`, each with the answer's fields, its `row`, `parent_key`, and its query as attribute. */
export function unpack(answer) {
  const { columns: { critical_whole: whole, ...packed }, attributes, ...head } = answer;
  const of = Object.fromEntries(Object.entries(packed).map(([name, values]) => [name, column(values, head.span_count)]));
  let waited = 0;
  for (const distance of whole ?? []) of.critical[(waited += distance)] = [[of.offset_ns[waited], of.duration_ns[waited]]];
  const above = [];
  const spans = of.depth.map((depth, row) => {
    above.length = depth;
    const parent = depth ? above[depth - 1] : -1;
    above.push(row);
    return new RowSpan(of, row, parent);
  });
  return { ...head, spans, attributes };
}

/** The fields of a chosen span that its row says: it is drawn from them. */
export const ofRow = ({ key, parent_key, depth, offset_ns, duration_ns, self_time_ns, kind, status, status_message, children, orphan, skew_ns, start_unknown, state, last_heard_time }) => ({ key, parent_key, depth, offset_ns, duration_ns, self_time_ns, kind, status, status_message, children, orphan, skew_ns, start_unknown, state, last_heard_time });

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
