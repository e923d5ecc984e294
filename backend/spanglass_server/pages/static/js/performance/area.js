// An area of a heatmap: the spans under the pointer in words, and a drag or keys that select some. Selecting opens the
// page that says what is different about them.

import { s } from "../dom.js";
import { waiting } from "../go.js";
import { grouped } from "../time.js";

const LEAST = 4; // pixels: a shorter drag is a click

class Area {
  constructor(svg) {
    this.svg = svg;
    Object.assign(this, JSON.parse(svg.dataset.area));
    this.width = this.times.length - 1;
    this.height = this.cells.length;
    this.readout = document.getElementById(svg.dataset.readout);
    this.idle = this.readout ? [...this.readout.childNodes] : [];
    this.at = null; // the cell under the cursor: [column, row from below]
    this.from = null; // where the area begins
    this.box = svg.appendChild(s("rect", { class: "c-sel", "data-own": "", visibility: "hidden" }));
    svg.setAttribute("tabindex", "0");
    const on = (name, run) => svg.addEventListener(name, run);
    on("pointermove", (event) => this.move(event));
    on("pointerleave", () => { if (!this.dragged) this.leave(); });
    on("pointerdown", (event) => this.press(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", () => this.leave());
    on("keydown", (event) => this.key(event));
    on("blur", () => this.leave());
  }

  cell(event) {
    const box = this.svg.getBoundingClientRect();
    const inside = (share, count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
    return [inside((event.clientX - box.left) / box.width, this.width), inside((box.bottom - event.clientY) / box.height, this.height)];
  }

  move(event) {
    this.at = this.cell(event);
    if (this.pressed && Math.hypot(event.clientX - this.pressed[0], event.clientY - this.pressed[1]) > LEAST) this.dragged = true;
    this.show();
  }

  press(event) {
    if (event.button || event.pointerType === "touch") return; // a finger scrolls the page; the form selects
    this.svg.setPointerCapture(event.pointerId);
    this.pressed = [event.clientX, event.clientY];
    this.from = this.at = this.cell(event);
  }

  release(event) {
    const { dragged } = this;
    if (!this.pressed) return;
    this.move(event);
    if (dragged) this.open();
    else this.leave();
  }

  /** The area between where it begins and the cursor: columns and rows, from and to, inclusive. */
  get area() {
    const [[x1, y1], [x2, y2]] = [this.from ?? this.at, this.at];
    return [Math.min(x1, x2), Math.max(x1, x2), Math.min(y1, y2), Math.max(y1, y2)];
  }

  show() {
    const [left, right, low, high] = this.area;
    const box = { x: (100 * left) / this.width, width: (100 * (right - left + 1)) / this.width, y: 100 - (100 * (high + 1)) / this.height, height: (100 * (high - low + 1)) / this.height };
    for (const [name, value] of Object.entries(box)) this.box.setAttribute(name, value);
    this.box.setAttribute("visibility", "visible");
    let spans = 0;
    for (let row = low; row <= high; row += 1) for (let at = left; at <= right; at += 1) spans += this.cells[row][at];
    const took = low === 0 ? `up to ${this.names[high + 1]}` : `${this.names[low]} to ${this.names[high + 1]}`;
    this.readout?.replaceChildren(`${this.times[left]} to ${this.times[right + 1]} · ${took}: ${grouped(spans)} ${spans === 1 ? "span" : "spans"}`);
  }

  key(event) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (by) {
      const old = this.at ?? [this.width - 1, this.height - 1];
      if (event.shiftKey) this.from ??= old;
      else this.from = null;
      const inside = (value, count) => Math.max(0, Math.min(count - 1, value));
      this.at = this.at ? [inside(old[0] + by[0], this.width), inside(old[1] + by[1], this.height)] : old;
      this.show();
    } else if (event.key === "Enter" && this.at) this.open();
    else if (event.key === "Escape" && this.at) this.leave();
    else return;
    event.preventDefault();
  }

  /** Open the page for the area; rows at an edge have no bound there. */
  open() {
    const [left, right, low, high] = this.area;
    const url = new URL(this.svg.dataset.target, location.href);
    const time = (column) => new Date(Math.round(this.start + column * this.step)).toISOString();
    const all = left === 0 && right === this.width - 1;
    const chosen = {
      selected_start: all ? null : time(left),
      selected_end: all ? null : time(right + 1),
      selected_min: low === 0 ? null : `${this.bounds[low]}ns`,
      selected_max: high === this.height - 1 ? null : `${this.bounds[high + 1] - 1}ns`,
    };
    if (!Object.values(chosen).some(Boolean)) return this.leave(); // everything is no selection
    for (const [name, value] of Object.entries(chosen)) if (value) url.searchParams.set(name, value);
    waiting();
    location.assign(url);
  }

  leave() {
    Object.assign(this, { at: null, from: null, pressed: null, dragged: false });
    this.box.setAttribute("visibility", "hidden");
    this.readout?.replaceChildren(...this.idle);
  }
}

export function start() {
  for (const svg of document.querySelectorAll("svg[data-area]")) new Area(svg);
}
