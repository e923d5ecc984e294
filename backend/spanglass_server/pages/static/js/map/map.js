// The service map: nodes are links that the keyboard reaches, calls are drawn behind them.

import { onTheme } from "../charts/palette.js";
import { h, icon } from "../dom.js";
import { digits, durationText, percent } from "../time.js";
import { place } from "./layout.js";
import { curve, draw } from "./lines.js";

const NARROW = 640; // pixels below which callers stand above callees
const SIZE = { width: 200, height: 46 };
const [LEAST, MOST, STEP] = [0.2, 1.6, 1.25];
const MOST_SPREAD = 3; // times as far apart: further, the eye loses a call on its way

const rate = (perSecond) => (perSecond >= 1 || perSecond === 0 ? `${digits(perSecond)}/s` : perSecond * 60 >= 1 ? `${digits(perSecond * 60)}/min` : `${digits(perSecond * 3600)}/h`);

/** What is measured, in a few words. */
function says({ calls, rate_per_s, error_ratio, p95_ns }, nothing = "no calls") {
  if (!calls) return nothing;
  return [rate(rate_per_s), error_ratio ? `${percent(error_ratio)} err` : "", p95_ns === null ? "" : `p95 ${durationText(p95_ns)}`].filter(Boolean).join(" · ");
}

class ServiceMap {
  constructor(element) {
    this.element = element;
    const { nodes, edges } = JSON.parse(element.dataset.map);
    Object.assign(this, { nodes, edges, scale: 1, at: null, found: null });
    this.links = nodes.map((node, i) => this.link(node, i));
    this.canvas = h("canvas", {});
    this.layer = h("div", { class: "map-nodes" }, this.links);
    this.space = h("div", { class: "map-space" }, h("div", { class: "map-lines", "aria-hidden": "true" }, this.canvas), this.layer);
    this.view = h("div", { class: "map-view", role: "group", "aria-label": "Map of services and their calls" }, this.space);
    this.output = h("output", { class: "map-says" }, "Placing the nodes…");
    element.append(this.tools(), this.view, this.output);
    this.listen();
  }

  link(node, i) {
    const css = ["map-n", node.kind === "service" ? `s${node.slot}` : "other", node.look, node.focus && "focus"].filter(Boolean).join(" ");
    const what = node.what && h("i", {}, ` ${node.what}`);
    return h("a", { class: css, href: node.href, "data-n": i, title: node.name, "aria-current": node.focus && "true" }, h("b", {}, node.name || "(no name)", what), h("span", {}, says(node, node.kind === "service" ? "no requests" : "no calls")));
  }

