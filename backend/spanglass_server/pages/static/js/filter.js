// The filter box: colours under the text, and completion with counts (a combobox with a listbox).

import { ask, range } from "./api.js";
import { h } from "./dom.js";
import { grouped } from "./time.js";
import { context, field, literal, tokens } from "./tokens.js";

const TYPES = { str: "text", int: "number", double: "number", bool: "true or false", bytes: "bytes", array: "list", kvlist: "pairs" };
const PAUSE = 120; // ms without typing before the server is asked
const OPERATORS = [["=", "is"], ["!=", "is not"], ["~", "matches a regular expression"], [">", "is more than"], ["<", "is less than"], ["exists", "is there"]];

class FilterBox {
  constructor(form) {
    this.form = form;
    this.signal = form.dataset.signal;
    this.input = form.querySelector("input[name=filter]");
    this.copy = form.querySelector("output");
    this.options = [];
    this.active = -1;
    this.chosen = false;
    this.list = h("div", { class: "pop", id: "completions", role: "listbox", "aria-label": "Completions", hidden: true });
    form.append(this.list);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "completions" })) this.input.setAttribute(name, value);
    this.input.addEventListener("input", () => { this.paint(); this.later(); });
    this.input.addEventListener("scroll", () => this.follow());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the box
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.take(Number(option.dataset.index));
    });
    if (!this.input.hasAttribute("aria-invalid")) this.paint();
  }

  paint() {
    this.copy.replaceChildren(...tokens(this.input.value).map(([css, text]) => (css ? h("span", { class: css }, text) : text)));
    this.follow();
  }

  follow() {
    this.copy.scrollLeft = this.input.scrollLeft;
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.complete(), PAUSE);
  }

  async complete() {
    this.stop?.abort();
    this.stop = new AbortController();
    const at = context(this.input.value, this.input.selectionStart);
    try {
      this.show(await this.find(at, this.stop.signal), at);
    } catch (error) {
      if (error.name !== "AbortError") this.close(); // completion helps; without it the box works on
    }
  }

  async find(at, signal) {
    const shared = { signal: this.signal, ...range() };
    if (at.kind === "operator") return OPERATORS.map(([text, says]) => ({ group: "Operator", label: text, right: says, insert: `${text} `, from: at.from }));
    if (at.kind === "value") {
      const { values } = await ask("values", { ...shared, key: at.key, prefix: at.partial, limit: 10 }, signal);
      return values.map(({ value, count }) => ({ group: "Value", label: literal(at.key, value), css: "t-s", right: grouped(count), insert: `${literal(at.key, value)} `, from: at.from }));
    }
    if (at.kind !== "key") return [];
    const { keys } = await ask("keys", { ...shared, prefix: at.partial, limit: 10 }, signal);
    const found = keys.slice(0, 10).map(({ key, types }) => ({ group: "Attribute", label: key, right: types.map((type) => TYPES[type] ?? type).join(", "), insert: `${field(key)} `, from: at.from }));
    const words = at.partial ? [] : this.input.value.trim() ? ["and", "or", "not"] : ["not"];
    for (const word of words) found.push({ group: "Word", label: word, right: "", insert: `${word} `, from: at.from });
    if (at.partial.length > 1 && keys[0]) {
      const { key } = keys[0];
      const { values } = await ask("values", { ...shared, key, limit: 3 }, signal);
      for (const { value, count } of values) found.push({ group: "Value", label: `${field(key)} = ${literal(key, value)}`, right: grouped(count), insert: `${field(key)} = ${literal(key, value)} `, from: at.from });
    }
    return found;
  }

  show(options, at) {
    if (!options.length || document.activeElement !== this.input) return this.close();
    this.options = options;
    this.chosen = false;
    const nodes = [];
    options.forEach((option, i) => {
      if (option.group !== options[i - 1]?.group) nodes.push(h("div", { class: "opt-h", role: "presentation" }, option.group));
      nodes.push(h("div", { class: "opt mono", role: "option", id: `opt-${i}`, "data-index": i }, h("span", { class: option.css }, marked(option.label, at.partial ?? "")), h("span", {}, option.right)));
    });
    nodes.push(h("footer", { role: "presentation" }, ...[["tab", "take"], ["↑↓", "choose"], ["esc", "close"]].map(([key, does]) => h("span", {}, h("kbd", {}, key), ` ${does}`))));
    this.list.replaceChildren(...nodes);
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.activate(0);
  }

  activate(index) {
    this.active = (index + this.options.length) % this.options.length;
    for (const node of this.list.querySelectorAll("[role=option]")) node.setAttribute("aria-selected", String(Number(node.dataset.index) === this.active));
    this.input.setAttribute("aria-activedescendant", `opt-${this.active}`);
    this.list.querySelector("[aria-selected=true]").scrollIntoView({ block: "nearest" });
  }

  close() {
    clearTimeout(this.timer);
    this.stop?.abort();
    this.options = [];
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  take(index) {
    const { insert, from } = this.options[index];
    const { value, selectionStart } = this.input;
    const rest = value.slice(selectionStart).replace(/^ /, "");
    this.input.value = value.slice(0, from) + insert + rest;
    this.input.setSelectionRange(from + insert.length, from + insert.length);
    this.paint();
    this.complete();
  }

  key(event) {
    const open = !this.list.hidden;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && open) {
      this.activate(this.active + (this.chosen || by < 0 ? by : 1));
      this.chosen = true;
    } else if (by) this.complete();
    else if (open && (event.key === "Tab" || (event.key === "Enter" && this.chosen && !event.ctrlKey)) && !event.shiftKey) this.take(this.active);
    else if (open && event.key === "Escape") this.close();
    else {
      if (event.key === "Enter") {
        this.close();
        if (event.ctrlKey || event.metaKey) this.form.requestSubmit();
      }
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

function marked(label, partial) {
  const at = partial ? label.toLowerCase().indexOf(partial.toLowerCase()) : -1;
  return at < 0 ? [label] : [label.slice(0, at), h("mark", {}, label.slice(at, at + partial.length)), label.slice(at + partial.length)];
}

export function start() {
  for (const form of document.querySelectorAll("form.filter")) new FilterBox(form);
}
