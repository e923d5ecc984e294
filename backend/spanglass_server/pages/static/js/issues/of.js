// Exceptions in traces and logs: a link to the issue that each belongs to, with its state.

import { ask } from "../api.js";
import { h, icon } from "../dom.js";

const RED = new Set(["new", "regressed"]); // as pages/issues/words.py

const asked = new Map();

/** The occurrences that a trace or a log record told; asked once. */
function told(kind, id) {
  if (!id) return Promise.resolve([]);
  const key = `${kind} ${id}`;
  if (!asked.has(key)) asked.set(key, ask("issue-occurrences", { [kind]: id }).then(({ occurrences }) => occurrences, () => [])); // pages do without
  return asked.get(key);
}

/** How well an occurrence fits a record: by its place, or, as it may be told elsewhere in the trace, by what it says. */
function fit(one, { span, event, log, type, message }) {
  if (log && one.log === log) return 4;
  if (span && one.span_id === span && one.event_index === event) return 4;
  if (type && one.type !== type) return 0;
  return message && one.message !== message ? 1 : 2;
}

const badge = (state) => h("span", { class: RED.has(state) ? "badge err" : "badge" }, RED.has(state) && icon("errors"), state.charAt(0).toUpperCase() + state.slice(1));

/** The link, or null; `record` is { trace, span, event } or { trace, log }, each with type and message. */
export async function issueLink(record) {
  const found = (await Promise.all([told("traces", record.trace), record.log ? told("logs", record.log) : []])).flat();
  const best = found.map((one) => [fit(one, record), one]).filter(([points]) => points).sort(([a], [b]) => b - a)[0]?.[1];
  if (!best) return null;
  return h("span", { class: "issue-of" }, "Issue ", h("a", { href: `/issues/${encodeURIComponent(best.issue)}?event=${encodeURIComponent(best.occurrence)}`, title: best.title }, best.issue), badge(best.state));
}

/** Put the link into an element when it is there. */
export function linkInto(element, record) {
  issueLink(record).then((link) => { if (link) element.append(link); });
}

/** A log record that the server wrote gets its link when it is opened. */
export function start() {
  document.addEventListener("toggle", ({ target }) => {
    const line = target.open && target.matches(".log-r") && target.querySelector(".of-issue[data-log]");
    if (!line || line.dataset.done) return;
    line.dataset.done = "";
    const { log, trace, type, message } = line.dataset;
    linkInto(line, { log, trace, type, message });
  }, true);
}
