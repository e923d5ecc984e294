// Where else an occurrence of an exception is told: one span event and one log record have all of it, others name it.

import { ask } from "./api.js";
import { h } from "./dom.js";
import { exceptionView, isFull, OCCURRENCE, occurrenceOf } from "./exception.js";
import { linkInto } from "./issues/of.js";
import { clock, parseMs } from "./time.js";
import { field, literal } from "./tokens.js";

const BEFORE = 3_600_000; // ms that another mention is looked for before and after
const ID = /^[\w-]{1,64}$/; // what can be looked for

/** Which span of a trace tells each occurrence in full. */
export function tellers(spans) {
  const found = new Map();
  for (const span of spans) {
    for (const { attributes } of span.events) {
      const occurrence = isFull(attributes) ? occurrenceOf(attributes) : "";
      if (occurrence && !found.has(occurrence)) found.set(occurrence, span);
    }
  }
  return found;
}

const named = ({ name, service }) => [name || "(no name)", h("span", { class: "dim" }, ` of ${service}`)];

/** A link to the span that tells an occurrence, if it is another one. */
export function linkTo(told, occurrence, span) {
  const teller = told.get(occurrence);
  return teller && teller.key !== span.key ? h("span", {}, "told by ", spanLink(teller)) : null;
}

const spanLink = (span) => h("a", { href: `?span=${span.key}`, "data-span": span.key }, named(span));

const filterOf = (occurrence) => `${field(OCCURRENCE)} = ${literal(OCCURRENCE, occurrence)}`;

function searchLink(occurrence, ms) {
  const range = { start: new Date(ms - BEFORE).toISOString(), end: new Date(ms + BEFORE).toISOString() };
  return h("a", { href: `/logs?${new URLSearchParams({ filter: filterOf(occurrence), ...range })}` }, "log records of this occurrence");
}

/** What an event that only mentions an occurrence says about where all of it is. */
export function whereTold(attributes, span, told) {
  const occurrence = occurrenceOf(attributes);
  if (!ID.test(occurrence) || isFull(attributes)) return null;
  const teller = told.get(occurrence);
  if (teller?.key === span.key) return h("span", {}, "Told in full by another event of this span");
  return teller ? h("span", {}, "First told by ", spanLink(teller)) : h("span", {}, "Told in full elsewhere: ", searchLink(occurrence, parseMs(span.start_time)));
}

/** The log records of an occurrence up to this one, oldest first: those of its millisecond, or `before` ms more. */
async function records({ occurrence, time }, before) {
  const ms = parseMs(time);
  const { logs } = await ask("logs", { filter: filterOf(occurrence), start: new Date(ms - before).toISOString(), end: new Date(ms + 1).toISOString(), order: "asc", limit: 50 });
  return logs;
}

/** The span of a record's trace whose event tells its occurrence. */
async function teller({ occurrence, time, trace }) {
  if (!trace) return null;
  const ms = parseMs(time);
  const filter = `trace_id = "${trace}" and event.${filterOf(occurrence)}`;
  const { spans } = await ask("spans", { filter, start: new Date(ms - BEFORE).toISOString(), end: new Date(ms + BEFORE).toISOString(), limit: 20 });
  return tellers(spans).get(occurrence) ?? spans[0];
}

async function full(line, own) {
  if (own && isFull(own)) return null;
  const found = await records(line, line.brief ? BEFORE : 0);
  const self = found.find(({ id }) => id === line.id);
  return self && isFull(self.attributes) ? self : found.find(({ attributes }) => isFull(attributes)) ?? null;
}

/** Complete what a record says of its exception: with all of it if it is not there, and with the span that tells it. */
async function complete(box, line, own) {
  const [record, span] = await Promise.all([full(line, own), teller(line)]);
  if (record) {
    const earlier = record.id === line.id ? null : h("span", {}, "Told in full by an earlier record, at ", h("time", { datetime: record.time }, clock(record.time)));
    box.replaceChildren(exceptionView({ ...record.attributes, ...own }, { where: earlier }));
  }
  if (span) box.querySelector(".told")?.append(h("span", {}, "On the span ", h("a", { href: `/traces/${line.trace}?span=${span.span_id}` }, named(span))));
}

function begin(box, line, own) {
  if (!ID.test(line.occurrence)) return;
  complete(box, line, own).catch((error) => { if (!error.status) throw error; }); // what is there stays
}

/** The exception of a log record, completed by what else is known of it, and the issue it belongs to; in an array. */
export function recordException(line) {
  const box = h("div", {}, exceptionView(line.attributes));
  const issue = h("p", { class: "note of-issue" });
  linkInto(issue, { log: line.id, trace: line.trace_id, type: line.attributes["exception.type"], message: line.attributes["exception.message"] });
  begin(box, { id: line.id, time: line.time, trace: line.trace_id, occurrence: occurrenceOf(line.attributes), brief: !isFull(line.attributes) }, line.attributes);
  return [issue, box];
}

/** A record that the server wrote shows its exception as text; when it is opened it becomes all that is known. */
export function start() {
  document.addEventListener("toggle", ({ target }) => {
    const box = target.open && target.matches(".log-r") && target.querySelector("[data-occurrence]");
    if (!box || box.dataset.done) return;
    box.dataset.done = "";
    const { id, time, trace, occurrence, brief } = box.dataset;
    begin(box, { id, time, trace, occurrence, brief: brief !== undefined }, null);
  }, true);
}
