// The chosen span: figures, exception with its stack, attributes, events, links, resource, logs.

import { copyPart } from "./copying/part.js";
import { h, icon, service } from "./dom.js";
import { exceptionView, isExceptionEvent, restOfEvent } from "./exception.js";
import { linkInto } from "./issues/of.js";
import { pairs } from "./logs.js";
import { linkTo, whereTold } from "./occurrence.js";
import { badge } from "./running.js";
import { durationParts, durationText } from "./time.js";
import { linkedFrom, logsOf, profileOf } from "./trace/around.js";
import { meaningOf } from "./trace/meaning.js";

function exception(event, span, told) {
  const { name, offset_ns: at, attributes } = event;
  const rest = restOfEvent(attributes);
  const when = name !== "exception" && h("p", { class: "row note" }, h("span", { class: "mono" }, `+${durationText(at)}`), h("span", {}, name));
  const view = exceptionView(attributes, { linkTo: (occurrence) => linkTo(told, occurrence, span), where: whereTold(attributes, span, told) });
  const issue = h("p", { class: "note of-issue" });
  linkInto(issue, { trace: span.trace_id, span: span.span_id, event: span.events.indexOf(event), type: attributes["exception.type"], message: attributes["exception.message"] });
  return h("div", { class: "flow" }, when, issue, view, Object.keys(rest).length > 0 && pairs(rest));
}

const figure = (name, ns) => {
  const [number, unit] = durationParts(ns);
  return h("div", { class: "fig" }, h("dt", {}, name), h("dd", {}, number, h("small", {}, unit)));
};

const DURATIONS = { ended: "Duration", running: "So far", lost: "Last known" };

const section = (title, ...content) => h("section", { class: "sec" }, h("header", {}, h("h2", {}, title)), content);

/** Whether a span's status only says what its exception says, with the type written in some way; as pages/exceptions.py. */
function repeats({ status_message: status, events }) {
  const told = events.filter(isExceptionEvent).map(({ attributes }) => attributes["exception.message"]);
  return status !== "" && told.some((message) => message && (status === message || status.slice(status.indexOf(": ") + 2) === message));
}

function head(span, slot) {
  const badges = [
    h("span", { class: "badge" }, span.kind),
    span.status === "error" && h("span", { class: "badge err" }, icon("errors"), "Error"),
    span.status === "ok" && h("span", { class: "badge" }, "Ok"),
    badge(span),
    span.orphan && h("span", { class: "badge warn" }, "parent missing"),
    span.start_unknown && h("span", { class: "badge warn" }, "start unknown"),
    span.skew_ns !== 0 && h("span", { class: "badge warn" }, `clock moved ${durationText(Math.abs(span.skew_ns))}`),
  ];
  return h("div", { class: "flow" }, h("div", { class: "row" }, h("span", { class: "strong" }, service(span.service, slot)), badges, document.getElementById("copied") && copyPart("#detail", "the span")),
    h("h2", { class: "title" }, span.name || "(no name)", span.target && [" ", h("span", { class: "target" }, span.target)]),
    h("dl", { class: "figs" }, figure(DURATIONS[span.state], span.duration_ns), figure("Self", span.self_time_ns), figure("Starts at", span.offset_ns)),
    span.status_message && !repeats(span) && h("p", { class: "err" }, span.status_message));
}

const event = ({ name, offset_ns: at, attributes }) => [h("p", { class: "row note" }, h("span", { class: "mono" }, `+${durationText(at)}`), h("span", {}, name)), Object.keys(attributes).length > 0 && pairs(attributes)];

const link = ({ trace_id: trace, span_id: span, attributes }) => [h("p", {}, h("a", { href: `/traces/${trace}?span=${span}`, class: "mono" }, `${trace.slice(0, 8)}… / ${span}`)), Object.keys(attributes).length > 0 && pairs(attributes)];

/** What its row says of a span, while its details are on their way, or what became of them. */
export const beginning = (span, slot, problem = "") => [head(span, slot), h("p", { class: problem ? "note err" : "note" }, problem || "Reading its details …")];

/** All of a span as elements; `near` is where a search for one of its attributes goes, `told` what tellers() found, then what the page
 * knows of other traces and log records. */
export function detail(span, slot, near, told, { linking, logs, profile }) {
  const others = span.events.filter((event) => !isExceptionEvent(event));
  const dropped = Object.entries(span.dropped).filter(([, count]) => count);
  const facts = { "span id": span.span_id, "parent id": span.parent_span_id ?? "none", scope: `${span.scope.name} ${span.scope.version}`.trim(), start: span.start_time };
  if (span.trace_state) facts["trace state"] = span.trace_state;
  for (const [what, count] of dropped) facts[`dropped ${what}`] = count;
  return [
    head(span, slot),
    span.events.filter(isExceptionEvent).map((event) => exception(event, span, told)),
    meaningOf(span),
    Object.keys(span.attributes).length > 0 && section("Attributes", pairs(span.attributes, near)),
    others.length > 0 && section("Events", others.map(event)),
    span.links.length > 0 && section("Links to", span.links.map(link)),
    linkedFrom(span, linking),
    logsOf(span, logs),
    profileOf(span, profile),
    section("Resource", pairs(span.resource, near)),
    section("Span", pairs(facts)),
  ].flat(Infinity).filter(Boolean);
}