  tools() {
    const button = (label, text, run) => {
      const made = h("button", { class: "btn sq", type: "button", "aria-label": label, title: label }, text);
      made.addEventListener("click", run);
      return made;
    };
    this.input = h("input", { "aria-label": "Find on the map", placeholder: "Find on the map", autocomplete: "off", spellcheck: "false" });
    this.input.addEventListener("input", () => this.find());
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.links.find((_, i) => this.found?.has(i))?.focus();
      else if (event.key === "Escape") { this.input.value = ""; this.find(); }
    });
    const fit = h("button", { class: "btn", type: "button" }, "Fit");
    fit.addEventListener("click", () => this.fit());
    return h("div", { class: "map-tools" }, h("label", { class: "jump find" }, icon("search"), this.input), h("div", { class: "join" }, button("Smaller", "−", () => this.zoom(1 / STEP)), button("Larger", "+", () => this.zoom(STEP))), fit);
  }

  listen() {
    this.view.addEventListener("scroll", () => this.soon());
    new ResizeObserver(() => this.soon()).observe(this.view);
    onTheme(() => this.soon());
    const node = (event) => event.target.closest?.(".map-n")?.dataset.n;
    for (const name of ["pointerover", "focusin"]) this.layer.addEventListener(name, (event) => this.look(node(event)));
    for (const name of ["pointerleave", "focusout"]) this.layer.addEventListener(name, () => this.look(undefined));
    this.layer.addEventListener("pointerout", (event) => { if (!event.relatedTarget?.closest?.(".map-n")) this.look(undefined); });
    this.view.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? STEP : 1 / STEP, event);
    }, { passive: false });
    this.view.addEventListener("pointerdown", (event) => this.drag(event));
  }

  /** Drag the ground to move the map; touch scrolls by itself. */
  drag(event) {
    if (event.button || event.pointerType === "touch" || event.target.closest(".map-n")) return;
    const { clientX, clientY } = event;
    const { scrollLeft, scrollTop } = this.view;
    const stop = new AbortController();
    this.view.classList.add("drags");
    addEventListener("pointermove", (moved) => this.view.scrollTo(scrollLeft - moved.clientX + clientX, scrollTop - moved.clientY + clientY), stop);
    addEventListener("pointerup", () => { this.view.classList.remove("drags"); stop.abort(); }, stop);
  }

  /** Place the nodes and show all of them. */
  async begin() {
    this.down = this.view.clientWidth < NARROW;
    const { places, width, height, deciding } = await place(this.nodes, this.edges, SIZE, this.down);
    Object.assign(this, { places, width, height, deciding });
    this.spread();
    this.links.forEach((link, i) => { [link.style.left, link.style.top] = places[i].map((one) => `${one}px`); });
    this.curves = this.edges.map(({ from, to }) => curve(places[from], places[to], SIZE, this.down));
    this.output.replaceChildren();
    this.fit();
    this.element.dataset.placed = "";
  }

  /** A tall map has free ground beside it: its layers move apart, so that calls between them can be told from each other. */
  spread() {
    const scale = this.scaleToFit();
    const factor = Math.min(MOST_SPREAD, this.view.clientWidth / (this.width * scale));
    if (this.down || scale === 1 || factor <= 1) return;
    for (const place of this.places) place[0] *= factor;
    this.width = Math.max(...this.places.map(([x]) => x)) + SIZE.width + Math.min(...this.places.map(([x]) => x));
  }

  scaleToFit(room = this.view.clientHeight) {
    return Math.max(this.down ? 0.7 : 0.6, Math.min(1, this.view.clientWidth / this.width, room / this.height));
  }

  /** Show all of it, unless nothing could be read then; a small map takes no more room than it needs. */
  fit() {
    const { view } = this;
    view.style.height = "";
    const room = view.clientHeight;
    this.set(this.scaleToFit(room));
    view.style.height = `${Math.min(room, Math.max(160, this.height * this.scale + 16))}px`;
    const axis = this.down ? 1 : 0;
    const focus = this.nodes.findIndex((node) => node.focus);
    const [x, y] = this.places[focus] ?? this.places.reduce((first, one) => (one[axis] < first[axis] ? one : first));
    view.scrollTo((x + SIZE.width / 2) * this.scale - view.clientWidth / 2, (y + SIZE.height / 2) * this.scale - view.clientHeight / 2);
  }

  zoom(factor, at = undefined) {
    const { view } = this;
    const box = view.getBoundingClientRect();
    const [x, y] = at ? [at.clientX - box.left, at.clientY - box.top] : [view.clientWidth / 2, view.clientHeight / 2];
    const before = this.scale;
    const [left, top] = [(view.scrollLeft + x) / before, (view.scrollTop + y) / before];
    this.set(before * factor);
    view.scrollTo(left * this.scale - x, top * this.scale - y);
  }

  set(scale) {
    this.scale = Math.max(LEAST, Math.min(MOST, scale));
    this.layer.style.transform = `scale(${this.scale})`;
    this.space.style.width = `${this.width * this.scale}px`;
    this.space.style.height = `${this.height * this.scale}px`;
    this.soon();
  }

  find() {
    const text = this.input.value.trim().toLowerCase();
    this.found = text ? new Set(this.nodes.flatMap(({ name, what }, i) => (`${name} ${what}`.toLowerCase().includes(text) ? [i] : []))) : null;
    this.output.replaceChildren(text ? `${this.found.size} found` : "");
    this.mark();
  }

  /** Look at a node: its calls are lit, what has none with it steps back. */
  look(place) {
    const at = place === undefined ? null : Number(place);
    if (at === this.at) return;
    this.at = at;
    const node = this.nodes[at];
    const count = (side) => this.edges.filter((edge) => edge[side] === at).length;
    this.output.replaceChildren(node ? `${node.name}: ${says(node)}; called by ${count("to")}, calls ${count("from")}` : "");
    this.mark();
  }

  mark() {
    const near = this.at === null ? this.found : new Set([this.at, ...this.edges.flatMap(({ from, to }) => (from === this.at ? [to] : to === this.at ? [from] : []))]);
    this.links.forEach((link, i) => link.classList.toggle("off", Boolean(near) && !near.has(i)));
    this.soon();
  }

  soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      if (!this.curves) return;
      const lit = this.at === null ? null : ({ from, to }) => from === this.at || to === this.at;
      draw(this.canvas, { edges: this.edges, curves: this.curves, view: this.view, scale: this.scale, lit, says, deciding: this.deciding });
    });
  }
}

for (const element of document.querySelectorAll("[data-map]")) {
  const map = new ServiceMap(element);
  map.begin().catch((error) => map.output.replaceChildren(error.message));
}
