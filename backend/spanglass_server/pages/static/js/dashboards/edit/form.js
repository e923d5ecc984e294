// The form of a panel, with the panel as it will be beside it.

import { h, icon } from "../../dom.js";
import { Panel } from "../panel.js";
import { area, button, choice, flag, number, text } from "./fields.js";
import { emptyQuery } from "./editing.js";
import { queryFields } from "./queries.js";

const PAUSE = 500; // ms without a change before the preview asks
const TYPES = [["line", "Line"], ["area", "Area"], ["bar", "Bar"], ["stat", "Figure with its course"], ["gauge", "Meter"], ["top", "Top list"], ["table", "Table"], ["heatmap", "Heatmap"], ["logs", "Logs"], ["traces", "Traces"], ["text", "Text"]];
const CALCULATIONS = ["last", "first", "mean", "min", "max", "sum", "count", "delta"].map((name) => [name, name]);
const LEVELS = [["ok", "ok"], ["warning", "warning"], ["error", "error"], ["critical", "critical"]];
const LEGENDS = [["list", "list"], ["table", "table with figures"], ["hidden", "none"]];
const UNITS = ["s", "ms", "us", "ns", "bytes", "bytes/s", "percent", "ratio", "/s", "count"];
const CHARTS = new Set(["line", "area", "bar"]);
const FIGURES = new Set(["stat", "gauge", "top", "table"]);
const RECORDS = new Set(["logs", "traces"]);

export class PanelEditor {
  constructor(editing, panel, { isNew }) {
    Object.assign(this, { editing, board: editing.board, panel, isNew, before: JSON.stringify(panel) });
    this.fields = h("div", { class: "flow form" });
    this.shown = h("section", { class: "panel alone first" });
    this.element = h("section", { id: "editor", "aria-label": isNew ? "New panel" : "Panel" },
      h("div", { class: "head" }, h("div", {}, h("h1", {}, isNew ? "New panel" : `Edit ${panel.title || "the panel"}`)), h("div", { class: "acts" }, button("Cancel", () => this.leave(null), { id: "panel-cancel" }), button([icon("check"), isNew ? "Add" : "Done"], () => this.done(), { class: "btn main", id: "panel-done" }))),
      h("div", { class: "cols form" }, this.fields, h("div", { class: "preview board solo" }, this.shown)));
    this.board.element.before(this.element);
    document.body.classList.add("in-panel");
    this.preview = new Panel(this.board, panel, this.shown);
    this.preview.menu.remove();
    this.make();
    if (this.asks) this.preview.load();
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.fields.querySelector("input").focus();
    scrollTo({ top: 0 });
  }

  key(event) {
    if (event.key === "Escape" && !event.defaultPrevented) this.leave(null);
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.done();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Make all fields: they depend on the type. */
  make(focusQuery = null) {
    const { panel } = this;
    const { options, type } = panel;
    const run = () => this.later();
    const set = (name) => (value) => { panel[name] = value; run(); };
    const option = (name) => (value) => { options[name] = value; run(); };
    const isText = type === "text";
    this.fields.replaceChildren(...[
      h("div", { class: "fields" }, text("Title", panel.title, set("title")), choice("Type", type, TYPES, (value) => this.turn(value))),
      isText ? area("Text, in Markdown", options.text, option("text"), { rows: 14 }) : queryFields(panel, { run, again: (i) => this.make(i), emptyQuery }),
      !isText && !RECORDS.has(type) && h("div", { class: "fields four" }, this.unit(set("unit")), number("Decimals", options.decimals, option("decimals"), { min: 0, max: 12, step: 1 }),
        (CHARTS.has(type) || type === "gauge") && number("From", options.min, option("min")), (CHARTS.has(type) || type === "gauge") && number("To", options.max, option("max"))),
      CHARTS.has(type) && h("div", { class: "fields" }, choice("Legend", options.legend, LEGENDS, option("legend")), h("div", { class: "row end" }, flag("Stacked", options.stacked, option("stacked")), flag("Exemplars", options.exemplars, option("exemplars")), flag("Log scale", options.log_scale, option("log_scale")), flag("Over gaps", options.connect_gaps, option("connect_gaps")))),
      FIGURES.has(type) && h("div", { class: "fields" }, choice("One number of each series", options.calculation, CALCULATIONS, option("calculation")), type === "stat" && h("div", { class: "row end" }, flag("Course", options.sparkline, option("sparkline"))), (type === "top" || type === "table") && h("div", { class: "row end" }, flag("Least first", options.ascending, option("ascending")))),
      (type === "top" || type === "table" || RECORDS.has(type)) && h("div", { class: "fields" }, number("Rows at most", options.limit, option("limit"), { min: 1, max: 10000, step: 1 })),
      !isText && !RECORDS.has(type) && type !== "heatmap" && this.thresholds(run),
      text("Description", panel.description, set("description"), { placeholder: "what it means, whom to ask" }),
    ].filter(Boolean));
    if (focusQuery !== null) this.fields.querySelector(`[data-query="${focusQuery}"] :is(textarea, input)`)?.focus();
  }

  unit(run) {
    const field = text("Unit", this.panel.unit, run, { list: "units", placeholder: "s, bytes, ratio" });
    field.append(h("datalist", { id: "units" }, UNITS.map((value) => h("option", { value }))));
    return field;
  }

  thresholds(run) {
    const { thresholds } = this.panel;
    const rows = thresholds.map((one, i) => h("div", { class: "line" }, number(`Threshold ${i + 1}, from`, one.value, (value) => { one.value = value ?? 0; run(); }), choice("Level", one.level, LEVELS, (value) => { one.level = value; run(); }),
      button(icon("close"), () => { thresholds.splice(i, 1); this.make(); run(); }, { class: "btn bare sq", "aria-label": `Take threshold ${i + 1} away` })));
    return h("div", { class: "flow tight" }, rows, h("div", { class: "row" }, button([icon("plus"), "Threshold"], () => { thresholds.push({ value: 0, level: "warning", label: "" }); this.make(); this.fields.querySelectorAll(".line input")[thresholds.length - 1]?.focus(); run(); })));
  }

  turn(type) {
    const { panel } = this;
    panel.type = type;
    if (type === "text") panel.queries = [];
    else if (!panel.queries.length) panel.queries = [emptyQuery("A")];
    if (RECORDS.has(type)) panel.queries = panel.queries.slice(0, 1);
    this.make();
    this.fields.querySelector("select").focus();
    this.later();
  }

  /** Whether there is something to ask. */
  get asks() {
    return this.panel.type === "text" || RECORDS.has(this.panel.type) || this.panel.queries.some((query) => ["query", "promql", "measure", "sql", "formula", "filter", "signal"].some((name) => query[name]));
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { if (this.asks) this.preview.define(JSON.parse(JSON.stringify(this.panel))); }, PAUSE);
  }

  done() {
    if (!this.asks) {
      this.preview.failed = new Error("Write a query first: a metric, an expression of PromQL, or a measure such as error_rate");
      this.preview.state();
      this.fields.querySelector("textarea")?.focus();
      return;
    }
    this.leave(this.panel);
  }

  leave(panel) {
    if (!panel && JSON.stringify(this.panel) !== this.before && !confirm("Leave the panel as it was before?")) return;
    clearTimeout(this.timer);
    this.preview.destroy();
    this.element.remove();
    document.body.classList.remove("in-panel");
    this.editing.edited(panel && JSON.stringify(panel) !== (this.isNew ? "" : this.before) ? panel : null, this.isNew);
  }
}
