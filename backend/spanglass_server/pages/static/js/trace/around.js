// What else is about a span: spans of other traces that link to it, and its log records; both came with the page.

import { h, service } from "../dom.js";
import { logRow } from "../logs.js";
import { durationText, grouped } from "../time.js";

const MOST_LOGS = 50;

const section = (title, note, ...content) => h("section", { class: "sec" }, h("header", {}, h("h2", {}, title), note && h("span", { class: "note" }, note)), content);

/** Spans of other traces that link to a span; `linking` is that of the page's data. */
export function linkedFrom(span, linking) {
  const found = linking.filter(({ to }) => to.includes(span.span_id));
  return found.length > 0 && section("Linked from", "", h("ul", { class: "list" }, found.map((one) => h("li", {},
    h("a", { href: `/traces/${one.trace_id}?span=${one.span_id}` }, service(one.name, one.slot)), " ",
    h("span", { class: "dim" }, "of ", h("bdi", {}, one.service), `, ${durationText(one.duration_ns)}`)))));
}

/** Where the profile of a span is shown, with that of all below it; `profile` is that of the page's data. */
export function profileOf(span, profile) {
  return profile && section("Profile", "", h("p", {}, h("a", { href: `${profile}&span_id=${span.span_id}` }, "Functions of this span and of all below it")));
}

/** The log records of a span, in place. */
export function logsOf(span, logs) {
  const found = logs.filter(({ span_id: id }) => id === span.span_id);
  return found.length > 0 && section("Logs", grouped(found.length), h("div", { class: "log" }, found.slice(0, MOST_LOGS).map(logRow)));
}
