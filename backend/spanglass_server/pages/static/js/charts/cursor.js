// The crosshair: values under the pointer or at the moment the arrow keys chose, and the range that is zoomed to.

import { h } from "../dom.js";
import { zoom } from "../go.js";
import { heatWords } from "./heat.js";
import { momentText } from "./moment.js";
import { colourOf } from "./options.js";
import { traceLink } from "./marks.js";
import { valueText } from "./units.js";

const MOST_ROWS = 12;
const MOST_SAID = 6; // series that a screen reader is told
const LEAST_PX = 4; // a shorter drag is a click
const SIDE = 12; // px between pointer and tip

export class Cursor {
  constructor(chart) {
    this.chart = chart;
    this.at = null; // index of the moment; null without one
    this.row = null; // of a heatmap
    this.pinned = null; // where a selection by keys began
    this.tip = h("div", { class: "c-tip", hidden: true });
    chart.plot.append(this.tip);
    const label = chart.look.label || "Chart";
    for (const [name, value] of Object.entries({ tabindex: "0", role: "slider", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "0", "aria-valuenow": "0", "aria-valuetext": "no moment chosen" })) chart.face.setAttribute(name, value);
    const on = (name, run) => chart.plot.addEventListener(name, run);
    on("pointerenter", () => { this.here = true; });
    on("pointerleave", () => { this.here = false; if (document.activeElement !== chart.face) this.leave(); });
    chart.face.addEventListener("keydown", (event) => this.key(event));
    chart.face.addEventListener("blur", () => this.leave());
    on("click", (event) => this.click(event));
    on("dblclick", () => document.querySelector("#range [aria-label='Zoom out']")?.click());
  }

  /** What uPlot is told of the pointer. */
  get options() {
    const { look } = this.chart;
    const pub = (type) => type === "mousemove";
    return {
      y: false, points: { show: look.kind !== "bar" && look.kind !== "heat" && this.chart.frame.series.length <= MOST_ROWS, size: 6 }, drag: { x: true, y: false, setScale: false, dist: LEAST_PX },
      ...(look.sync ? { sync: { key: look.sync, scales: ["x", null], filters: { pub } } } : {}),
    };
  }

  /** The pointer, the keys or another chart of the same key have moved the crosshair. */
  moved(u) {
    if (this.busy) return;
    const at = u.cursor.idx;
    if (at === null || at === undefined || u.cursor.left < 0) return;
    if (this.here) {
      this.at = at;
      if (this.chart.look.kind === "heat") this.row = Math.floor(u.posToVal(u.cursor.top, "y"));
      this.say(u.cursor.left, u.cursor.top);
    }
  }

  /** Values at the moment, the largest first. */
  rows() {
    const { frame, previous } = this.chart;
    const rows = frame.series.filter(({ hidden, values }) => !hidden && values[this.at] !== null).map((one) => ({ name: one.name, value: one.values[this.at], one }));
    if (!this.chart.look.stack) rows.sort((a, b) => b.value - a.value);
    else rows.reverse();
    const before = previous.filter(({ values }) => values[this.at] !== null).map((one) => ({ name: `${one.name || "value"}, before`, value: one.values[this.at], one: null }));
    return [...rows, ...(previous.length > 3 ? [] : before)];
  }

  say(left, top) {
    const { look, frame, face, plot, u } = this.chart;
    const time = momentText(frame.times[this.at], frame.step);
    const unit = [look.unit, look.decimals ?? null];
    const rows = look.kind === "heat" ? heatWords(frame, this.at, this.row, look.unit) : this.rows().map(({ name, value, one }) => [name, valueText(value, ...unit), one]);
    const notes = this.near();
    face.setAttribute("aria-valuemax", frame.times.length - 1);
    face.setAttribute("aria-valuenow", this.at);
    face.setAttribute("aria-valuetext", [time, ...rows.slice(0, MOST_SAID).map(([name, value]) => `${name} ${value}`), ...(rows.length ? [] : ["no value"]), ...notes].join(", "));
    this.tip.replaceChildren(h("p", {}, time), ...rows.slice(0, MOST_ROWS).map(([name, value, one]) => h("p", {}, this.swatch(one), h("span", {}, name), h("b", {}, value))),
      ...(rows.length > MOST_ROWS ? [h("p", { class: "dim" }, `${rows.length - MOST_ROWS} more`)] : []), ...notes.map((text) => h("p", { class: "dim" }, text)));
    this.tip.hidden = false;
    const [x, y] = [left + u.over.offsetLeft, Math.max(0, top)];
    const { offsetWidth: width, offsetHeight: height } = this.tip;
    const beside = x + SIDE + width > plot.clientWidth && x > plot.clientWidth / 2 ? x - SIDE - width : x + SIDE;
    this.tip.style.transform = `translate(${Math.round(Math.max(-8, beside))}px, ${Math.round(Math.min(y, Math.max(0, plot.clientHeight - height)))}px)`;
  }

  swatch(one) {
    const mark = h("i", {});
    if (one) mark.style.background = colourOf(one);
    return mark;
  }

