// Editing a dashboard on its page: a draft, undo, and what is saved in the end.

import { h, icon } from "../../dom.js";
import { bind } from "../../keys.js";
import { below, put, settled, sizeOf } from "../grid.js";
import { sentence } from "../panel.js";
import { PanelEditor } from "./form.js";
import { Movers } from "./moving.js";
import { copyOf, keep, remove } from "./saving.js";
import { settings } from "./settings.js";
import { yamlDialog } from "./yaml.js";

const MOST_UNDO = 100;
const TYPES = [["line", "Line"], ["area", "Area"], ["bar", "Bar"], ["stat", "Figure"], ["gauge", "Meter"], ["top", "Top list"], ["table", "Table"], ["heatmap", "Heatmap"], ["logs", "Logs"], ["traces", "Traces"], ["text", "Text"]];

const clone = (value) => JSON.parse(JSON.stringify(value));

const SLUG = 60;

/** The id of a panel by its title; as `slug` of dashboards/names.py, so that YAML need not say it. */
const slug = (title) => title.normalize("NFKD").replace(/[^ -~]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-/, "").slice(0, SLUG).replace(/-$/, "") || "panel";

/** What a panel is that says nothing; as dashboards/model.py. */
export const emptyPanel = (type, id) => ({
  title: "", type, id, description: "", legend: "", unit: "", thresholds: [], links: [], position: { x: null, y: null, w: null, h: null },
  queries: type === "text" ? [] : [emptyQuery("A")],
  options: { min: null, max: null, stacked: false, calculation: "last", decimals: null, legend: "list", log_scale: false, connect_gaps: false, exemplars: false, sparkline: true, limit: null, ascending: false, columns: [], text: "" },
});

/** A query that asks nothing yet. */
export const emptyQuery = (id) => ({ id, query: "", promql: "", measure: "", sql: "", formula: "", signal: "", filter: "", aggregate: "count", by: [], legend: "", hidden: false });

const button = (text, run, attributes = {}, name = null) => {
  const element = h("button", { type: "button", class: "btn", ...attributes }, name && icon(name), text);
  element.addEventListener("click", run);
  return element;
};

export class Editing {
  constructor(board) {
    this.board = board;
    this.acts = document.getElementById("edit-acts");
    this.undone = [];
    this.movers = new Movers(this);
    board.extra = (panel) => this.items(panel);
    bind({ Escape: () => (this.on && !document.querySelector(".menu[open]") && this.editor === null ? this.movers.leave() : false), z: (event) => (this.on && event.target === document.body ? this.undo() : false) }, { z: "undo a change" });
    addEventListener("beforeunload", (event) => { if (this.on && this.changed) event.preventDefault(); });
    this.editor = null;
    if (new URLSearchParams(location.search).get("edit") && board.editable) this.begin();
    else this.rest();
  }

  say(text, { bad = false, actions = [] } = {}) {
    const line = document.getElementById("said");
    line.className = bad ? "hint said err" : "hint said";
    line.replaceChildren(h("span", {}, text), ...actions);
    line.hidden = !text;
  }

  /** What is offered while nothing is edited. */
  rest() {
    const { board } = this;
    document.body.classList.remove("editing");
    board.editing = false;
    this.on = false;
    const menu = h("details", { class: "menu" }, h("summary", { class: "btn sq", "aria-label": "More" }, icon("more")), h("div", { class: "pop p-menu" },
      board.editable && h("button", { type: "button", class: "opt", "data-do": "copy" }, "Duplicate"), h("button", { type: "button", class: "opt", "data-do": "yaml" }, "YAML"),
      h("a", { class: "opt", href: `/api/v1/dashboards/${encodeURIComponent(board.uid)}/yaml`, download: `${board.uid}.yaml`, "data-do": "export" }, "Export as YAML"),
      board.editable && board.origin === "kept" && h("button", { type: "button", class: "opt err", "data-do": "delete" }, "Delete")));
    menu.addEventListener("click", (event) => {
      const what = event.target.closest("[data-do]")?.dataset.do;
      if (!what) return;
      event.preventDefault();
      menu.open = false;
      ({ copy: () => copyOf(this), yaml: () => yamlDialog(this), export: () => this.download(), delete: () => remove(this) })[what]();
    });
    const edit = board.editable ? button("Edit", () => this.begin(), { id: "edit-board" }, "edit") : button("Duplicate to change", () => copyOf(this), { id: "edit-board", title: `This dashboard stands in ${board.file}: it is changed there.` }, "copy");
    this.acts.replaceChildren(edit, menu);
  }

