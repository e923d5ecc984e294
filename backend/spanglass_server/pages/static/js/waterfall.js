// The waterfall: folding, selection, errors, find, critical path; only the rows near the window are in the page.

import { ask } from "./api.js";
import { detail } from "./detail.js";
import { h } from "./dom.js";
import { remember } from "./go.js";
import { bind } from "./keys.js";
import { tellers } from "./occurrence.js";
import { joins, minimap, rowElement } from "./bars.js";
import { watch } from "./running.js";
import { tools } from "./tools.js";
import { Tree } from "./tree.js";

const SPARE = 24; // rows kept above and below the window
const MOST_IN_URL = 40; // closed spans that the URL remembers

class Waterfall {
  constructor(root, trace) {
    this.root = root;
    this.tree = new Tree(trace);
    this.body = root.querySelector(".wf-rows");
    this.grid = root.querySelector(".wf-grid");
    this.pane = document.getElementById("detail");
    const url = new URLSearchParams(location.search);
    this.closed = new Set((url.get("closed") ?? "").split(".").filter(Boolean));
    this.unfolded = new Set();
    this.fold = url.get("fold") !== "0";
    this.path = url.get("path") !== "0";
    this.query = (url.get("find") ?? "").toLowerCase();
    this.errors = trace.spans.filter((span) => span.status === "error");
    this.told = tellers(trace.spans);
    this.height = 0;
    this.chosen = root.dataset.span;
    this.tools = tools(this);
    document.getElementById("map").replaceChildren(minimap(this.tree));
    document.getElementById("more-rows")?.remove();
    this.listen();
    this.reveal(this.tree.byId.get(this.chosen));
    this.layout();
    this.show();
    if (url.get("span")) this.scrollTo(this.index(this.chosen));
  }

