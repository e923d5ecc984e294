// An exception: what was caught, what led to it and what it holds, each with its frames; or its text, where that is all.

import { readChain } from "./chain.js";
import { h, icon } from "./dom.js";
import { long } from "./fold.js";
import { frameList } from "./frames.js";
import { asText, stack } from "./stack.js";
import { grouped, plain } from "./time.js";

const CHAIN = "spanglass.exception.chain";
const STACK = "exception.stacktrace";
export const OCCURRENCE = "spanglass.exception.occurrence_id";
const HANDLED = "spanglass.exception.handled";

/** What this shows in its own way, so that a list of attributes leaves it out; as pages/exceptions.py. */
const SHOWN = new Set([CHAIN, STACK, "exception.message"]);
const NOT_IN_LINE = new Set([CHAIN, STACK, OCCURRENCE, HANDLED]);
const OF_EVENT = new Set([...SHOWN, "exception.type", OCCURRENCE, HANDLED, "exception.escaped"]);

export const isException = (attributes) => ["exception.type", "exception.message", STACK, CHAIN].some((key) => key in attributes);
/** Whether a span's event tells an exception, whatever its name. */
export const isExceptionEvent = ({ name, attributes }) => name === "exception" || isException(attributes);
/** A stack trace or a message as text; several lines may be sent as an array. */
const lines = (value) => (Array.isArray(value) ? value.map(plain).join("\n") : plain(value));
/** The text that tells one occurrence from others, or nothing. */
export const occurrenceOf = (attributes) => (typeof attributes[OCCURRENCE] === "string" ? attributes[OCCURRENCE] : "");
/** Whether it is told in full, not only mentioned. */
export const isFull = (attributes) => CHAIN in attributes || STACK in attributes;
const without = (attributes, keys) => Object.fromEntries(Object.entries(attributes).filter(([key]) => !keys.has(key)));
export const restOfRecord = (attributes) => (isException(attributes) ? without(attributes, SHOWN) : attributes);
/** Whether a record's body is its exception's last line, which is shown anyway. */
export const isBody = (body, attributes) => body === `${attributes["exception.type"]}: ${attributes["exception.message"]}`;
/** What a record's line shows: its body, or where it has none its event's name or its exception; as pages/exceptions.py. */
export function lineText({ body, event_name: event, attributes }) {
  if (body !== null && body !== "") return body;
  if (event && event !== "exception") return event;
  return [attributes["exception.type"], attributes["exception.message"]].filter(Boolean).join(": ") || event;
}
/** What nearly every record has, and says nothing in a list of them; as pages/exceptions.py. */
const OF_EVERY_LINE = /^(code|thread|process|user|session|spanglass\.message)\./;
/** Of a record's first line. */
export const restOfLine = (attributes) => Object.fromEntries(Object.entries(without(attributes, NOT_IN_LINE)).filter(([key]) => !OF_EVERY_LINE.test(key)));
export const restOfEvent = (attributes) => without(attributes, OF_EVENT);

const RELATIONS = { cause: ["caused by", "raise … from"], context: ["raised while handling", "the other was not dealt with yet"] };
const DEEPEST = 6; // groups in groups that are indented

/** The type as Python qualifies it, the module dimmed. */
function kind(name, module) {
  const prefix = module && name.startsWith(`${module}.`) ? module.length + 1 : module ? 0 : name.lastIndexOf(".") + 1;
  const own = name.slice(prefix) || name;
  return h("h3", {}, own !== name && h("span", { class: "dim" }, name.slice(0, prefix)), own || "Exception");
}

const said = (name, module, message, notes = []) => h("div", { class: "exc" }, kind(name, module), message && h("div", { class: "says" }, long(message, 600)), notes.map((note) => h("div", { class: "says soft" }, long(note, 600))));

const skipped = (count) => count > 0 && h("span", {}, `(${grouped(count)} more between)`);

function relation(one, link) {
  const [words, title] = RELATIONS[one.relation];
  return h("p", { class: "rel" }, h("span", { class: "soft", title }, words), skipped(one.leftOut), link);
}

/** One exception and all behind it, in reading order. */
class Chain {
  constructor(exceptions, linkTo) {
    this.all = exceptions;
    this.linkTo = linkTo;
    this.open = new Set(this.telling());
  }

  /** Those whose innermost frame tells most: what was caught, what it was made of by `raise … from`, and the root of it all. */
  telling() {
    const path = [0];
    for (let next = this.behind(0)[0]; next !== undefined; next = this.behind(next)[0]) path.push(next);
    return [0, ...path.slice(1, -1).filter((at) => this.all[at].relation === "cause").slice(0, 2), path.at(-1)];
  }

  behind(index) {
    return this.all[index].children.filter((child) => this.all[child].relation !== "member");
  }

  members(index, depth) {
    const found = this.all[index].children.filter((child) => this.all[child].relation === "member");
    if (!found.length) return null;
    if (this.open.has(index)) this.open.add(found[0]);
    return h("ol", { class: depth < DEEPEST ? "members" : "members flat" }, found.map((child, i) => h("li", {},
      h("p", { class: "rel" }, h("span", { class: "soft" }, `${i + 1} of ${found.length} in the group`), skipped(this.all[child].leftOut), this.linkTo(this.all[child].occurrence)), this.show(child, depth + 1))));
  }

  show(index, depth = 0) {
    const one = this.all[index];
    const frames = one.frames.length > 0 && frameList(one.frames, this.open.has(index));
    return [said(one.kind, one.module, one.message, one.notes), frames, this.members(index, depth), this.behind(index).map((child) => [relation(this.all[child], this.linkTo(this.all[child].occurrence)), this.show(child, depth)])];
  }
}

function badge(handled) {
  if (handled !== true && handled !== false) return null;
  return handled ? h("span", { class: "badge" }, "Handled") : h("span", { class: "badge err" }, icon("errors"), "Not handled");
}

const UNREADABLE = "Its structure could not be read. This is its text.";

/**
 * The exception that attributes of an event or a log record tell, as an element.
 *
 * `linkTo` gives a link to where an occurrence is told in full, or nothing; `where`, nodes, says where this one is.
 */
export function exceptionView(attributes, { linkTo = () => null, where = null } = {}) {
  const chain = CHAIN in attributes ? readChain(attributes[CHAIN]) : null;
  const text = lines(attributes[STACK] ?? "");
  const told = h("div", { class: "row note told" }, badge(attributes[HANDLED]), where);
  if (chain) return h("div", { class: "chain" }, told, new Chain(chain, linkTo).show(0), chain.more > 0 && h("p", { class: "note" }, `${grouped(chain.more)} more exceptions were sent`), text && h("div", { class: "frames" }, asText(text)));
  return h("div", { class: "chain" }, told, said(plain(attributes["exception.type"] ?? "Exception"), "", lines(attributes["exception.message"] ?? "")),
    CHAIN in attributes && h("p", { class: "note" }, UNREADABLE), text && stack(text));
}
