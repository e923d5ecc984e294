// A trace as a tree: rows to show, self time. Numbers only, no elements.

/** How many like siblings in a row fold into one. */
const REPEATS = 4;

export class Tree {
  constructor(trace) {
    this.total = trace.duration_ns || 1;
    this.spans = trace.spans;
    this.byId = new Map(trace.spans.map((span) => [span.key, span]));
    this.children = new Map();
    for (const span of trace.spans) {
      const parent = span.depth && this.byId.has(span.parent_key) ? span.parent_key : null;
      if (!this.children.has(parent)) this.children.set(parent, []);
      this.children.get(parent).push(span);
    }
    this.slots = new Map(trace.services.map(({ service, slot }) => [service, slot]));
  }

  kids(span) {
    return this.children.get(span.key) ?? [];
  }

  /** Rows in order: { span, like } where `like` holds repeated siblings shown as one. */
  rows(closed, unfolded, fold) {
    const rows = [];
    const stack = [...this.group(this.children.get(null) ?? [], unfolded, fold)].reverse();
    while (stack.length) {
      const row = stack.pop();
      rows.push(row);
      if (row.like || closed.has(row.span.key)) continue;
      for (const below of this.group(this.kids(row.span), unfolded, fold).reverse()) stack.push(below); // may be 100 000
    }
    return rows;
  }

  group(siblings, unfolded, fold) {
    const rows = [];
    for (let i = 0; i < siblings.length; ) {
      let end = i + 1;
      while (fold && end < siblings.length && alike(siblings[i], siblings[end])) end += 1;
      const run = siblings.slice(i, end);
      if (run.length >= REPEATS && !run[0].children && !unfolded.has(run[0].key)) rows.push({ span: run[0], like: run });
      else for (const span of run) rows.push({ span, like: null });
      i = end;
    }
    return rows;
  }

  /** [start, end] pairs in which no child ran that the span waits for. */
  selfParts(span) {
    const end = span.offset_ns + span.duration_ns;
    const parts = [];
    let at = span.offset_ns;
    for (const child of this.kids(span)) {
      if (!child.awaited) continue;
      const start = Math.min(child.offset_ns, end);
      if (start > at) parts.push([at, start]);
      at = Math.max(at, child.offset_ns + child.duration_ns);
    }
    if (at < end) parts.push([at, end]);
    return parts;
  }

  /** Ids of all spans above one. */
  above(span) {
    const ids = [];
    for (let at = this.byId.get(span.parent_key); at && !ids.includes(at.key); at = this.byId.get(at.parent_key)) ids.push(at.key);
    return ids;
  }
}

const statement = ({ attributes }) => attributes["db.query.text"] ?? attributes["db.statement"];
const alike = (a, b) => a.name === b.name && a.service === b.service && !a.children && !b.children && a.status === b.status && a.state === "ended" && b.state === "ended" && statement(a) === statement(b);