  begin() {
    const { board } = this;
    board.show(null);
    Object.assign(this, { on: true, saved: clone(board.dashboard), savedPlaces: new Map(board.places), undone: [], changed: false });
    board.editing = true;
    board.refresh.hold(true);
    document.body.classList.add("editing");
    const add = h("details", { class: "menu" }, h("summary", { class: "btn" }, icon("plus"), "Add panel"), h("div", { class: "pop p-menu" }, TYPES.map(([type, name]) => { const item = h("button", { type: "button", class: "opt" }, name); item.addEventListener("click", () => { add.open = false; this.add(type); }); return item; })));
    this.undoButton = button("Undo", () => this.undo(), { id: "undo-change", disabled: true }, "undo");
    this.saveButton = button("Save", () => this.save(), { class: "btn main", id: "save" }, "check");
    this.acts.replaceChildren(add, button("Settings", () => settings(this)), button("YAML", () => yamlDialog(this)), this.undoButton, button("Cancel", () => this.cancel(), { id: "cancel" }), this.saveButton);
    this.movers.start();
    this.empty();
    this.acts.querySelector("summary").focus();
  }

  empty() {
    document.getElementById("no-panels").hidden = this.board.dashboard.panels.length > 0;
  }

  /** Change the draft: `run` gets it and its places, and may return new places. */
  change(run) {
    const { board } = this;
    this.undone.push({ dashboard: clone(board.dashboard), places: new Map(board.places) });
    this.undone.splice(0, this.undone.length - MOST_UNDO);
    board.dashboard = clone(board.dashboard);
    const places = run(board.dashboard, board.places) ?? board.places;
    this.settle(places);
  }

  /** Show the draft; panels whose places were made by hand keep them. */
  settle(places) {
    const { board } = this;
    board.places = places;
    for (const panel of board.dashboard.panels) if (places.has(panel.id)) panel.position = { ...places.get(panel.id) };
    board.rebuild();
    this.movers.renew();
    this.empty();
    this.changed = true;
    this.undoButton.disabled = !this.undone.length;
  }

  undo() {
    const last = this.undone.pop();
    if (!last) return;
    this.board.dashboard = last.dashboard;
    this.board.places = last.places;
    this.board.rebuild();
    this.movers.renew();
    this.empty();
    this.board.head();
    this.changed = this.undone.length > 0;
    this.undoButton.disabled = !this.undone.length;
    if (this.undoButton.disabled) this.saveButton.focus();
  }

  free(base) {
    const taken = new Set(this.board.dashboard.panels.map(({ id }) => id));
    let id = base;
    for (let i = 2; taken.has(id); i += 1) id = `${base}-${i}`;
    return id;
  }

  add(type) {
    const panel = emptyPanel(type, this.free(type));
    this.edit(panel, true);
  }

  /** Open the form of a panel; a new one joins the draft when the form is left with it. */
  edit(panel, isNew = false) {
    this.editor = new PanelEditor(this, clone(panel), { isNew });
  }

  /** The form was left: with the panel as it is now, or without. */
  edited(panel, isNew) {
    this.editor = null;
    if (panel && isNew) panel.id = this.free(slug(panel.title));
    if (panel && isNew) this.change((draft, places) => { draft.panels.push(panel); return new Map(places).set(panel.id, below(places, sizeOf(panel.type))); });
    else if (panel) this.change((draft) => { draft.panels = draft.panels.map((one) => (one.id === panel.id ? panel : one)); });
    const id = panel?.id;
    (id && this.movers.gripOf(id) ? this.movers.gripOf(id) : this.acts.querySelector("summary, button")).focus();
  }

