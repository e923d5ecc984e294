// A trace as a tree: rows to show, self time. Numbers only, no elements.

/** How many like siblings in a row fold into one. */
const REPEATS = 4;

export class Tree {
  constructor(trace) {
    this.total = trace.duration_ns || 1;
    this.spans = trace.spans;
    this.tops = [];
    this.below = new Array(trace.spans.length); // by the parent's row; a map of them all would take three times as long
    for (const span of trace.spans) {
      if (span.parent < 0) this.tops.push(span);
      else (this.below[span.parent] ??= []).push(span);
    }
    this.slots = new Map(trace.services.map(({ service, slot }) => [service, slot]));
  }

  kids(span) {
    return this.below[span.row] ?? [];
  }

  /** The span of a key, undefined if there is none: looked for each time, which is quicker than a map for a few times. */
  byKey(key) {
    return this.spans.find((span) => span.key === key);
  }

  /** Rows in order: { span, like } where `like` holds repeated siblings shown as one. */
  rows(closed, unfolded, fold) {
    const rows = [];
    const stack = [...this.group(this.tops, unfolded, fold)].reverse();
    while (stack.length) {
      const row = stack.pop();
      rows.push(row);
      if (row.like || closed.has(row.span.key)) continue;
      const kids = this.kids(row.span);
      if (kids.length < REPEATS) for (let at = kids.length - 1; at >= 0; at -= 1) stack.push({ span: kids[at], like: null });
      else for (const below of this.group(kids, unfolded, fold).reverse()) stack.push(below); // may be 100 000
    }
    return rows;
  }

  group(siblings, unfolded, fold) {
    const rows = [];
    for (let i = 0; i < siblings.length; ) {
      let end = i + 1;
      while (fold && end < siblings.length && alike(siblings[i], siblings[end])) end += 1;
      const first = siblings[i];
      if (end - i >= REPEATS && !first.children && !unfolded.has(first.key)) rows.push({ span: first, like: siblings.slice(i, end) });
      else for (let at = i; at < end; at += 1) rows.push({ span: siblings[at], like: null });
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
    for (let at = span.parent; at >= 0; at = this.spans[at].parent) ids.push(this.spans[at].key);
    return ids;
  }
}

const alike = (a, b) => a.name === b.name && a.service === b.service && !a.children && !b.children && a.status === b.status && a.state === "ended" && b.state === "ended" && a.query === b.query;
