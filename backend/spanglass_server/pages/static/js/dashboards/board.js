// A dashboard on its page: panels on their grid, the time range, variables, and live refresh.

import { ask } from "../api.js";
import { h } from "../dom.js";
import { zoom } from "../go.js";
import { bind } from "../keys.js";
import { marksOf } from "./marks.js";
import { Panel } from "./panel.js";
import { tell } from "./problems.js";
import { Refresh } from "./refresh.js";
import { Variables } from "./variables.js";

const NS = 1e9;
const MARKS_MS = 5000; // that marks are good for

/** Parameters of the URL, as they are now. */
const url = () => new URL(location.href);

export class Board {
  constructor(element) {
    this.element = element;
    const answer = JSON.parse(document.getElementById("board-data").textContent);
    this.take(answer);
    tell(answer.problems);
    this.window = { start: Number(element.dataset.start) / NS, end: Number(element.dataset.end) / NS, live: "moving" in element.dataset };
    this.zoom = zoom;
    this.panels = new Map();
    this.extra = () => []; // items of editing in a panel's menu
    this.variables = new Variables(this);
    this.variables.load();
    this.refresh = new Refresh(this);
    document.getElementById("compare-with")?.addEventListener("change", ({ target }) => { this.refresh.keep({ compare: target.value || null }); this.load(); });
    this.rebuild();
    this.show(url().searchParams.get("panel"), false);
    bind({ Escape: () => (this.solo && !this.editing ? this.show(null) : false) }, { Escape: "leave the panel" });
  }

  /** What the dashboard is, from an answer of the API. */
  take({ dashboard, layout, version, origin, editable, file }) {
    this.dashboard = dashboard;
    this.places = new Map(layout.map(({ panel, x, y, w, h: height }) => [panel, { x, y, w, h: height }]));
    Object.assign(this, { version, origin, editable, file });
  }

  get uid() {
    return this.dashboard.uid;
  }

  /** The time range that panels show: one that ends now goes on. */
  get range() {
    const { start, end, live } = this.window;
    if (!live) return { start, end };
    const now = Date.now() / 1000;
    return { start: now - (end - start), end: now };
  }

  /** How much earlier the period is that the reader compares with, in seconds; 0 for none. */
  get compared() {
    const value = document.getElementById("compare-with")?.value ?? "";
    const { start, end } = this.window;
    return { period: end - start, day: 86_400, week: 604_800 }[value] ?? 0;
  }

  /** Marks in all charts, asked for once for panels that load together. */
  marks() {
    if (!this.marked || Date.now() - this.marked.time > MARKS_MS) this.marked = { time: Date.now(), found: marksOf(this) };
    return this.marked.found;
  }

  /** Build what is new, keep what is there, take away what is gone; panels that changed load. */
  rebuild() {
    const wanted = new Set(this.dashboard.panels.map(({ id }) => id));
    for (const [id, panel] of this.panels) if (!wanted.has(id)) { panel.destroy(); this.panels.delete(id); }
    for (const definition of this.dashboard.panels) {
      const panel = this.panels.get(definition.id);
      if (!panel) {
        const element = document.getElementById(`p-${definition.id}`) ?? this.element.appendChild(h("section", { class: "panel", id: `p-${definition.id}` }));
        this.panels.set(definition.id, new Panel(this, definition, element));
        this.panels.get(definition.id).load();
      } else if (JSON.stringify(panel.definition) !== JSON.stringify(definition)) panel.define(definition);
    }
    this.place();
    this.element.classList.toggle("none", !wanted.size);
  }

  /** Put panels onto the grid; the order of reading is the order of elements. */
  place() {
    const order = [...this.places].sort(([, a], [, b]) => a.y - b.y || a.x - b.x);
    order.forEach(([id, { x, y, w, h: height }], i) => {
      const element = this.panels.get(id)?.element;
      if (!element) return;
      for (const [name, value] of Object.entries({ x, y, w, h: height })) element.style.setProperty(`--${name}`, value);
      element.classList.toggle("first", x === 0);
      if (this.element.children[i] !== element && !element.contains(document.activeElement)) this.element.insertBefore(element, this.element.children[i] ?? null);
    });
  }

  /** All panels load: after a refresh, or another value of a variable. */
  load(options) {
    for (const panel of this.panels.values()) panel.load(options);
  }

  /** A dashboard that was changed elsewhere, in its file for example, is shown as it is now; what did not change stays. */
  async renew() {
    const answer = await ask(`dashboards/${encodeURIComponent(this.uid)}`).catch((error) => {
      if (error.status === 404) tell([], { isGone: true });
      return null;
    });
    if (!answer || this.editing) return;
    tell(answer.problems);
    if (answer.version !== this.version) {
      this.take(answer);
      this.rebuild();
      document.getElementById("no-panels").hidden = this.dashboard.panels.length > 0;
    }
    await this.head();
  }

  /** What stands around the panels, as the definition now says it; panels load where it has other variables. */
  async head() {
    const { name, description, refresh_interval: interval } = this.dashboard;
    document.getElementById("name").textContent = name;
    const about = document.getElementById("about");
    about.textContent = description;
    about.hidden = !description;
    this.refresh.follow(interval);
    if (await this.variables.renew()) this.load();
  }

  /** One panel alone, or all; the URL keeps it. */
  show(id, remembered = true) {
    this.solo = this.panels.has(id) ? id : null;
    this.element.classList.toggle("solo", this.solo !== null);
    document.body.classList.toggle("solo", this.solo !== null);
    for (const [own, { element }] of this.panels) element.classList.toggle("alone", own === this.solo);
    if (!remembered) return;
    const to = url();
    if (this.solo) to.searchParams.set("panel", this.solo);
    else to.searchParams.delete("panel");
    history.replaceState(null, "", to);
  }

  /** A text with the values of variables in the place of `$name` and `${name}`. */
  filled(text, encoded = false) {
    return this.variables.filled(text, encoded ? encodeURIComponent : String);
  }

  menuItems(panel) {
    return this.extra(panel);
  }
}