  listen() {
    addEventListener("scroll", () => this.draw(), { passive: true });
    addEventListener("resize", () => { this.height = 0; this.layout(); });
    this.root.addEventListener("click", (event) => this.click(event));
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.("a[data-span]");
      if (!link || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.choose(link.dataset.span, true);
    });
    bind({
      j: () => this.step(1), ArrowDown: () => this.step(1), k: () => this.step(-1), ArrowUp: () => this.step(-1),
      ArrowLeft: () => this.left(), ArrowRight: () => this.right(), e: () => this.nextError(1), E: () => this.nextError(-1),
      Home: () => this.go(0), End: () => this.go(this.rows.length - 1), f: () => this.tools.find(),
    });
  }

  /** Work the rows out anew: after folding, or when the height of a row changed. */
  layout() {
    this.rows = this.tree.rows(this.closed, this.unfolded, this.fold);
    this.at = new Map(this.rows.flatMap((row, i) => (row.like ?? [row.span]).map((span) => [span.key, i])));
    this.hits = this.query ? this.tree.spans.filter((span) => this.matches(span)) : [];
    this.root.setAttribute("aria-rowcount", this.rows.length + 1);
    this.from = null;
    this.draw();
    this.tools.update();
  }

  matches(span) {
    const text = `${span.name}\n${span.service}\n${span.span_id}\n${JSON.stringify(span.attributes)}\n${span.status_message}`;
    return text.toLowerCase().includes(this.query);
  }

  index(id) {
    return this.at.get(id) ?? -1;
  }

  /** Put the rows near the window into the page, and two fillers as high as all the others. */
  draw(force = false) {
    if (!this.height) {
      this.body.replaceChildren(rowElement(this, 0));
      this.height = this.body.firstElementChild.getBoundingClientRect().height || 26;
      this.from = null;
    }
    const top = Math.max(0, -this.body.getBoundingClientRect().top) / this.height;
    const from = Math.max(0, Math.floor(top) - SPARE);
    const to = Math.min(this.rows.length, Math.ceil(top + innerHeight / this.height) + SPARE);
    if (!force && this.from !== null && Math.abs(from - this.from) < SPARE / 2 && (to - this.to < SPARE / 2 || this.to === this.rows.length)) return;
    Object.assign(this, { from, to });
    const focused = document.activeElement?.closest?.(".wf-r")?.dataset.id;
    const elements = [];
    for (let i = from; i < to; i += 1) elements.push(rowElement(this, i));
    this.body.replaceChildren(filler(from * this.height), ...elements, filler((this.rows.length - to) * this.height));
    this.grid.querySelector("g")?.remove();
    if (this.path) this.grid.append(joins(this));
    if (focused) this.focus(focused);
  }

  focus(id) {
    this.body.querySelector(`[data-id="${CSS.escape(id)}"] .op`)?.focus({ preventScroll: true });
  }

  scrollTo(index) {
    if (index < 0) return;
    const top = this.body.getBoundingClientRect().top + index * this.height;
    const head = 44 + 26 + this.height;
    if (top < head || top > innerHeight - 2 * this.height) scrollBy({ top: top - innerHeight / 3, behavior: "instant" });
    this.draw();
  }

  /** Choose a span: mark its row, show its details, remember it in the URL. */
  choose(id, move = false) {
    const span = this.tree.byId.get(id);
    if (!span) return;
    this.chosen = id;
    if (this.reveal(span)) this.layout();
    this.draw(true);
    this.show();
    remember({ span: id });
    if (!move) return;
    this.scrollTo(this.index(id));
    this.focus(this.rows[this.index(id)].span.key);
  }

  show() {
    const span = this.tree.byId.get(this.chosen);
    if (span) this.pane.replaceChildren(...detail(span, this.tree.slots.get(span.service) ?? 0, this.root.dataset.near, this.told));
    this.tools.update();
  }

  /** Open what hides a span; true if something was hidden. */
  reveal(span) {
    const hiding = span ? this.tree.above(span).filter((id) => this.closed.delete(id)) : [];
    return hiding.length > 0;
  }

  click(event) {
    const row = event.target.closest(".wf-r");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (event.target.closest(".twist")) this.toggle(row.dataset.id);
    else this.choose(row.dataset.id);
  }

  toggle(id) {
    const row = this.rows[this.index(id)];
    if (row.like) this.unfolded.add(id);
    else if (!this.closed.delete(id)) this.closed.add(id);
    if (this.closed.size <= MOST_IN_URL) remember({ closed: [...this.closed].join(".") });
    this.layout();
  }

  step(by) {
    return this.go(this.index(this.chosen) + by);
  }

  go(index) {
    const row = this.rows[Math.max(0, Math.min(this.rows.length - 1, index))];
    this.choose(row.span.key, true);
  }

  left() {
    const row = this.rows[this.index(this.chosen)];
    if (row && !row.like && row.span.children && !this.closed.has(this.chosen)) this.toggle(this.chosen);
    else if (row && this.tree.byId.has(row.span.parent_key)) this.choose(row.span.parent_key, true);
  }

  right() {
    const row = this.rows[this.index(this.chosen)];
    if (row && (row.like || this.closed.has(this.chosen))) this.toggle(row.span.key);
    else this.step(1);
  }

  nextOf(spans, by) {
    if (!spans.length) return;
    const at = spans.findIndex((span) => span.key === this.chosen);
    this.choose(spans[at < 0 ? 0 : (at + by + spans.length) % spans.length].key, true);
  }

  nextError(by) {
    this.nextOf(this.errors, by);
  }

  find(text) {
    this.query = text.trim().toLowerCase();
    remember({ find: this.query });
    this.layout();
  }

  switch(name, parameter) {
    this[name] = !this[name];
    remember({ [parameter]: this[name] ? null : "0" });
    this.layout();
  }
}

function filler(height) {
  const pad = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  pad.setAttribute("class", "wf-pad");
  pad.setAttribute("height", height);
  pad.setAttribute("width", 1);
  pad.setAttribute("aria-hidden", "true");
  return pad;
}

export async function start() {
  const root = document.getElementById("wf");
  if (!root) return;
  try {
    const trace = await ask(`traces/${root.dataset.trace}`);
    new Waterfall(root, trace);
    watch(trace);
  } catch (error) {
    document.getElementById("tools")?.replaceChildren(h("span", { class: "note err" }, `Folding and search are off: ${error.message}`));
    if (!error.status) throw error;
  }
}