  /** Words of releases and other events at the moment. */
  near() {
    const { frame, annotations } = this.chart;
    const time = frame.times[this.at];
    return annotations.filter((one) => (one.end > one.time ? one.time <= time && time <= one.end : Math.abs(one.time - time) <= frame.step)).map(({ text }) => text);
  }

  /** Put the crosshair to a moment. */
  go(at) {
    const { u, frame } = this.chart;
    this.at = Math.max(0, Math.min(frame.times.length - 1, at));
    const left = u.valToPos(frame.times[this.at], "x");
    const top = this.row === null ? 0 : Math.max(0, u.valToPos(this.row + 0.5, "y"));
    this.busy = true;
    u.setCursor({ left, top });
    this.busy = false;
    this.say(left, top);
  }

  /** After new data, the crosshair of the keys stays at its moment. */
  renew() {
    if (this.at === null || document.activeElement !== this.chart.face) return;
    const index = this.chart.frame.times.findIndex((time) => time >= this.time - this.chart.frame.step / 2);
    if (index < 0) this.leave();
    else this.go(index);
  }

  get range() {
    const { frame } = this.chart;
    const [from, to] = [this.pinned ?? this.at, this.at].sort((a, b) => a - b);
    return [Math.max(frame.start, frame.times[from] - (from === to ? frame.step : 0)), frame.times[to] + (from === to ? frame.step : 0)];
  }

  key(event) {
    const { frame, u, look } = this.chart;
    if (!frame?.times.length) return;
    const last = frame.times.length - 1;
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[event.key];
    const up = look.kind === "heat" && { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (by && !event.altKey && !event.ctrlKey && !event.metaKey) {
      if (event.shiftKey) this.pinned ??= this.at ?? last;
      else this.pinned = null;
      this.go((this.at ?? (by > 0 ? -1 : last + 1)) + by);
      this.paint(u);
    } else if (up) {
      this.row = Math.max(0, Math.min(frame.bounds.length - 1, (this.row ?? -1) + up));
      this.go(this.at ?? last);
    } else if (event.key === "Enter" && this.at !== null) this.open();
    else if (event.key === "Escape" && this.at !== null) this.leave();
    else return;
    this.time = frame.times[this.at];
    event.preventDefault();
    event.stopPropagation();
  }

  /** The range that shift and the arrow keys chose. */
  paint(u) {
    if (this.pinned === null) return this.clear(u);
    const [from, to] = this.range.map((time) => u.valToPos(time, "x"));
    this.busy = true;
    u.setSelect({ left: from, width: to - from, top: 0, height: u.over.clientHeight }, false);
    this.busy = false;
    return undefined;
  }

  /** Enter: zoom to the selection, else open what the moment leads to. */
  open() {
    const { look, frame, u } = this.chart;
    const links = this.pinned === null ? this.links(0) : [];
    if (links.length && look.opened) look.opened(links, { left: u.valToPos(frame.times[this.at], "x") + u.over.offsetLeft, top: 0 });
    else if (links.length) location.assign(links[0][1]);
    else this.zoomTo(...this.range);
  }

  /** The series nearest to a height above the moment. */
  nearest(top) {
    const { u, frame } = this.chart;
    const away = (one) => Math.abs(u.valToPos(one.values[this.at], "y") - top);
    return frame.series.filter(({ hidden, values }) => !hidden && values[this.at] !== null).sort((a, b) => away(a) - away(b))[0] ?? null;
  }

  /** What the moment leads to: an exemplar's trace, and what the page offers. */
  links(top) {
    const { frame, exemplars, look } = this.chart;
    const time = frame.times[this.at];
    const traces = exemplars.filter((one) => Math.abs(one.time - time) <= frame.step / 2).map((one) => [`Trace ${one.trace_id.slice(0, 8)}`, traceLink(one)]);
    return [...traces, ...(look.point?.({ time: time - frame.step, end: time, series: this.nearest(top) }) ?? [])];
  }

  click(event) {
    const { look, u } = this.chart;
    if (this.dragged || this.at === null || !look.opened || event.target.closest("a, button")) return;
    const links = this.links(u.cursor.top);
    if (links.length) look.opened(links, { left: u.cursor.left + u.over.offsetLeft, top: u.cursor.top });
  }

  selected(u) {
    if (this.busy || !this.here) return;
    const { left, width } = u.select;
    this.dragged = width >= LEAST_PX;
    setTimeout(() => { this.dragged = false; });
    if (this.dragged) this.zoomTo(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
  }

  zoomTo(from, to) {
    (this.chart.look.zoom ?? zoom)(Math.floor(from * 1000), Math.ceil(to * 1000));
  }

  clear(u) {
    this.busy = true;
    u?.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.busy = false;
  }

  leave() {
    Object.assign(this, { at: null, row: null, pinned: null });
    this.tip.hidden = true;
    this.clear(this.chart.u);
    this.busy = true;
    this.chart.u?.setCursor({ left: -10, top: -10 });
    this.busy = false;
  }
}
