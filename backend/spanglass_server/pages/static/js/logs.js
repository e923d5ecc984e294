// Following logs: new lines come in on top; while the reader reads, they wait.

import { ask } from "./api.js";
import { h, icon, linkable, service } from "./dom.js";
import { isBody, isException, lineText, restOfLine, restOfRecord } from "./exception.js";
import { remember } from "./go.js";
import { recordException } from "./occurrence.js";
import { clock, grouped, plain } from "./time.js";
import { attribute, field } from "./tokens.js";

const PERIOD = 2000; // ms between two questions
const MOST_LINES = 1000; // kept in the page
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

function* leaves(value, above, depth) {
  for (const [key, item] of Object.entries(value)) {
    const isMap = item !== null && typeof item === "object" && !Array.isArray(item) && Object.keys(item).length > 0;
    if (isMap && depth > 1) yield* leaves(item, `${above}.${key}`, depth - 1);
    else yield [`${above}.${key}`, item];
  }
}

/** The values of a body that is a map or a JSON text, by the keys that filters know them by; as pages/log_lines/columns.py. */
function bodyFields(body) {
  let map = body;
  if (typeof body === "string" && body.trimStart().startsWith("{")) {
    try { map = JSON.parse(body); } catch { return {}; }
  }
  if (map === null || typeof map !== "object" || Array.isArray(map)) return {};
  return Object.fromEntries([...leaves(map, "body", DEEPEST)].slice(0, MOST_FIELDS));
}

const short = (id) => `${id.slice(0, 4)}…${id.slice(-4)}`;

function details(line) {
  const around = h("a", { class: "chip", href: `/logs/${encodeURIComponent(line.id)}#hit` }, icon("logs"), "Lines around");
  const chips = h("div", { class: "chips" }, line.trace_id && h("a", { class: "chip", href: `/traces/${line.trace_id}${line.span_id ? `?span=${line.span_id}` : ""}` }, icon("traces"), `Trace ${short(line.trace_id)}`), around);
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

class Follower {
  constructor(button, log) {
    Object.assign(this, { button, log, waiting: [], on: false, after: button.dataset.after });
    button.addEventListener("click", () => this.click());
    addEventListener("scroll", () => this.flush(), { passive: true });
    document.addEventListener("visibilitychange", () => { if (this.on && !document.hidden) this.poll(); });
    if (new URLSearchParams(location.search).get("follow")) this.set(true);
  }

  /** The reader is busy: below the top, or with a line open. */
  get busy() {
    return scrollY > 40 || this.log.querySelector(".log-r[open]") !== null;
  }

  click() {
    if (this.on && this.waiting.length) {
      for (const row of this.log.querySelectorAll(".log-r[open]")) row.open = false;
      scrollTo({ top: 0 });
      this.flush();
    } else this.set(!this.on);
  }

  set(on) {
    this.on = on;
    this.button.setAttribute("aria-pressed", String(on));
    remember({ follow: on ? "1" : null });
    this.label();
    clearTimeout(this.timer);
    if (on) this.poll();
  }

  async poll() {
    clearTimeout(this.timer);
    if (document.hidden || !this.on) return;
    try {
      const { logs, newest_cursor: newest } = await ask("logs", { after: this.after, filter: this.button.dataset.filter, limit: MOST_LINES });
      this.after = newest ?? this.after;
      this.waiting.push(...logs);
      this.waiting.splice(0, this.waiting.length - MOST_LINES);
      this.failed = false;
      this.behind = logs.length === MOST_LINES;
      this.flush();
    } catch {
      this.failed = true;
      this.behind = false;
    }
    this.label();
    this.timer = setTimeout(() => this.poll(), this.behind ? 0 : PERIOD);
  }

  flush() {
    if (!this.waiting.length || this.busy) return;
    this.log.prepend(...this.waiting.splice(0).reverse().map(logRow));
    document.getElementById("nothing")?.remove();
    while (this.log.children.length > MOST_LINES) this.log.lastElementChild.remove();
    this.label();
  }

  label() {
    const paused = this.on && this.waiting.length > 0;
    this.button.classList.toggle("live", !paused);
    if (paused) this.button.replaceChildren(icon("pause"), `Paused, ${grouped(this.waiting.length)} new`, h("span", { class: "vh" }, ", follow again"));
    else this.button.replaceChildren(this.failed && this.on ? "No answer, trying again" : this.on ? "Following" : "Follow");
  }
}

/** A line that the server wrote keeps its details as the text of `noscript`, a hundredth of their elements, until it is opened. */
function unfold({ target }) {
  const kept = target.open && target.matches(".log-r") && target.querySelector(":scope > div > noscript");
  if (kept) kept.replaceWith(...new DOMParser().parseFromString(kept.textContent, "text/html").body.childNodes);
}

export function start() {
  document.addEventListener("toggle", unfold, true); // before occurrence.js looks into them
  const button = document.getElementById("follow");
  if (button) new Follower(button, document.getElementById("log"));
}
