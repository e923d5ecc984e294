// The flame graph of a trace: choose a frame to see its figures, look at it from near, find paths by text.
// performance/flame.js says other things of the frames of other flame graphs.

import { h, icon, s, service } from "../dom.js";
import { remember } from "../go.js";
import { bind } from "../keys.js";
import { durationParts, durationText, grouped, percent } from "../time.js";
import { ROW, frames, parents, trail, wholeOf } from "./paths.js";

const LEAST_PX = 2; // a narrower frame is not drawn; it can be seen from near
const LETTER_PX = 6.5;

export const figure = (name, [number, unit]) => h("div", { class: "fig" }, h("dt", {}, name), h("dd", {}, number, unit && h("small", {}, unit)));
const label = (path) => [path.name || "(no name)", path.target].filter(Boolean).join(" ");

export class Flame {
  static whole = "Whole trace";
  static counted = ["span", "spans"];
  static figure = "Spans";
  static find = "Find paths";

  constructor(root, paths) {
    Object.assign(this, { root, paths, over: parents(paths), whole: wholeOf(paths) });
    this.svg = root.querySelector("svg");
    this.pane = document.getElementById("frame");
    this.place = Number(root.dataset.frame);
    this.query = "";
    this.tools();
    root.addEventListener("click", (event) => this.click(event));
    addEventListener("resize", () => this.draw());
    document.getElementById("whole")?.remove();
    bind({
      f: () => this.input.select(), Escape: () => this.zoom(this.place >= 0 ? this.over[this.place] : -1),
      ArrowUp: () => this.move(this.over[this.focused]), ArrowDown: () => this.move(this.below()),
      ArrowLeft: () => this.move(this.beside(-1)), ArrowRight: () => this.move(this.beside(1)),
    }, { f: "find paths", Escape: "zoom out", ArrowUp: "go to the caller, what is called, the next call", ArrowDown: "go to the caller, what is called, the next call", ArrowLeft: "go to the caller, what is called, the next call", ArrowRight: "go to the caller, what is called, the next call" });
    this.draw();
    this.show();
  }

  tools() {
    this.input = h("input", { "aria-label": this.constructor.find, placeholder: this.constructor.find, spellcheck: "false", autocomplete: "off" });
    this.count = h("output", {});
    this.out = h("button", { class: "btn", type: "button" }, this.constructor.whole);
    this.out.addEventListener("click", () => this.zoom(-1));
    this.input.addEventListener("input", () => { this.query = this.input.value.trim().toLowerCase(); this.draw(); });
    document.getElementById("tools").replaceChildren(this.out, h("label", { class: "jump find" }, icon("search"), this.input, this.count, h("kbd", { "aria-hidden": "true" }, "f")));
  }

  matches({ service: name, ...path }) {
    return `${label(path)}\n${name}`.toLowerCase().includes(this.query);
  }

  draw() {
    const width = this.root.clientWidth || 1;
    this.shown = frames(this.paths, this.over, this.place, (100 * LEAST_PX) / width);
    this.at = new Map(this.shown.map((frame) => [frame.place, frame]));
    this.svg.setAttribute("height", ROW * (1 + Math.max(0, ...this.shown.map(({ y }) => y / ROW))));
    const focus = this.root.contains(document.activeElement);
    this.svg.replaceChildren(...this.shown.map((frame) => this.frame(frame, width)));
    this.out.disabled = this.place < 0;
    this.found();
    if (focus) this.focus(this.place);
  }

  frame({ place, x, w, y, above }, width) {
    const path = this.paths[place];
    const css = `fl-f s${path.slot}${above ? " above" : ""}${this.isBad(path) ? " err" : ""}${this.query && !this.matches(path) ? " miss" : ""}`;
    const url = new URL(location.href);
    url.searchParams.set("frame", place);
    const says = `${label(path)}, ${path.service}: ${durationText(path.work_ns)}, ${this.share(path.work_ns)}, ${this.countOf(path)}`;
    const room = (w / 100) * width - 8;
    return s("svg", { class: css, x: `${x.toFixed(3)}%`, y, width: `${w.toFixed(3)}%`, height: ROW - 1 },
      s("a", { href: url.pathname + url.search, "data-place": place, "aria-label": says, "aria-current": place === this.place ? "true" : null, tabindex: place === this.place || (this.place < 0 && place === 0) ? "0" : "-1" },
        s("title", {}, says), s("rect", { width: "100%", height: ROW - 2, rx: 2 }), room > 2 * LETTER_PX && s("text", { x: 5, y: 14 }, label(path))));
  }

