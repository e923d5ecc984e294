// The waterfall: folding, selection, errors, find, critical path; only the rows near the window are in the page.

import { ask } from "./api.js";
import { ofRow, TextIndex, unpack } from "./columns.js";
import { beginning, detail } from "./detail.js";
import { remember } from "./go.js";
import { bind } from "./keys.js";
import { NearRows } from "./near.js";
import { tellers } from "./occurrence.js";
import { joins, minimap, rowElement } from "./bars.js";
import { watch } from "./running.js";
import { tools } from "./tools.js";
import { Tree } from "./tree.js";

const MOST_IN_URL = 40; // closed spans that the URL remembers
const MOST_KEPT = 50; // spans whose details are kept
const PAUSE = 120; // ms without a letter before something is looked for

class Waterfall {
  constructor(root, trace, { chosen: whole, ...around }) {
    this.root = root;
    this.trace = trace;
    this.around = around;
    this.tree = new Tree(trace);
    this.texts = new TextIndex(trace);
    this.kept = new Map([[root.dataset.span, whole]]);
    this.body = root.querySelector(".wf-rows");
    this.near = new NearRows(this.body, (i) => rowElement(this, i), (svg) => { svg.setAttribute("class", "wf-pad"); return svg; });
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
    this.reveal(this.tree.byKey(this.chosen));
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
    }, { j: "next and previous span", k: "next and previous span", ArrowLeft: "fold and unfold", ArrowRight: "fold and unfold", e: "next and previous error", E: "next and previous error", f: "find in the trace" });
  }

  /** Work the rows out anew: after folding, or when the height of a row changed. */
  layout() {
    this.rows = this.tree.rows(this.closed, this.unfolded, this.fold);
    this.at = new Int32Array(this.tree.spans.length).fill(-1); // by a span's row in the answer, the row that shows it
    this.rows.forEach((row, i) => { for (const span of row.like ?? [row.span]) this.at[span.row] = i; });
    this.search();
    this.root.setAttribute("aria-rowcount", this.rows.length + 1);
    this.near.forget();
    this.draw();
    this.tools.update();
  }

  search() {
    const rows = this.query ? this.texts.find(this.query) : new Set();
    this.hits = this.query ? this.tree.spans.filter(({ row }) => rows.has(row)) : [];
    this.hit = rows;
    if (this.query && !this.texts.whole) this.completing ??= this.complete();
  }

  /** Find by attributes, too, as soon as they are there; without them the count says that it does not have them. */
  async complete() {
    try {
      await this.texts.complete();
    } catch {
      this.completing = null;
      return;
    }
    this.search();
    this.draw(true);
    this.tools.update();
  }

  index(id) {
    const span = this.tree.byKey(id);
    return span ? this.at[span.row] : -1;
  }

  /** Draw the rows that are missing near the window; with `force`, all of them anew. */
  draw(force = false) {
    if (!this.height) {
      this.base = new URL(location.href);
      this.body.replaceChildren(rowElement(this, 0));
      this.height = this.body.firstElementChild.getBoundingClientRect().height || 26;
      this.near.forget();
    }
    if (force) this.near.forget();
    const anew = this.near.from === null;
    if (!this.near.isMissing(this.height, this.rows.length)) return;
    const focused = anew && document.activeElement?.closest?.(".wf-r")?.dataset.id;
    if (anew) this.base = new URL(location.href);
    this.near.draw();
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
    const span = this.tree.byKey(id);
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

  /** Show the chosen span: at once what its row says, and all of it as soon as it is there. */
  async show() {
    const span = this.tree.byKey(this.chosen);
    this.tools.update();
    if (!span) return;
    if (!this.kept.has(span.key)) this.pane.replaceChildren(...beginning(span, this.slotOf(span)));
    let whole;
    try {
      whole = await this.whole(span.key);
    } catch (error) {
      if (span.key === this.chosen) this.pane.replaceChildren(...beginning(span, this.slotOf(span), `The details could not be read: ${error.message}`));
      return;
    }
    if (span.key !== this.chosen) return;
    this.pane.replaceChildren(...detail({ ...whole, ...ofRow(span), target: span.target }, this.slotOf(span), this.root.dataset.near, this.told, this.around));
  }

  slotOf(span) {
    return this.tree.slots.get(span.service) ?? 0;
  }

  /** A span in full; those asked for last are kept. */
  async whole(key) {
    const found = this.kept.get(key) ?? (await ask(`traces/${this.trace.trace_id}/spans/${encodeURIComponent(key)}`));
    this.kept.delete(key);
    this.kept.set(key, found);
    if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value);
    return found;
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
    else if (row && this.tree.byKey(row.span.parent_key)) this.choose(row.span.parent_key, true);
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

  /** Look for a text when the reader pauses; with `now`, at once. */
  find(text, now = false) {
    clearTimeout(this.pause);
    const look = () => {
      this.query = text.trim().toLowerCase();
      remember({ find: this.query });
      this.search();
      this.draw(true);
      this.tools.update();
    };
    if (now) look();
    else this.pause = setTimeout(look, PAUSE);
  }

  switch(name, parameter) {
    this[name] = !this[name];
    remember({ [parameter]: this[name] ? null : "0" });
    this.layout();
  }
}

/** Draw the trace that came with the page: its head, its axis and its rows are of one answer. */
export function start() {
  const root = document.getElementById("wf");
  if (!root) return;
  const { trace, ...beside } = JSON.parse(document.getElementById("trace").textContent);
  const unpacked = unpack(trace);
  new Waterfall(root, unpacked, beside);
  watch(unpacked);
}