  duplicate(id) {
    const source = this.board.dashboard.panels.find((one) => one.id === id);
    const title = source.title && `${source.title} (copy)`;
    const panel = { ...clone(source), title, id: this.free(slug(title)) };
    this.change((draft, places) => { draft.panels.push(panel); return put(new Map(places).set(panel.id, below(places, places.get(id))), panel.id, below(places, places.get(id))); });
    this.movers.gripOf(panel.id)?.focus();
  }

  delete(id) {
    const { title } = this.board.dashboard.panels.find((one) => one.id === id);
    this.change((draft, places) => { draft.panels = draft.panels.filter((one) => one.id !== id); const left = new Map(places); left.delete(id); return settled(left); });
    this.say(`Deleted ${title || "the panel"}.`, { actions: [button("Undo", () => { this.undo(); this.say(""); })] });
    this.saveButton.focus();
  }

  /** Items of a panel's menu. */
  items(panel) {
    const { id } = panel.definition;
    if (!this.on) return this.board.editable ? [["Edit", () => { this.begin(); this.edit(panel.definition); }]] : [];
    return [["Edit", () => this.edit(panel.definition)], ["Duplicate", () => this.duplicate(id)], ["Delete", () => this.delete(id)], ...this.movers.items(id)];
  }

  /** The draft is now another dashboard: from the settings, or as it was written in YAML. Its address stays. */
  takeOver(dashboard) {
    const { board } = this;
    const before = board.dashboard;
    this.change((_draft, places) => {
      board.dashboard = { ...clone(dashboard), uid: before.uid };
      const next = new Map();
      for (const { id, type, position } of board.dashboard.panels) {
        const { x, y, w, h: height } = position ?? {};
        const size = { ...sizeOf(type), ...(w ? { w } : {}), ...(height ? { h: height } : {}) };
        if (x !== null && x !== undefined && y !== null && y !== undefined) next.set(id, { ...size, x, y });
        else if (places.has(id)) next.set(id, places.get(id));
        else next.set(id, below(next, size));
      }
      return settled(next);
    });
    board.head();
    for (const [id, panel] of board.panels) panel.define(board.dashboard.panels.find((one) => one.id === id));
  }

  cancel() {
    if (this.changed && !confirm("Leave without saving? What you changed is lost.")) return;
    const { board } = this;
    board.dashboard = this.saved;
    board.places = this.savedPlaces;
    board.rebuild();
    board.head();
    this.end();
  }

  end() {
    this.movers.stop();
    this.changed = false;
    this.board.refresh.hold(false);
    this.empty();
    this.rest();
    const url = new URL(location.href);
    url.searchParams.delete("edit");
    history.replaceState(null, "", url);
    document.getElementById("edit-board").focus();
  }

  /** Keep the draft; what stands in the way is said with the ways on. */
  async save(version = this.board.version) {
    this.saveButton.disabled = true;
    try {
      const answer = await keep(this.board.uid, this.board.dashboard, version);
      this.board.take(answer);
      this.board.rebuild();
      this.board.head();
      this.say(`Saved ${answer.dashboard.name}.`);
      this.end();
    } catch (error) {
      const copy = button("Save as a copy", () => copyOf(this, this.board.dashboard));
      const actions = error.status === 404 ? [copy] : error.status === 412 ? [copy, button("Replace theirs", () => this.save("*")), button("Show theirs", () => { this.changed = false; location.reload(); })] : [];
      this.say(sentence(error), { bad: true, actions });
      document.getElementById("said").scrollIntoView({ block: "nearest" });
    } finally {
      this.saveButton.disabled = false;
    }
  }

  async download() {
    const response = await fetch(`/api/v1/dashboards/${encodeURIComponent(this.board.uid)}/yaml`);
    const { yaml } = await response.json();
    const link = h("a", { href: URL.createObjectURL(new Blob([yaml], { type: "application/yaml" })), download: `${this.board.uid}.yaml` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}
