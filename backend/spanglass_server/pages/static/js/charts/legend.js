// Legends: names with swatches, buttons that hide and show their series.

import { h } from "../dom.js";
import { figures } from "./frame.js";
import { colourOf } from "./options.js";
import { valueText } from "./units.js";

const MOST = 10; // series with a colour of their own
const COLUMNS = [["last", "last"], ["mean", "mean"], ["max", "most"]];

export class Legend {
  constructor(chart) {
    this.chart = chart;
    this.element = h("ul", { class: "c-legend", "aria-label": "Series" });
    this.buttons = new Map();
    this.all = false;
  }

  get kind() {
    const { look, frame } = this.chart;
    if (look.kind === "heat") return "none";
    return look.legend ?? (frame.series.length > 1 ? "list" : "none");
  }

  /** Write what has changed: buttons stay, and so does the focus. */
  show() {
    const { frame } = this.chart;
    const kind = this.kind;
    this.element.hidden = kind === "none" || !frame.series.length;
    this.element.classList.toggle("table", kind === "table");
    if (this.element.hidden) return;
    const shown = this.all ? frame.series : frame.series.slice(0, MOST);
    const wanted = shown.map((one) => this.item(one, kind));
    const rest = frame.series.length - MOST;
    if (rest > 0) wanted.push(this.rest(rest));
    if (wanted.some((item, i) => this.element.children[i] !== item) || this.element.children.length !== wanted.length) this.element.replaceChildren(...wanted);
  }

  item(one, kind) {
    if (!this.buttons.has(one.name)) this.buttons.set(one.name, this.make(one.name));
    const { item, button, mark, values } = this.buttons.get(one.name);
    mark.style.background = colourOf(one);
    button.setAttribute("aria-pressed", String(!one.hidden));
    const found = kind === "table" ? figures(one.values) : null;
    const texts = found ? COLUMNS.map(([key]) => valueText(found[key], this.chart.look.unit, this.chart.look.decimals ?? null)) : [];
    const cells = texts.map((text, i) => h("span", { class: "n", title: COLUMNS[i][1] }, text));
    if (values.textContent !== texts.join("")) values.replaceChildren(...cells);
    return item;
  }

  make(name) {
    const [mark, values] = [h("i", {}), h("span", { class: "c-figs" })];
    const button = h("button", { type: "button", title: "Hide or show; with shift, only this one" }, mark, h("span", {}, name || "value"), values);
    button.addEventListener("click", (event) => this.chart.toggle(name, event.shiftKey));
    return { item: h("li", {}, button), button, mark, values };
  }

  rest(count) {
    this.more ??= this.makeMore();
    this.more.firstChild.textContent = this.all ? "Fewer" : `and ${count} more, in grey`;
    return this.more;
  }

  makeMore() {
    const button = h("button", { type: "button", class: "dim" });
    button.addEventListener("click", () => { this.all = !this.all; this.show(); });
    return h("li", {}, button);
  }
}
