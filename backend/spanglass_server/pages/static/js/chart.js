// Charts: the figures under the pointer, and a brush that zooms. The drawing is the server's.

import { s } from "./dom.js";
import { zoom } from "./go.js";

const LEAST = 0.01; // of the width: a shorter drag is a click

class Brush {
  constructor(svg) {
    this.svg = svg;
    Object.assign(this, { anchor: null, at: -1 });
    this.read();
    this.readout = document.getElementById(svg.dataset.readout);
    this.idle = this.readout ? [...this.readout.childNodes] : [];
    this.cursor = svg.insertBefore(s("rect", { class: "c-at", "data-own": "", y: 0, height: 100, width: 0 }), svg.firstChild);
    this.box = svg.appendChild(s("rect", { class: "c-sel", "data-own": "", y: 0, height: 100, width: 0, visibility: "hidden" }));
    if (this.rows.length) this.listen();
  }

  /** Read the figures, anew where live data has changed them. */
  read() {
    const { chart, start, end } = this.svg.dataset;
    if (chart === this.chart) return;
    const { names, rows } = JSON.parse(chart);
    Object.assign(this, { chart, names, rows, startMs: Number(BigInt(start) / 1000000n), endMs: Number(BigInt(end) / 1000000n) });
  }

  listen() {
    const on = (name, run) => this.svg.addEventListener(name, run);
    this.svg.setAttribute("tabindex", "0");
    on("pointermove", (event) => this.move(event));
    on("pointerleave", () => { if (this.anchor === null) this.leave(); });
    on("pointerdown", (event) => this.press(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", () => this.cancel());
    on("dblclick", () => document.querySelector("#range [aria-label='Zoom out']")?.click());
    on("keydown", (event) => this.key(event));
    on("blur", () => this.cancel());
  }

  share(event) {
    const box = this.svg.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  }

  show(index) {
    this.read();
    this.at = Math.max(0, Math.min(this.rows.length - 1, index));
    const [time, ...values] = this.rows[this.at];
    this.cursor.setAttribute("x", (100 * this.at) / this.rows.length);
    this.cursor.setAttribute("width", 100 / this.rows.length);
    this.readout?.replaceChildren(`${time} · ${values.map((value, i) => `${value} ${this.names[i]}`).join(", ")}`);
  }

  select(from, to) {
    const [left, right] = from < to ? [from, to] : [to, from];
    this.box.setAttribute("visibility", right - left > LEAST ? "visible" : "hidden");
    this.box.setAttribute("x", 100 * left);
    this.box.setAttribute("width", 100 * (right - left));
    return [left, right];
  }

  move(event) {
    this.show(Math.floor(this.share(event) * this.rows.length));
    if (this.anchor !== null) this.select(this.anchor, this.share(event));
  }

  press(event) {
    if (event.button || event.pointerType === "touch") return; // a finger scrolls the page; it has the range button
    this.svg.setPointerCapture(event.pointerId);
    this.anchor = this.share(event);
  }

  release(event) {
    if (this.anchor === null) return;
    const [left, right] = this.select(this.anchor, this.share(event));
    this.anchor = null;
    if (right - left > LEAST) this.zoom(left, right);
  }

  zoom(left, right) {
    const length = this.endMs - this.startMs;
    zoom(Math.floor(this.startMs + length * left), Math.ceil(this.startMs + length * right));
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const width = 1 / this.rows.length;
    if (by) {
      if (event.shiftKey) this.pinned ??= Math.max(0, this.at);
      else this.pinned = null;
      this.show(this.at + by);
      if (event.shiftKey) this.select(Math.min(this.pinned, this.at) * width, (Math.max(this.pinned, this.at) + 1) * width);
      else this.select(0, 0);
    } else if (event.key === "Enter" && this.at >= 0) {
      const pinned = this.pinned ?? this.at;
      this.zoom(Math.min(pinned, this.at) * width, (Math.max(pinned, this.at) + 1) * width);
    } else return;
    event.preventDefault();
  }

  leave() {
    this.cursor.setAttribute("width", 0);
    this.readout?.replaceChildren(...this.idle);
  }

  cancel() {
    this.anchor = null;
    this.pinned = null;
    this.select(0, 0);
    this.leave();
  }
}

export function start() {
  for (const svg of document.querySelectorAll("svg[data-brush]")) new Brush(svg);
}
