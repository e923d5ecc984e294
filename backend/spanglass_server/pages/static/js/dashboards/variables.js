// The bar of variables: values are chosen here, stand in the URL, and panels load anew with them.

import { h, icon } from "../dom.js";
import { variableValues } from "./data.js";

const PREFIX = "var."; // of parameters in the URL: var.host=web
const ALL = "$__all";
const MOST_SHOWN = 200; // values of a list that can be searched
const NAME = /\$\{(\w+)(?::\w+)?\}|\$(\w+)/g;

export class Variables {
  constructor(board) {
    this.board = board;
    this.bar = document.getElementById("variables");
    this.chosen = new Map();
    this.offered = new Map();
    this.fields = new Map();
    this.read();
    this.build();
  }

  get all() {
    return this.board.dashboard.variables;
  }

  /** What the URL says; else what the dashboard does. */
  read() {
    const params = new URLSearchParams(location.search);
    for (const variable of this.all) {
      const given = params.getAll(PREFIX + variable.name);
      this.chosen.set(variable.name, given.length ? given : variable.default);
    }
  }

  /** Values for the API: name to list; of those that are all, `$__all`. */
  get values() {
    return Object.fromEntries(this.all.map(({ name }) => [name, this.chosen.get(name) ?? []]));
  }

  build() {
    if (!this.bar) return;
    const shown = this.all.filter(({ hidden }) => !hidden);
    this.built = JSON.stringify(this.all);
    this.bar.hidden = !shown.length;
    this.fields = new Map(shown.map((variable) => [variable.name, field(this, variable)]));
    this.bar.replaceChildren(...[...this.fields.values()].map(({ element }) => element));
  }

  /** Whether the dashboard now has other variables than those of the bar, which then shows them. */
  async renew() {
    if (JSON.stringify(this.all) === this.built) return false;
    this.read();
    this.build();
    await this.load();
    return true;
  }

  /** Ask for the values that can be chosen, and show them; an open list is left until it is closed. */
  async load() {
    if (!this.all.length) return;
    try {
      const answer = await variableValues(this.board);
      for (const { name, values, chosen, problem } of answer) {
        this.offered.set(name, values);
        if (!this.chosen.get(name)?.length && chosen?.length) this.chosen.set(name, chosen);
        if (this.isLost(name, values)) this.keep(name, this.of(name).all ? [] : values.slice(0, 1));
        this.fields.get(name)?.offer(values, problem);
      }
    } catch (error) {
      for (const one of this.fields.values()) one.offer([], error.message);
    }
  }

  of(name) {
    return this.all.find((one) => one.name === name);
  }

  /** Whether nothing of what was chosen is left among the values of a variable that depends on another. */
  isLost(name, values) {
    const chosen = this.chosen.get(name) ?? [];
    return chosen.length > 0 && values.length > 0 && !chosen.includes(ALL) && dependsOn(this.of(name)) && !chosen.some((one) => values.includes(one));
  }

  /** Choose values: the URL keeps them, variables that depend on this one are asked for, panels load. */
  async choose(name, values) {
    this.keep(name, values);
    const asked = this.load();
    if (this.all.some((one) => dependsOn(one, name))) await asked; // their values are in the queries, too
    this.board.load();
  }

  keep(name, values) {
    this.chosen.set(name, values);
    const url = new URL(location.href);
    url.searchParams.delete(PREFIX + name);
    for (const value of values) url.searchParams.append(PREFIX + name, value);
    history.replaceState(null, "", url);
  }

  /** What a variable's choice is called. */
  said(variable) {
    const chosen = this.chosen.get(variable.name) ?? [];
    if (chosen.includes(ALL) || (!chosen.length && variable.all)) return "All";
    return chosen.length > 2 ? `${chosen.length} chosen` : chosen.join(", ") || "any";
  }

  /** A query of PromQL with its variables, for what the browser asks itself; as dashboards/data/substitution.py. */
  inPromql(text) {
    return text.replace(NAME, (whole, braced, plain) => {
      const name = braced ?? plain;
      if (/^__(rate_)?interval$/.test(name)) return "5m";
      if (!this.chosen.has(name)) return whole;
      const chosen = this.chosen.get(name);
      return !chosen.length || chosen.includes(ALL) ? ".*" : chosen.map((value) => value.replace(/[\\^$.|?*+()[\]{}]/g, "\\\\$&").replaceAll('"', '\\"')).join("|");
    });
  }

