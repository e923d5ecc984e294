// Drawing of the waterfall: one row, the joins of the critical path, the map of the whole trace.

import { h, icon, s, unit } from "./dom.js";
import { isExceptionEvent } from "./exception.js";
import { badge, lost } from "./running.js";
import { durationParts } from "./time.js";

const MOST_DEPTH = 24;
const MOST_PARTS = 80;
const MOST_MAP = 600;

const ROOM = 0.4; // share of the width that the words of a lost span need, as in pages/running.py

const percent = (ns, total) => `${Math.max(0, (100 * ns) / total).toFixed(3)}%`;
const width = (ns, total, least) => `${Math.max(least, (100 * ns) / total).toFixed(3)}%`;

/** On which side of a span's bar there is room for words; null: on none, and they stand beside its name. */
function beside({ offset_ns: from, duration_ns: took }, total) {
  if (from + took <= (1 - ROOM) * total) return "start";
  return from >= ROOM * total ? "end" : null;
}

/** The words beside the bar of a lost span. */
function words(span, total) {
  const side = beside(span, total);
  if (!side) return null;
  const x = side === "start" ? span.offset_ns + span.duration_ns : span.offset_ns;
  return s("text", { x: percent(x, total), y: 15, dx: side === "start" ? 6 : -6, "text-anchor": side }, lost(span));
}

function bar(wf, { span, like }) {
  const { total } = wf.tree;
  const end = like ? like.reduce((last, one) => Math.max(last, one.offset_ns + one.duration_ns), 0) : span.offset_ns + span.duration_ns;
  const box = { x: percent(span.offset_ns, total), width: width(end - span.offset_ns, total, 0.15), y: 6, height: 11 };
  const parts = like ? like.slice(0, MOST_PARTS).map((one) => [one.offset_ns, one.offset_ns + one.duration_ns]) : wf.tree.selfParts(span);
  const isLost = !like && span.state === "lost";
  const marks = isLost ? [s("rect", { ...box, class: "wf-l", fill: "url(#hatch)", rx: 1.5 }), words(span, total)].filter(Boolean) : [s("rect", { ...box, class: "wf-b", rx: 1.5 })];
  for (const [from, to] of isLost ? [] : parts.slice(0, MOST_PARTS)) marks.push(s("rect", { class: "wf-s", x: percent(from, total), width: width(to - from, total, 0.1), y: 6, height: 11 }));
  if (!like && span.state === "running") marks.push(s("rect", { class: "wf-o", x: percent(end, total), y: 4, width: 3, height: 15, rx: 1.5 }));
  if (span.status === "error") marks.push(s("rect", { ...box, class: "wf-x", rx: 1.5 }));
  for (const event of (like ? [] : span.events).slice(0, MOST_PARTS)) {
    const failure = isExceptionEvent(event);
    const x = percent(span.offset_ns + event.offset_ns, total);
    marks.push(failure ? s("svg", { x, y: 11.5, overflow: "visible", width: 1, height: 1 }, s("path", { class: "wf-e", d: "M0-5 5 0 0 5-5 0z" })) : s("line", { class: "wf-ev c-g", x1: x, x2: x, y1: 6, y2: 17 }));
  }
  if (wf.path) {
    for (const one of like?.slice(0, MOST_PARTS) ?? [span]) {
      for (const [from, took] of one.critical) marks.push(s("line", { class: "wf-c", x1: percent(from, total), x2: percent(from + took, total), y1: 20, y2: 20 }));
    }
  }
  return s("svg", { class: "wf-t", "aria-hidden": "true" }, marks);
}

function twist(wf, { span, like }) {
  if (!like && !span.children) return h("span", { class: "leaf" });
  const open = !like && !wf.closed.has(span.key);
  return h("button", { class: "twist", type: "button", tabindex: "-1", "aria-label": open ? "Fold" : "Unfold" }, icon(open ? "down" : "right"));
}

/** The element of a row. */
export function rowElement(wf, index) {
  const row = wf.rows[index];
  const { span, like } = row;
  const parent = wf.tree.spans[span.parent];
  const chosen = (like ?? [span]).some((one) => one.key === wf.chosen);
  const hit = wf.query && (like ?? [span]).some((one) => wf.hit.has(one.row));
  const url = wf.base;
  url.searchParams.set("span", span.key);
  const slot = wf.tree.slots.get(span.service) ?? 0;
  const duration = like ? like.reduce((sum, one) => sum + one.duration_ns, 0) : span.duration_ns;
  const expanded = like || span.children ? String(!like && !wf.closed.has(span.key)) : null;
  return h("div", { class: `wf-r s${slot}${{ running: " run", lost: " lost" }[span.state] ?? ""}${hit ? " hit" : ""}`, role: "row", "aria-level": span.depth + 1, "aria-rowindex": index + 2, "aria-expanded": expanded, "aria-current": chosen ? "true" : null, "data-id": span.key },
    h("span", { class: `wf-n d${Math.min(span.depth, MOST_DEPTH)}`, role: "gridcell" }, twist(wf, row),
      h("span", { class: "svc" }, parent?.service === span.service ? h("span", { class: "vh" }, span.service) : h("em", {}, span.service)),
      span.status === "error" && [icon("errors", "err"), h("span", { class: "vh" }, "error")],
      like && h("span", { class: "fold", title: `${like.length} siblings folded` }, `${like.length} ×`),
      h("a", { class: "op", href: url.pathname + url.search, tabindex: chosen ? "0" : "-1" }, span.name || "(no name)"),
      span.target && h("span", { class: "target" }, span.target),
      !like && badge(span, beside(span, wf.tree.total) !== null),
      span.orphan && h("span", { class: "badge warn" }, "parent missing")),
    h("span", { class: "wf-d", role: "gridcell" }, unit(durationParts(duration))), bar(wf, row));
}

/** Verticals that join the parts of the critical path, for the rows in the page. */
export function joins(wf) {
  const { total } = wf.tree;
  const lines = [];
  for (let i = wf.near.from; i < wf.near.to; i += 1) {
    const { span } = wf.rows[i];
    const above = wf.index(span.parent_key);
    const [first] = span.critical;
    if (above < 0 || !first) continue;
    const x = percent(first[0], total);
    lines.push(s("line", { class: "wf-j", x1: x, x2: x, y1: above * wf.height + 20, y2: i * wf.height + 20 }));
  }
  return s("g", {}, lines);
}

/** The whole trace in a strip: a sample of its spans when there are more than lines. */
export function minimap(tree) {
  const every = Math.ceil(tree.spans.length / MOST_MAP);
  const shown = tree.spans.filter((span, i) => i % every === 0 || span.status === "error").slice(0, 2 * MOST_MAP);
  const height = Math.max(2, 100 / shown.length);
  const marks = shown.map((span, i) => s("rect", { class: span.status === "error" && every > 1 ? "hx" : `wf-s s${tree.slots.get(span.service) ?? 0}`, x: (100 * span.offset_ns) / tree.total, y: (i * (100 - height)) / shown.length, width: Math.max(0.15, (100 * span.duration_ns) / tree.total), height }));
  return s("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, marks);
}
