// The filter box: colours under the text, and completion with counts (a combobox with a listbox).

import { ask, range } from "./api.js";
import { h } from "./dom.js";
import { grouped } from "./time.js";
import { context, field, literal, RELATIONS, tokens } from "./tokens.js";

const TYPES = { str: "text", int: "number", double: "number", bool: "true or false", bytes: "bytes", array: "list", kvlist: "pairs" };
const PAUSE = 120; // ms without typing before the server is asked
const MOST_KEYS = 500; // keys that are loaded once
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
    this.input.addEventListener("input", () => { this.paint(); this.narrow(); this.later(); });
    this.input.addEventListener("focus", () => this.loadKeys(), { once: true });
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

  /** Whether completions of the text before the caret may still come. */
  waits() {
    const at = context(this.input.value, this.input.selectionStart);
    return Boolean(at.partial) && this.pending;
  }

  follow() {
    this.copy.scrollLeft = this.input.scrollLeft;
  }

  later() {
    clearTimeout(this.timer);
    this.pending = true;
    this.timer = setTimeout(() => this.complete(), PAUSE);
  }

  /** Ask once for the keys that most records have: completing them needs no question then. */
  loadKeys() {
    this.keys = ask("keys", { signal: this.signal, ...range(), limit: MOST_KEYS }).then(({ keys }) => keys, () => null);
  }

  /** After a letter, keep of the completions those that still fit; what was made for another place goes. */
  narrow() {
    if (this.list.hidden) return;
    const at = context(this.input.value, this.input.selectionStart);
    const fits = at.kind === this.at.kind && at.from === this.at.from && at.key === this.at.key;
    const part = (at.partial ?? "").toLowerCase();
    const left = fits ? this.options.filter(({ label, group }) => group !== "Operator" && label.toLowerCase().includes(part)) : [];
    if (left.length) this.show(left, at);
    else this.hide();
  }

  async complete() {
    this.stop?.abort();
    this.stop = new AbortController();
    const text = this.input.value;
    const at = context(text, this.input.selectionStart);
    this.pending = true;
    try {
      const options = await this.find(at, this.stop.signal);
      if (this.input.value !== text) return;
      this.pending = false;
      this.show(options, at);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.pending = false;
      this.close(); // completion helps; without it the box works on
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
    const keys = await this.keysFor(at.partial, shared, signal);
    const found = keys.slice(0, 10).map(({ key, types }) => ({ group: "Attribute", label: key, right: types.map((type) => TYPES[type] ?? type).join(", "), insert: `${field(key)} `, from: at.from }));
    const part = at.partial.toLowerCase();
    for (const [word, says, signals] of part ? RELATIONS : []) {
      if (word.startsWith(part) && signals.includes(this.signal)) found.push({ group: "Other span", label: `${word}(…)`, right: says, insert: `${word}(`, from: at.from });
    }
    const words = at.partial ? [] : this.input.value.trim() ? ["and", "or", "not"] : ["not"];
    for (const word of words) found.push({ group: "Word", label: word, right: "", insert: `${word} `, from: at.from });
    if (at.partial.length > 1 && keys[0]) {
      const { key } = keys[0];
      const { values } = await ask("values", { ...shared, key, limit: 3 }, signal);
      for (const { value, count } of values) found.push({ group: "Value", label: `${field(key)} = ${literal(key, value)}`, right: grouped(count), insert: `${field(key)} = ${literal(key, value)} `, from: at.from });
    }
    return found;
  }

  /** Keys that begin with a text, then those that hold it; of a server with more keys than were loaded, by asking. */
  async keysFor(partial, shared, signal) {
    const loaded = await this.keys;
    if (!loaded || loaded.length >= MOST_KEYS) return (await ask("keys", { ...shared, prefix: partial, limit: 10 }, signal)).keys;
    const part = partial.toLowerCase();
    const at = ({ key }) => key.toLowerCase().indexOf(part);
    return [...loaded.filter((one) => at(one) === 0), ...loaded.filter((one) => at(one) > 0)].slice(0, 10);
  }

  show(options, at) {
    if (!options.length || document.activeElement !== this.input) return this.hide();
    this.options = options;
    this.at = at;
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
    this.hide();
  }

  hide() {
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
    else if (event.key === "Tab" && !open && !event.shiftKey && this.waits()) this.complete(); // completions of this text are on their way: the focus stays
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
  for (const form of document.querySelectorAll("form.filter[data-signal]")) new FilterBox(form);
}
