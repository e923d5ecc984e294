// The table of a trace's spans: sorted and searched in the page; only the rows near the window are in it.

import { unpack } from "../columns.js";
import { h, icon, service, unit } from "../dom.js";
import { remember } from "../go.js";
import { bind } from "../keys.js";
import { NearRows } from "../near.js";
import { durationParts, grouped } from "../time.js";

const PAUSE = 120; // ms without a letter before something is looked for

const waited = (span) => span.critical.reduce((sum, [, took]) => sum + took, 0);
const byText = (...read) => (a, b) => { for (const one of read) { const [x, y] = [one(a), one(b)]; if (x !== y) return x < y ? -1 : 1; } return 0; };
const byNumber = (read) => (a, b) => read(a) - read(b);
const lower = ({ name }) => name.toLowerCase();
/** How spans compare by each column; as in pages/trace_views/table.py. */
const SORTS = {
  name: byText(lower, ({ service: name }) => name), service: byText(({ service: name }) => name, lower), start: byNumber((span) => span.offset_ns),
  duration: byNumber((span) => span.duration_ns), self: byNumber((span) => span.self_time_ns), critical: byNumber(waited),
};
const ASCENDING = new Set(["name", "service", "start"]);

const textsOf = (span) => [span.service, span.name, span.target, span.status_message, span.key].join("\n").toLowerCase();
const filler = (svg) => h("tr", { class: "pad", "aria-hidden": "true" }, h("td", {}, svg));

class Table {
  constructor(table, trace) {
    Object.assign(this, { table, trace, body: table.tBodies[0] });
    this.near = new NearRows(this.body, (i) => this.row(this.rows[i], i), filler);
    this.slots = new Map(trace.services.map(({ service: name, slot }) => [name, slot]));
    this.sort = table.dataset.sort;
    this.ascending = table.dataset.order === "asc";
    this.form = document.getElementById("table-tools");
    this.input = this.form.elements.find;
    this.count = document.getElementById("table-count");
    document.getElementById("more-rows")?.remove();
    this.none = document.getElementById("no-spans") ?? h("div", { class: "empty" }, h("p", {}, h("b", { class: "strong" }, "No span of this trace has that text"), " in its name, service, target, message or id."));
    table.after(this.none);
    this.listen();
    this.arrange();
  }

  listen() {
    addEventListener("scroll", () => this.draw(), { passive: true });
    addEventListener("resize", () => { this.near.forget(); this.draw(); });
    this.table.tHead.addEventListener("click", (event) => this.click(event));
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.find(); });
    this.input.addEventListener("input", () => { clearTimeout(this.pause); this.pause = setTimeout(() => this.find(), PAUSE); });
    bind({ f: () => this.input.select() }, { f: "find in the table" });
  }

  click(event) {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const sort = new URL(link.href).searchParams.get("sort");
    this.ascending = sort === this.sort ? !this.ascending : ASCENDING.has(sort);
    this.sort = sort;
    remember({ sort, order: this.ascending ? "asc" : "desc" });
    for (const head of this.table.tHead.querySelectorAll("th")) {
      const own = new URL(head.firstElementChild.href).searchParams.get("sort") === sort;
      if (own) head.setAttribute("aria-sort", this.ascending ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
    this.arrange();
  }

  find() {
    remember({ find: this.input.value.trim() });
    this.arrange();
  }

  /** Choose the rows and their order; equal ones stand as in the tree. */
  arrange() {
    const text = this.input.value.trim().toLowerCase();
    this.texts ??= text ? this.trace.spans.map(textsOf) : null;
    const found = text ? this.trace.spans.filter(({ row }) => this.texts[row].includes(text)) : [...this.trace.spans];
    const sign = this.ascending ? 1 : -1;
    this.rows = found.sort((a, b) => sign * SORTS[this.sort](a, b) || a.row - b.row);
    this.count.replaceChildren(`${grouped(this.rows.length)} ${this.rows.length === 1 ? "span" : "spans"}`);
    this.table.setAttribute("aria-rowcount", this.rows.length + 1);
    this.none.hidden = this.rows.length > 0;
    this.near.forget();
    this.draw();
  }

  /** Draw the rows that are missing near the window. */
  draw() {
    this.height ??= this.measure();
    const anew = this.near.from === null;
    if (!this.near.isMissing(this.height, this.rows.length)) return;
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    if (anew) this.renew();
    this.near.draw();
    if (focused) this.body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  /** Take the page's address as it is now, which rows lead from. */
  renew() {
    this.base = new URL(location.href);
    for (const name of ["view", "sort", "order", "find"]) this.base.searchParams.delete(name);
  }

  measure() {
    return this.body.rows[0]?.getBoundingClientRect().height || 30;
  }

  row(span, index) {
    this.base.searchParams.set("span", span.key);
    const critical = waited(span);
    return h("tr", { "aria-rowindex": index + 2 },
      h("td", { class: "w" }, span.status === "error" && [icon("errors", "err"), h("span", { class: "vh" }, "error"), " "], h("a", { href: this.base.pathname + this.base.search, "data-key": span.key }, span.name || "(no name)"), span.target && [" ", h("span", { class: "target" }, span.target)]),
      h("td", { class: "hide-s" }, service(span.service, this.slots.get(span.service) ?? 0)),
      h("td", { class: "n hide-s" }, unit(durationParts(span.offset_ns))), h("td", { class: "n strong" }, unit(durationParts(span.duration_ns))),
      h("td", { class: "n" }, unit(durationParts(span.self_time_ns))), h("td", { class: "n hide-s" }, critical ? unit(durationParts(critical)) : h("span", { class: "dim" }, "–")));
  }
}

const table = document.getElementById("spans");
if (table) new Table(table, unpack(JSON.parse(document.getElementById("trace").textContent).trace));
