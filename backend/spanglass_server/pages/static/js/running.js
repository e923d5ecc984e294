// Spans that have not ended: how long they have been running, and what has become of them since the page was loaded.

import { ask, range } from "./api.js";
import { h, icon } from "./dom.js";
import { clock, durationText, grouped } from "./time.js";

const SECOND = 1000; // ms
const PERIOD = 5 * SECOND; // the server's own data is a second old or so
const A_SPAN = 5; // ms more for each span of a trace, so that a large one is not fetched all the time

/** A running duration in whole seconds, as pages/running.py writes it. */
const soFar = (ns) => durationText(ns >= 1e9 ? Math.floor(ns / 1e9) * 1e9 : ns);
const words = (ns) => `running ${soFar(Number(ns) + performance.now() * 1e6)}`;

/** What is said of a span that was lost with its process. */
export const lost = (span) => `lost, last heard ${clock(span.last_heard_time).slice(0, -4)}`;

/** What a row says of a span that has not ended; nothing for others. */
export function badge(span, brief = false) {
  if (span.state === "running") return h("span", { class: "badge run", "data-ns": span.duration_ns }, words(span.duration_ns));
  if (span.state === "lost") return h("span", { class: "badge lost", title: lost(span) }, brief ? "lost" : lost(span));
  return null;
}

/** Count on; only texts change, nothing moves. */
function tick() {
  for (const one of document.querySelectorAll(".badge.run[data-ns]")) {
    const text = words(one.dataset.ns);
    if (one.textContent !== text) one.textContent = text;
  }
}

/** Do something again and again while the page is seen, until it says that it is done. */
function repeat(every, step) {
  const next = async () => {
    if (!document.hidden && (await step().catch(() => false))) return;
    setTimeout(next, every);
  };
  setTimeout(next, every);
}

/** The panel above a list of traces: rows stay where they are and say what has become of their span. */
async function follow(panel) {
  const { spans } = await ask("running", { ...range(), service: panel.dataset.service, limit: 500 });
  const open = new Map(spans.map((span) => [`${span.trace_id}/${span.span_id}`, span]));
  const rows = [...panel.querySelectorAll("tr[data-open]")];
  for (const row of rows) {
    const span = open.get(row.dataset.open);
    const shown = row.querySelector(".badge");
    if (!span) shown.replaceWith(h("span", { class: "badge" }, "ended"));
    else if (!shown.classList.contains(span.state === "running" ? "run" : "lost")) shown.replaceWith(elapsed(span));
  }
  const known = new Set(rows.map((row) => row.dataset.open));
  const fresh = spans.filter((span) => !known.has(`${span.trace_id}/${span.span_id}`) && !open.has(`${span.trace_id}/${span.parent_span_id}`));
  if (fresh.length) panel.querySelector("output").replaceChildren(h("a", { href: location.href }, `${grouped(fresh.length)} more since`));
  return false;
}

/** A badge for an answer that came just now, while the others count from when the page was loaded. */
function elapsed(span) {
  return badge({ ...span, duration_ns: span.duration_ns - Math.round(performance.now() * 1e6) });
}

/** A trace that goes on: say so when something came or ended, and leave the drawing to the reader. */
export function watch(trace) {
  const note = document.getElementById("later");
  if (!note || !trace.running_count) return;
  repeat(PERIOD + A_SPAN * trace.span_count, async () => {
    const now = await ask(`traces/${trace.trace_id}`, { format: "summary" });
    const said = [
      [now.span_count - trace.span_count, "new"],
      [trace.running_count - now.running_count, "no longer running"],
    ].filter(([count]) => count > 0).map(([count, what]) => `${grouped(count)} ${what}`);
    if (!said.length) return false;
    note.replaceChildren(icon("clock"), `This trace has gone on: ${said.join(", ")}. `, h("a", { href: location.href }, "Show"));
    note.hidden = false;
    return now.running_count === 0;
  });
}

export function start() {
  if (document.querySelector(".badge.run[data-ns]")) setInterval(tick, SECOND);
  const panel = document.getElementById("open");
  if (panel && !new URLSearchParams(location.search).get("end")) repeat(PERIOD, () => follow(panel));
}