  isBad(path) {
    return path.errors > 0;
  }

  countOf({ spans }) {
    return `${grouped(spans)} ${this.constructor.counted[spans === 1 ? 0 : 1]}`;
  }

  /** Say how much of the work is that of paths that were found, each counted once. */
  found() {
    if (!this.query) {
      this.count.replaceChildren();
      return;
    }
    let [work, until] = [0, -1];
    for (const path of this.paths) {
      if (until >= 0 && path.depth > until) continue;
      until = -1;
      if (!this.matches(path)) continue;
      work += path.work_ns;
      until = path.depth;
    }
    this.count.replaceChildren(this.share(work));
  }

  get focused() {
    const place = document.activeElement?.closest?.("[data-place]")?.dataset.place;
    return place === undefined ? this.place : Number(place);
  }

  below() {
    const from = this.focused;
    return this.shown.find(({ place }) => place > from && this.over[place] === from)?.place ?? -1;
  }

  beside(by) {
    const from = this.focused;
    const row = this.shown.filter(({ y }) => y === this.at.get(from)?.y).map(({ place }) => place);
    return row[row.indexOf(from) + by] ?? -1;
  }

  move(place) {
    if (place === undefined || place < 0 || !this.at.has(place)) return false;
    this.focus(place);
    return true;
  }

  focus(place) {
    this.root.querySelector(`[data-place="${Math.max(0, place)}"]`)?.focus({ preventScroll: false });
  }

  click(event) {
    const link = event.target.closest("[data-place]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.zoom(Number(link.dataset.place));
  }

  zoom(place) {
    if (place === this.place) return false;
    this.place = place;
    remember({ frame: place < 0 ? null : place });
    this.draw();
    this.show();
    return true;
  }

  /** Figures of a path beside those that are large: names and values. */
  facts(path) {
    const url = new URL(location.href);
    for (const name of ["view", "frame"]) url.searchParams.delete(name);
    url.searchParams.set("span", path.longest);
    return [
      ["share of the work", this.share(path.work_ns)], ["the trace waited for it", durationText(path.critical_ns)],
      ["durations added up", durationText(path.duration_ns)], ["longest", h("a", { href: url.pathname + url.search }, durationText(path.longest_ns))],
    ];
  }

  share(ns) {
    return percent(this.whole ? ns / this.whole : 0);
  }

  show() {
    const path = this.paths[this.place];
    if (!path) {
      this.pane.replaceChildren(h("p", { class: "note" }, "Choose a frame to see its figures, and to look at it from near."));
      return;
    }
    const above = trail(this.over, this.place).slice(0, -1);
    this.pane.replaceChildren(
      h("div", { class: "flow" },
        h("div", { class: "row" }, h("span", { class: "strong" }, service(path.service, path.slot)), path.errors > 0 && h("span", { class: "badge err" }, icon("errors"), `${grouped(path.errors)} ${path.errors === 1 ? "error" : "errors"}`)),
        h("h2", { class: "title" }, path.name || "(no name)", path.target && [" ", h("span", { class: "target" }, path.target)]),
        h("dl", { class: "figs" }, figure("Work", durationParts(path.work_ns)), figure("Self", durationParts(path.self_time_ns)), figure(this.constructor.figure, [grouped(path.spans)]))),
      h("section", { class: "sec" }, h("header", {}, h("h2", {}, "Figures")), h("dl", { class: "kv" }, this.facts(path).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]))),
      above.length > 0 && h("section", { class: "sec" }, h("header", {}, h("h2", {}, "Called by")), h("ol", { class: "list" }, above.reverse().map((place) => h("li", {}, service(this.paths[place].service, this.paths[place].slot), " ", label(this.paths[place]))))));
  }
}

const data = document.getElementById("paths");
if (data) new Flame(document.getElementById("flame"), JSON.parse(data.textContent).paths);
