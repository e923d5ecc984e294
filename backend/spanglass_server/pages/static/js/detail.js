// The chosen span: figures, exception with its stack, attributes, events, links, resource, logs.

import { h, icon, service } from "./dom.js";
import { pairs } from "./logs.js";
import { badge } from "./running.js";
import { durationParts, durationText, plain } from "./time.js";

const FRAME = /^\s*File "(.+)", line (\d+), in (.+)$/;
const LIBRARY = /site-packages|dist-packages|[\\/]lib[\\/]python|<frozen /;

/** A Python traceback as frames: { file, line, name, code, app }; other languages give none. */
export function frames(text) {
  const lines = text.split("\n");
  return lines.flatMap((line, i) => {
    const match = FRAME.exec(line);
    if (!match) return [];
    const next = lines[i + 1] ?? "";
    const code = FRAME.test(next) || !/^\s/.test(next) ? "" : next.trim();
    return [{ file: match[1], line: match[2], name: match[3], code, app: !LIBRARY.test(match[1]) }];
  });
}

const where = (frame) => frame.file.split(/[\\/]/).slice(-3).join("/");

function appFrame(frame, open) {
  return h("details", { class: "frame app", open: open && frame.code !== "" }, h("summary", {}, icon("right"), h("b", {}, frame.name), h("code", {}, `${where(frame)}:${frame.line}`)),
    frame.code && h("code", { class: "src", tabindex: "0" }, h("span", { class: "hot", "data-n": frame.line }, frame.code)));
}

function stack(text) {
  const found = frames(text).reverse(); // newest call first
  if (!found.length) return h("pre", { class: "src", tabindex: "0" }, text);
  const nodes = [];
  for (let i = 0; i < found.length; ) {
    if (found[i].app) {
      nodes.push(appFrame(found[i], nodes.length === 0));
      i += 1;
      continue;
    }
    const run = found.slice(i).findIndex((frame) => frame.app);
    const library = found.slice(i, run < 0 ? undefined : i + run);
    nodes.push(h("details", { class: "frame" }, h("summary", {}, icon("right"), `${library.length} library ${library.length === 1 ? "frame" : "frames"}`),
      h("code", { class: "src" }, library.map((frame) => h("span", { "data-n": frame.line }, `${where(frame)} ${frame.name}`)))));
    i += library.length;
  }
  nodes.push(h("details", { class: "frame" }, h("summary", {}, icon("right"), "As text"), h("pre", { class: "src", tabindex: "0" }, text)));
  return h("div", { class: "frames" }, nodes);
}

function exception({ attributes }) {
  const trace = attributes["exception.stacktrace"];
  return h("div", { class: "flow" }, h("div", { class: "exc" }, h("h3", {}, plain(attributes["exception.type"] ?? "Exception")), h("p", {}, plain(attributes["exception.message"] ?? ""))), trace && stack(plain(trace)));
}

const figure = (name, ns) => {
  const [number, unit] = durationParts(ns);
  return h("div", { class: "fig" }, h("dt", {}, name), h("dd", {}, number, h("small", {}, unit)));
};

const DURATIONS = { ended: "Duration", running: "So far", lost: "Last known" };

const section = (title, ...content) => h("section", { class: "sec" }, h("header", {}, h("h2", {}, title)), content);

function head(span, slot) {
  const badges = [
    h("span", { class: "badge" }, span.kind),
    span.status === "error" && h("span", { class: "badge err" }, icon("errors"), "Error"),
    span.status === "ok" && h("span", { class: "badge" }, "Ok"),
    badge(span),
    span.orphan && h("span", { class: "badge warn" }, "parent missing"),
    span.skew_ns !== 0 && h("span", { class: "badge warn" }, `clock moved ${durationText(Math.abs(span.skew_ns))}`),
  ];
  return h("div", { class: "flow" }, h("div", { class: "row" }, h("span", { class: "strong" }, service(span.service, slot)), badges),
    h("h2", { class: "title" }, span.name || "(no name)"),
    h("dl", { class: "figs" }, figure(DURATIONS[span.state], span.duration_ns), figure("Self", span.self_time_ns), figure("Starts at", span.offset_ns)),
    span.status_message && h("p", { class: "err" }, span.status_message));
}

const event = ({ name, offset_ns: at, attributes }) => [h("p", { class: "row note" }, h("span", { class: "mono" }, `+${durationText(at)}`), h("span", {}, name)), Object.keys(attributes).length > 0 && pairs(attributes)];

const link = ({ trace_id: trace, span_id: span, attributes }) => [h("p", {}, h("a", { href: `/traces/${trace}?span=${span}`, class: "mono" }, `${trace.slice(0, 8)}… / ${span}`)), Object.keys(attributes).length > 0 && pairs(attributes)];

/** All of a span as elements; `near` is where a search for one of its attributes goes. */
export function detail(span, slot, near) {
  const others = span.events.filter(({ name }) => name !== "exception");
  const dropped = Object.entries(span.dropped).filter(([, count]) => count);
  const facts = { "span id": span.span_id, "parent id": span.parent_span_id ?? "none", scope: `${span.scope.name} ${span.scope.version}`.trim(), start: span.start_time };
  if (span.trace_state) facts["trace state"] = span.trace_state;
  for (const [what, count] of dropped) facts[`dropped ${what}`] = count;
  return [
    head(span, slot),
    span.events.filter(({ name }) => name === "exception").map(exception),
    Object.keys(span.attributes).length > 0 && section("Attributes", pairs(span.attributes, near)),
    others.length > 0 && section("Events", others.map(event)),
    span.links.length > 0 && section("Links", span.links.map(link)),
    section("Resource", pairs(span.resource, near)),
    section("Span", pairs(facts)),
  ].flat(Infinity).filter(Boolean);
}
