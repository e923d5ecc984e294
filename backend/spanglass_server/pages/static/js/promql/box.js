// A field for PromQL with completion: a combobox with a listbox.
//
//   import { complete } from "./promql/box.js";
//   complete(input); // an <input> or <textarea>; its parent gets the list and must be positioned

import { h } from "../dom.js";
import { context, options } from "./complete.js";

const PAUSE = 120; // ms without typing before the server is asked
let count = 0;

class Box {
  constructor(input, find, place) {
    count += 1;
    Object.assign(this, { input, find, place, id: `q-${count}`, options: [], active: -1 });
    this.list = h("div", { class: "pop q-list", id: this.id, role: "listbox", "aria-label": "Completions", hidden: true });
    (input.closest(".filter-t") ?? input).after(this.list); // that cuts off what is beside its text
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.id, autocomplete: "off", spellcheck: "false" })) input.setAttribute(name, value);
    input.addEventListener("input", () => { clearTimeout(this.timer); this.timer = setTimeout(() => this.ask(), PAUSE); });
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => this.hide());
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the field
    this.list.addEventListener("click", (event) => { const option = event.target.closest("[role=option]"); if (option) this.take(Number(option.dataset.index)); });
  }

  async ask() {
    const { value, selectionStart } = this.input;
    const at = this.place(value, selectionStart);
    const found = await this.find(at);
    if (this.input.value !== value || document.activeElement !== this.input) return;
    this.show(found.filter(({ insert }) => insert !== at.partial), at);
  }

  show(found, at) {
    if (!found.length) { this.hide(); return; }
    Object.assign(this, { options: found, at, chosen: false });
    this.list.replaceChildren(...found.flatMap(({ group, label }, i) => [
      group !== found[i - 1]?.group && h("div", { class: "opt-h", role: "presentation" }, group),
      h("div", { class: "opt mono", role: "option", id: `${this.id}-${i}`, "data-index": i }, h("span", {}, label)),
    ].filter(Boolean)));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.activate(0);
  }

  activate(index) {
    this.active = (index + this.options.length) % this.options.length;
    for (const node of this.list.querySelectorAll("[role=option]")) node.setAttribute("aria-selected", String(Number(node.dataset.index) === this.active));
    this.input.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    this.list.querySelector("[aria-selected=true]").scrollIntoView({ block: "nearest" });
  }

  hide() {
    clearTimeout(this.timer);
    this.options = [];
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  take(index) {
    const { insert, back = 0 } = this.options[index];
    const { value, selectionStart } = this.input;
    this.input.value = value.slice(0, this.at.from) + insert + value.slice(selectionStart);
    const caret = this.at.from + insert.length - back;
    this.input.setSelectionRange(caret, caret);
    this.hide();
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  key(event) {
    const open = !this.list.hidden;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && open) { this.activate(this.active + by); this.chosen = true; }
    else if (event.key === " " && event.ctrlKey) this.ask();
    else if (open && (event.key === "Tab" || (event.key === "Enter" && this.chosen)) && !event.shiftKey) this.take(this.active);
    else if (open && event.key === "Escape") this.hide();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Give a field completion of PromQL; `find` may ask for other options at a place, `place` may find others than `context`. */
export const complete = (input, find = options, place = context) => new Box(input, find, place);