  filled(text, write = String) {
    return text.replace(NAME, (whole, braced, plain) => {
      const variable = this.all.find(({ name }) => name === (braced ?? plain));
      if (!variable) return whole;
      const chosen = this.chosen.get(variable.name) ?? [];
      return write(chosen.includes(ALL) ? "All" : chosen.join(", "));
    });
  }
}

/** Whether the values of a variable depend on another, or on any. */
const dependsOn = ({ query, sql, filter }, name = "\\w+") => new RegExp(`\\$\\{?${name}\\b`).test(`${query} ${sql} ${filter}`);

const field = (variables, variable) => (variable.multi ? several(variables, variable) : variable.source === "text" || isTyped(variable) ? typed(variables, variable) : single(variables, variable));

const isTyped = ({ query, sql, key, values }) => !query && !sql && !key && !values.length;

const labelled = (variable, control) => h("label", { class: "pickf" }, h("span", {}, variable.label || variable.name), control);

function typed(variables, variable) {
  const input = h("input", { class: "in", value: (variables.chosen.get(variable.name) ?? []).join(", "), autocomplete: "off", spellcheck: "false" });
  input.addEventListener("change", () => variables.choose(variable.name, input.value.trim() ? [input.value.trim()] : []));
  return { element: labelled(variable, input), offer: () => {} };
}

function single(variables, variable) {
  const select = h("select", { class: "in" });
  select.addEventListener("change", () => variables.choose(variable.name, [select.value]));
  const offer = (values, problem) => {
    const [chosen = variable.all ? ALL : values[0] ?? ""] = variables.chosen.get(variable.name) ?? [];
    const names = [...(variable.all ? [[ALL, "All"]] : []), ...values.map((value) => [value, value])];
    if (chosen && chosen !== ALL && !values.includes(chosen)) names.push([chosen, chosen]);
    select.title = problem ?? "";
    select.toggleAttribute("aria-invalid", Boolean(problem));
    const key = JSON.stringify(names);
    if (select.dataset.key !== key) {
      select.dataset.key = key;
      select.replaceChildren(...names.map(([value, text]) => h("option", { value }, text)));
    }
    select.value = chosen;
  };
  offer([]);
  return { element: labelled(variable, select), offer };
}

function several(variables, variable) {
  const { name } = variable;
  const said = h("span", {}, variables.said(variable));
  const search = h("input", { class: "in", type: "search", placeholder: "Search", "aria-label": `Search ${variable.label || name}`, autocomplete: "off" });
  const list = h("div", { class: "p-choices", role: "group", "aria-label": variable.label || name });
  const menu = h("details", { class: "menu pick" }, h("summary", { class: "btn" }, h("span", { class: "dim" }, variable.label || name), said, icon("down")), h("div", { class: "pop" }, search, list));
  let values = [];
  const chosen = () => new Set(variables.chosen.get(name) ?? []);
  const box = (value, text) => {
    const input = h("input", { type: "checkbox", value });
    input.checked = value === ALL ? variables.said(variable) === "All" : chosen().has(value);
    input.addEventListener("change", () => {
      const next = chosen();
      if (value === ALL) next.clear();
      else next.delete(ALL);
      if (input.checked) next.add(value);
      else next.delete(value);
      variables.choose(name, [...next]);
      said.textContent = variables.said(variable);
      for (const other of list.querySelectorAll("input")) other.checked = other.value === ALL ? variables.said(variable) === "All" : chosen().has(other.value);
    });
    return h("label", { class: "opt" }, h("span", {}, input, " ", text));
  };
  const fill = () => {
    const part = search.value.toLowerCase();
    const found = values.filter((value) => value.toLowerCase().includes(part));
    list.replaceChildren(...(variable.all && !part ? [box(ALL, "All")] : []), ...found.slice(0, MOST_SHOWN).map((value) => box(value, value)),
      ...(found.length > MOST_SHOWN ? [h("p", { class: "note" }, `${found.length - MOST_SHOWN} more: search for them`)] : []), ...(found.length ? [] : [h("p", { class: "note" }, menu.title || "No values")]));
  };
  search.addEventListener("input", fill);
  menu.addEventListener("toggle", () => { if (menu.open) { fill(); search.focus(); } });
  return { element: menu, offer: (offered, problem) => { values = [...new Set([...offered, ...[...chosen()].filter((one) => one !== ALL)])]; menu.title = problem ?? ""; said.textContent = variables.said(variable); if (!menu.open) list.replaceChildren(); } };
}
