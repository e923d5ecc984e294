// The form of a rule: tried while it is typed, over any time, and saved without overwriting what somebody else saved.

import { ApiError, ask, send } from "../api.js";
import { h } from "../dom.js";
import { actor, refusal, say } from "../issues/actions.js";
import { BacktestView } from "./backtest.js";
import { ConditionField } from "./condition.js";
import { fieldOf, followSeverity, mark, ruleOf } from "./form.js";
import { showNow } from "./preview.js";

const PAUSE = 350; // ms without typing before a rule is tried
const form = document.getElementById("rule");
const at = (id) => document.getElementById(id);
const before = JSON.parse(form.dataset.rule);
const rulePath = (uid) => `rules/${encodeURIComponent(uid)}`;

/** The number that the condition compares with, which a quieter threshold replaces. */
const COMPARED = /(>=|<=|==|!=|>|<)(\s*)-?\d[\d.]*(?:e[+-]?\d+)?\s?(?:%|[a-zA-Zµ]+(?:\/s)?)?/;

class Editor {
  constructor() {
    this.condition = new ConditionField(form.elements.namedItem("condition"), at("bad"));
    this.view = new BacktestView(at("backtest"), (one) => this.take(one));
    this.last = "3h";
    this.saved = this.text();
    this.version = form.dataset.version;
    followSeverity(form);
    form.addEventListener("input", () => this.later());
    form.addEventListener("change", () => this.later());
    form.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); this.save(); });
    for (const button of document.querySelectorAll("#backtest [data-last]")) button.addEventListener("click", () => this.range(button.dataset.last));
    at("test").addEventListener("click", () => { this.range("7d"); at("backtest").scrollIntoView({ block: "nearest" }); });
    addEventListener("beforeunload", (event) => { if (this.text() !== this.saved) event.preventDefault(); });
    if (before.condition) this.now();
  }

  rule() {
    return ruleOf(form, before);
  }

  text() {
    return JSON.stringify(this.rule());
  }

  later() {
    clearTimeout(this.timer);
    mark(form, null);
    this.timer = setTimeout(() => this.now(), PAUSE);
  }

  /** Show another time before now. */
  range(last) {
    this.last = last;
    for (const button of document.querySelectorAll("#backtest [data-last]")) button.setAttribute("aria-pressed", String(button.dataset.last === last));
    this.now();
  }

  /** Try the rule as it stands: what it says now, and what it would have done. An answer that comes late is dropped. */
  async now() {
    clearTimeout(this.timer);
    this.stop?.abort();
    const rule = this.rule();
    if (!rule.condition) return;
    const stop = new AbortController();
    this.stop = stop;
    this.view.waiting(true);
    const body = { rule: { ...rule, name: rule.name || "New rule" } };
    const started = performance.now();
    try {
      const preview = await send("POST", "rules/preview", body, { signal: stop.signal });
      if (preview.failure) return this.fails(preview.failure);
      this.condition.problem(null);
      showNow(at("now-says"), at("now-keys"), preview);
      const answer = await send("POST", `rules/backtest?last=${this.last}`, body, { signal: stop.signal });
      if (answer.failure) return this.fails(answer.failure);
      this.view.show(answer, performance.now() - started);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.refused(error);
    } finally {
      if (this.stop === stop) this.view.waiting(false);
    }
  }

  /** The condition can't be evaluated. */
  fails(failure) {
    this.condition.problem(failure);
    at("now-says").replaceChildren("Nothing to say while the condition can’t be read.");
    at("now-keys").replaceChildren();
    this.view.clear("Correct the condition first.");
  }

  /** The rule was refused: at its field where the answer names one. */
  refused(error) {
    const field = error instanceof ApiError ? fieldOf(form, error.error) : null;
    if (field?.name === "condition") return this.fails({ message: error.message, column: error.error.column ?? 0, hint: error.error.hint });
    mark(form, field);
    at("now-says").replaceChildren(refusal(error));
    at("now-keys").replaceChildren();
    this.view.clear(field ? "Correct the field that is marked first." : "It could not be tried.");
  }

  /** Take a quieter rule over into the form. */
  take({ what, value, text }) {
    if (what === "threshold") this.takeThreshold(value, text.replace(/^(above|below)\s+/, ""));
    else form.elements.namedItem(what).value = text.replace(/^.*?(?=\d)/, "");
    this.now();
  }

  takeThreshold(value, text) {
    const mildest = this.mildest();
    if (mildest) { form.elements.namedItem(mildest).value = String(value); return; }
    const { input } = this.condition;
    input.value = input.value.replace(COMPARED, (_, operator, blank) => `${operator}${blank}${text.replace(/[\s\u202f]/g, "")}`);
    this.condition.problem(null);
  }

  /** The level below the one of the condition, if it has a number of its own; "" if the condition's is the mildest. */
  mildest() {
    const order = ["warning", "error", "critical"];
    const own = order.indexOf(form.elements.namedItem("severity").value);
    return order.slice(0, Math.max(0, own)).find((name) => form.elements.namedItem(name).value.trim()) ?? "";
  }

  async save(version = this.version) {
    if (!form.reportValidity()) return;
    const by = await actor();
    if (!by) return;
    const { uid } = form.dataset;
    const body = { rule: this.rule(), by };
    try {
      const answer = uid ? await send("PUT", rulePath(uid), { ...body, version }) : await send("POST", "rules", body);
      this.saved = this.text();
      location.assign(`/rules/${encodeURIComponent(answer.uid)}`);
    } catch (error) {
      if (error.status === 409 && error.error.field === "version") return this.conflict();
      const field = fieldOf(form, error.error);
      mark(form, field);
      if (field?.name === "condition") this.condition.problem({ message: error.message, column: error.error.column ?? 0, hint: error.error.hint });
      say(`Not saved. ${refusal(error)}`, { bad: true });
      field?.focus();
    }
  }

  /** Somebody else saved meanwhile: nothing is overwritten unless the reader says so. */
  async conflict() {
    const { uid } = form.dataset;
    const theirs = await ask(rulePath(uid)).catch(() => null);
    const line = at("said");
    const replace = h("button", { class: "btn", type: "button" }, "Replace theirs");
    replace.addEventListener("click", () => { this.version = theirs.version; this.save(); });
    const text = theirs ? ` Theirs says: ${theirs.rule.condition}` : " It is gone.";
    line.className = "hint said err";
    line.hidden = false;
    line.replaceChildren(h("span", {}, `Not saved: somebody else changed this rule meanwhile.${text}`), ...(theirs ? [replace, h("a", { class: "btn", href: `/rules/${encodeURIComponent(uid)}`, target: "_blank" }, "Show theirs")] : []));
    line.scrollIntoView({ block: "nearest" });
  }
}

new Editor();
document.documentElement.dataset.editor = "";
