// Fields of forms: a label with a control, which tells what it holds when that changes.

import { h } from "../../dom.js";

const field = (label, control, attributes = {}) => h("label", { class: "field", ...attributes }, h("span", {}, label), control);

/** A line of text. */
export function text(label, value, run, attributes = {}) {
  const input = h("input", { class: "in", value: value ?? "", autocomplete: "off", spellcheck: "false", ...attributes });
  input.addEventListener("input", () => run(input.value));
  return field(label, input);
}

/** Several lines of text. */
export function area(label, value, run, attributes = {}) {
  const input = h("textarea", { class: "in area", rows: 6, ...attributes });
  input.value = value ?? "";
  input.addEventListener("input", () => run(input.value));
  return field(label, input);
}

/** A number, or null for an empty field. */
export function number(label, value, run, attributes = {}) {
  const input = h("input", { class: "in", type: "number", step: "any", value: value ?? "", ...attributes });
  input.addEventListener("input", () => run(input.value === "" || Number.isNaN(input.valueAsNumber) ? null : input.valueAsNumber));
  return field(label, input);
}

/** One of a few: [value, name] each. */
export function choice(label, value, choices, run) {
  const select = h("select", { class: "in" }, choices.map(([own, name]) => h("option", { value: own, selected: own === value }, name)));
  select.addEventListener("change", () => run(select.value));
  return field(label, select);
}

/** A box that is ticked or not. */
export function flag(label, value, run) {
  const input = h("input", { type: "checkbox" });
  input.checked = value;
  input.addEventListener("change", () => run(input.checked));
  return h("label", { class: "flag" }, input, h("span", {}, label));
}

/** A button. */
export function button(name, run, attributes = {}) {
  const element = h("button", { type: "button", class: "btn", ...attributes }, name);
  element.addEventListener("click", run);
  return element;
}
