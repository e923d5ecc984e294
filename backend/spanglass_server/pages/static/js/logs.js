// Log lines: as script writes them, and the details of those that the server wrote.

import { copyPart } from "./copying/part.js";
import { h, icon, linkable, service } from "./dom.js";
import { isBody, isException, lineText, restOfLine, restOfRecord } from "./exception.js";
import { recordException } from "./occurrence.js";
import { clock, plain } from "./time.js";
import { attribute, field } from "./tokens.js";

const SEVERITIES = { fatal: ["error", "FTL"], error: ["error", "ERR"], warn: ["warning", "WRN"], info: ["info", "INF"], debug: ["debug", "DBG"], trace: ["debug", "TRC"] };

const DEEPEST = 6, MOST_FIELDS = 100; // of a body
const MOST_SEARCHED = 300; // as in pages/visit.py

function only(near, key, value) {
  const lost = key.startsWith("body.") && field(key) !== key; // quoted it would be an attribute
  if (!near || typeof value === "object" || String(value).length > MOST_SEARCHED || lost) return null;
  const url = new URL(near, location.href);
  url.searchParams.set("filter", attribute(key, value));
  return h("a", { class: "only", href: url.pathname + url.search, "aria-label": `filter ${key} = ${plain(value)}` }, "filter");
}

/** Attributes as a list of pairs; with `near`, a path and its range, each offers a search for the same. */
export const pairs = (values, near = null) => h("dl", { class: "kv" }, Object.entries(values).map(([key, value]) => [h("dt", {}, key),
  h("dd", {}, only(near, key, value), linkable(value) ? h("a", { href: value, rel: "noreferrer noopener" }, value) : plain(value))]));

const ESCAPES = ["$bytes", "$double", "$undecoded"]; // a stored map of one of these alone is none
const isMap = (item) => item !== null && typeof item === "object" && !Array.isArray(item);
const isEscape = (item) => Object.keys(item).length === 1 && ESCAPES.includes(Object.keys(item)[0]);

function* leaves(value, above, depth, stored) {
  for (const [key, item] of Object.entries(value)) {
    const path = `${above}.${stored && key.startsWith("$") ? key.slice(1) : key}`; // stored, it has one $ more
    if (isMap(item) && Object.keys(item).length > 0 && depth > 1 && !(stored && isEscape(item))) yield* leaves(item, path, depth - 1, stored);
    else yield [path, item];
  }
}

/** The values of a body that is a map or a JSON text, by the keys that filters know them by; as query/rows/map_leaves.py. */
function bodyFields(body) {
  let map = body;
  const stored = typeof body !== "string";
  if (!stored && body.trimStart().startsWith("{")) {
    try { map = JSON.parse(body); } catch { return {}; }
  }
  if (!isMap(map) || (stored && isEscape(map))) return {};
  return Object.fromEntries([...leaves(map, "body", DEEPEST, stored)].slice(0, MOST_FIELDS));
}

const short = (id) => `${id.slice(0, 4)}…${id.slice(-4)}`;

function details(line) {
  const around = h("a", { class: "chip", href: `/logs/${encodeURIComponent(line.id)}#hit` }, icon("logs"), "Lines around");
  const copies = copyPart(".log-r", "the line");
  const chips = h("div", { class: "chips" }, line.trace_id && h("a", { class: "chip", href: `/traces/${line.trace_id}${line.span_id ? `?span=${line.span_id}` : ""}` }, icon("traces"), `Trace ${short(line.trace_id)}`), around, copies);
  const here = location.pathname + location.search;
  const facts = { time: line.time, severity: line.severity_text || line.severity, logger: line.scope?.name ?? "" };
  const fields = bodyFields(line.body);
  return h("div", {}, h("div", { class: "flow" }, chips, line.body !== null && !isBody(line.body, line.attributes) && h("pre", { class: "body" }, plain(line.body)), Object.keys(fields).length > 0 && pairs(fields, here), isException(line.attributes) && recordException(line), pairs(facts), pairs(restOfRecord(line.attributes), here), pairs(line.resource, here)));
}

/** One log line as the server renders it; its details are built when it is opened. */
export function logRow(line) {
  const [css, letters] = SEVERITIES[line.severity] ?? ["", "–"];
  const some = Object.entries(restOfLine(line.attributes)).slice(0, 6).map(([key, value]) => `${key}=${plain(value).slice(0, 80)}`).join(" ");
  const row = h("details", { class: `log-r ${css}` }, h("summary", {}, h("time", { datetime: line.time }, clock(line.time)), h("span", { class: "sev", title: line.severity }, letters),
    service(line.service, line.slot), h("code", {}, Object.entries(line.columns ?? {}).map(([key, value]) => h("span", { class: "col", title: key }, value === null ? h("span", { class: "dim" }, "–") : plain(value).slice(0, 200))), plain(lineText(line)).slice(0, 2000), some && [" ", h("em", {}, some)])));
  row.addEventListener("toggle", () => { if (row.open && row.children.length === 1) row.append(details(line)); });
  return row;
}

/** A line that the server wrote keeps its details as the text of `noscript`, a hundredth of their elements, until it is opened. */
function unfold({ target }) {
  const kept = target.open && target.matches(".log-r") && target.querySelector(":scope > div > noscript");
  if (kept) kept.replaceWith(...new DOMParser().parseFromString(kept.textContent, "text/html").body.childNodes);
  if (kept) target.querySelector(":scope > div .chips")?.append(copyPart(".log-r", "the line"));
}

export function start() {
  document.addEventListener("toggle", unfold, true); // before occurrence.js looks into them
}
