// One panel: its heading and menu, its data, and what it shows while it waits, fails or finds nothing.

import { h, icon } from "../dom.js";
import { momentText } from "../charts/moment.js";
import { panelData } from "./data.js";
import { draw } from "./draw/draw.js";
import { panelMenu } from "./menu.js";

const SOON = 200; // ms; what answers faster needs no waiting line

/** A sentence from an error of the API, with what to do next. */
export const sentence = (error) => [error.message, error.error?.hint].filter(Boolean).map((text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".")).join(" ");

export class Panel {
  constructor(board, definition, element) {
    Object.assign(this, { board, definition, element, chart: null, answer: null, seen: true });
    this.title = h("h2", { id: `t-${definition.id}` });
    this.said = h("output", { class: "note p-said" });
    this.menu = panelMenu(this);
    this.line = h("div", { class: "wait", role: "progressbar", "aria-label": "Waiting for data", hidden: true });
    this.note = h("div", { class: "p-note", hidden: true });
    this.body = h("div", { class: "p-body" });
    element.setAttribute("aria-labelledby", this.title.id);
    element.replaceChildren(h("header", {}, this.title, this.said, this.menu), this.line, this.note, this.body);
    this.body.addEventListener("focusout", () => setTimeout(() => this.settle()));
    this.body.addEventListener("toggle", () => this.settle(), true);
    this.watch = new IntersectionObserver(([{ isIntersecting }]) => this.saw(isIntersecting), { rootMargin: "100px" });
    this.watch.observe(element);
    this.head();
  }

  /** The heading, after the definition has changed. */
  head() {
    const { title, description, type } = this.definition;
    this.title.replaceChildren(title || (type === "text" ? "" : "Untitled"));
    this.title.title = description ?? "";
    this.element.dataset.type = type;
    this.element.classList.toggle("bare", type === "text" && !title);
  }

  /** The panel is now something else: draw it anew from its answer, or ask. */
  define(definition, ask = true) {
    this.definition = definition;
    this.forget();
    this.head();
    if (ask) this.load();
    else if (this.answer) this.show(this.answer);
  }

  /** The values as a table, or the chart again. */
  swap() {
    const table = !this.table;
    this.forget();
    this.table = table;
    if (this.answer) this.show(this.answer);
  }

  /** Take away the drawing: the next one is of another kind. */
  forget() {
    this.chart?.destroy();
    this.chart = null;
    this.table = false;
    this.body.replaceChildren();
  }

  saw(isSeen) {
    this.seen = isSeen;
    if (isSeen && this.stale) this.load();
  }

  /** Ask for the data, unless the panel cannot be seen: then when it can. */
  async load({ live = false } = {}) {
    if (live && this.stop) return; // an answer is on its way: one that is slower than the refresh must come, too
    this.stale = live && !this.seen;
    if (this.stale) return;
    this.stop?.abort();
    const stop = new AbortController();
    this.stop = stop;
    const timer = setTimeout(() => { this.line.hidden = false; }, SOON);
    try {
      const answer = this.definition.type === "text" ? { series: [] } : await panelData(this.board, this.definition, { points: this.points, signal: stop.signal });
      if (stop !== this.stop) return;
      this.failed = null;
      this.got = Date.now() / 1000;
      this.show(answer);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.failed = error;
    } finally {
      clearTimeout(timer);
      if (stop === this.stop) {
        this.stop = null;
        this.line.hidden = true;
        this.state();
      }
    }
  }

  /** How many points fit: one for every two pixels. */
  get points() {
    return Math.max(50, Math.min(1000, Math.round((this.body.clientWidth || 600) / 2)));
  }

  /** Whether the reader is in the panel: then what is there stays until they leave it. */
  get busy() {
    return (this.body.contains(document.activeElement) && !document.activeElement.matches(".scroll")) || this.body.querySelector("details[open]") !== null;
  }

  show(answer) {
    this.answer = answer;
    this.pending = false;
    if (!this.chart && this.busy) this.pending = true; // a chart is drawn on the same elements, other bodies are not
    else draw(this, answer);
    this.say();
  }

  settle() {
    if (this.pending && !this.busy) this.show(this.answer);
  }

  /** Beside the title: that new values wait, and notes of the answer. */
  say() {
    const notes = (this.answer?.notes ?? []).filter((text) => this.definition.type !== "top" || !/ series are shown/.test(text)); // a top list is meant to leave some out
    const text = this.pending ? "New values wait while you are here" : notes.length === 1 ? notes[0] : notes.length ? `${notes.length} notes` : "";
    if (this.said.textContent !== text) this.said.textContent = text;
    this.said.title = notes.join("\n");
  }

  /** What is wrong, above the old answer if there is one. */
  state() {
    const { failed, answer } = this;
    this.element.classList.toggle("failed", Boolean(failed));
    this.note.hidden = !failed;
    if (!failed) return;
    const retry = h("button", { class: "btn", type: "button" }, "Try again");
    retry.addEventListener("click", () => this.load());
    const words = h("p", {}, h("b", { class: "strong" }, answer ? `Not renewed since ${momentText(this.got, 1)}. ` : "No answer. "), sentence(failed));
    const key = words.textContent;
    if (this.note.dataset.key === key) return; // the same again: its button may have the focus
    this.note.dataset.key = key;
    this.note.replaceChildren(h("div", { class: "hint err", role: "alert" }, icon("errors"), words, retry));
  }

  destroy() {
    this.stop?.abort();
    this.watch.disconnect();
    this.chart?.destroy();
    this.element.remove();
  }
}
