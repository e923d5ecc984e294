// Charts of time series: lines, areas, stacks, bars and heatmaps on a canvas, with a crosshair for pointer and keyboard.
//
//   import { Chart } from "./charts/chart.js";
//   import { fromMatrix } from "./charts/frame.js";
//   const chart = new Chart(element, { label: "Requests", kind: "line", unit: "/s" });
//   chart.show({ frame: fromMatrix(answer.data.result, { start, end, step }) });
//
// The page's template has `{% block head %}{% include "charts_head.html" %}{% endblock %}` and puts the chart into an
// element of its own (`<div class="c-chart" data-h="low|tall">`); what stands in it, the server's drawing for readers without script, is replaced. `look`:
//   label       what the chart shows, for those who do not see it
//   kind        "line", "area", "bar" or "heat"; with `stack` from the floor up
//   log, gaps   a log scale; lines go on over moments without a value
//   unit        a name of units.js; min, max: bounds of the values' axis
//   thresholds  [{ value, level: "err" | "warn" }]
//   legend      "list" (default from two series on), "table" (last, mean, most), "none"
//   values      false: no "Values" below the chart (the same as a table; chart.values() makes one)
//   zoom        what becomes of a range in ms that was dragged over; default: the page's URL (go.js)
//   sync        charts of one key share their crosshair
//   point       links for a moment: ({ time, end, series }) => [[text, href]], the traces of exemplars before them; Enter
//               opens the first, or, as a click does, gives all to `opened(links, { left, top })`
// `show` takes { frame, previous, exemplars, annotations }: frames of frame.js or heat.js; `previous` is a frame placed
// in this period (`later`), drawn grey; exemplars [{ time, value, trace_id, span_id }]; annotations [{ time, end, text }].
// It may be called again and again: the elements stay, so focus, scroll and an open table do, too.

import { h } from "../dom.js";
import { Cursor } from "./cursor.js";
import { ranked } from "./frame.js";
import { drawCells, heatLook } from "./heat.js";
import { Legend } from "./legend.js";
import { drawAnnotations, drawThresholds, placeExemplars } from "./marks.js";
import { columns, options, uPlot } from "./options.js";
import { onTheme, slots } from "./palette.js";
import { valuesTable } from "./table.js";

const LEAST = { width: 60, height: 40 }; // px; a chart that is not seen has no size

const hiddenNames = (series) => new Set(series.filter(({ hidden }) => hidden).map(({ name }) => name));

export class Chart {
  constructor(element, look) {
    this.element = element;
    this.look = { kind: "line", thresholds: [], ...look };
    this.face = h("div", { class: "c-face" });
    this.dots = h("div", { class: "c-exs" });
    this.plot = h("div", { class: "c-plot" }, this.face, this.dots);
    this.details = this.look.values === false ? null : h("details", { class: "c-values" }, h("summary", { class: "note" }, "Values"));
    this.legend = new Legend(this);
    element.classList.add("c-chart");
    element.valuesOf = () => (this.frame ? this.values() : ""); // for copying
    element.replaceChildren(...[this.plot, this.legend.element, this.details].filter(Boolean));
    this.cursor = new Cursor(this);
    this.details?.addEventListener("toggle", () => this.fillDetails());
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.plot);
    this.forget = onTheme(() => this.redraw());
  }

  get size() {
    return { width: Math.max(LEAST.width, this.plot.clientWidth), height: Math.max(LEAST.height, this.plot.clientHeight) };
  }

  /** Draw an answer; what is hidden stays hidden, the crosshair stays at its moment. */
  show({ frame, previous = null, exemplars = [], annotations = [] }) {
    const hidden = this.frame ? hiddenNames(this.frame.series) : new Set();
    this.frame = { bounds: [], cells: [], ...frame, series: ranked(frame.series ?? []) };
    const given = new Map(this.frame.series.filter(({ slot }) => Number.isInteger(slot)).map(({ name, slot }) => [name, slot]));
    const found = slots(this.frame.series.map(({ name }) => name), given);
    this.frame.series = this.frame.series.map((one, i) => ({ ...one, slot: found[i], hidden: hidden.has(one.name), ...(this.frame.series.length === 1 && !one.css && !Number.isInteger(one.slot) ? { css: "accent" } : {}) }));
    Object.assign(this, { previous: previous?.series ?? [], exemplars, annotations });
    this.draw();
    this.legend.show();
    this.cursor.renew();
    this.fillDetails();
  }

  /** How the chart looks from now on, without asking anew. */
  change(look) {
    Object.assign(this.look, look);
    if (this.frame) this.redraw();
  }

  /** Show or hide series by name. */
  toggle(name, only = false) {
    const others = this.frame.series.filter((one) => one.name !== name);
    const isOnly = others.every(({ hidden }) => hidden);
    for (const one of this.frame.series) one.hidden = only ? !isOnly && one.name !== name : one.name === name ? !one.hidden : one.hidden;
    this.redraw();
    this.legend.show();
  }

  get parts() {
    if (this.look.kind === "heat") return { look: { ...this.look, ...heatLook(this.frame, this.look.unit) }, data: [this.frame.times, this.frame.times.map(() => null)], series: [{}, { show: true, paths: () => null, points: { show: false } }], bands: [] };
    return { look: this.look, ...columns(this.frame, this.previous, this.look) };
  }

  draw() {
    const parts = this.parts;
    const key = JSON.stringify([this.look.kind, this.look.stack, this.look.log, this.look.gaps, this.look.unit, this.previous.length, this.frame.series.map(({ name, slot, css, hidden }) => [name, slot, css, hidden]), this.frame.bounds]);
    if (this.u && key === this.key) this.u.setData(parts.data);
    else this.build(parts);
    this.key = key;
  }

  build(parts) {
    this.u?.destroy();
    const chart = this;
    const hooks = {
      drawClear: this.look.kind === "heat" ? [(u) => drawCells(u, chart.frame)] : [],
      draw: [(u) => { drawThresholds(u, chart.look.thresholds); drawAnnotations(u, chart.annotations); }, (u) => placeExemplars(u, chart.dots, chart.exemplars, chart.look.unit)],
      setCursor: [(u) => chart.cursor.moved(u)],
      setSelect: [(u) => chart.cursor.selected(u)],
    };
    const frame = { get start() { return chart.frame.start; }, get end() { return chart.frame.end; } };
    this.u = new uPlot({ ...options({ ...parts, frame, hooks, size: this.size, cursor: this.cursor.options }), series: parts.series }, parts.data, (u, ready) => { this.face.append(u.root); ready(); });
  }

  redraw() {
    if (!this.frame) return;
    this.key = null;
    this.draw();
    this.legend.show();
    this.cursor.renew();
  }

  fit() {
    if (!this.u || !this.plot.clientWidth) return;
    const { width, height } = this.size;
    if (width !== this.u.width || height !== this.u.height) this.u.setSize({ width, height });
  }

  /** The same as a table, newest first. */
  values() {
    return valuesTable(this);
  }

  fillDetails() {
    if (!this.details?.open || !this.frame) return;
    const at = this.details.querySelector(".scroll")?.scrollTop ?? 0;
    this.details.querySelector(".scroll")?.remove();
    this.details.append(this.values());
    this.details.querySelector(".scroll").scrollTop = at;
  }

  destroy() {
    this.sizes.disconnect();
    this.forget();
    this.u?.destroy();
    this.element.replaceChildren();
  }
}
