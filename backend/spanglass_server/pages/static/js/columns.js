// A trace in columns (docs/api.md) as spans, as pages/columns.py makes them, and the index that finds spans by text.

function column(packed, count) {
  if (Array.isArray(packed)) return packed;
  if (packed.at) return packed.at.map((at) => packed.values[at]);
  const found = new Array(count).fill(packed.else);
  packed.rows.forEach((row, i) => { found[row] = packed.values[i]; });
  return found;
}

/** The trace with `spans`, each with the answer's fields, its `row`, `parent_key`, and its query as attribute. */
export function unpack(answer) {
  const { columns, attributes, ...head } = answer;
  const names = Object.keys(columns);
  const lists = names.map((name) => column(columns[name], head.span_count));
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
  }

  make() {
    const rows = new Map();
    const add = (text, row) => { if (text) { if (rows.has(text)) rows.get(text).push(row); else rows.set(text, [row]); } };
    for (const { row, key, name, service, status_message: message, target } of this.trace.spans) {
      for (const text of [key, name, service, message, target]) add(text, row);
    }
    this.texts = [...rows].map(([text, found]) => [text.toLowerCase(), found]);
    for (const { key, values, rows: distances } of this.trace.attributes) {
      values.forEach((value, i) => this.texts.push([`${key}: ${value}`.toLowerCase(), distances[i], true]));
    }
  }

  /** The rows in whose texts a lower-case text is. */
  find(text) {
    if (!this.texts) this.make();
    const found = new Set();
    for (const [where, rows, rising] of this.texts) {
      if (!where.includes(text)) continue;
      let at = 0;
      for (const row of rows) found.add(rising ? (at += row) : row);
    }
    return found;
  }
}
