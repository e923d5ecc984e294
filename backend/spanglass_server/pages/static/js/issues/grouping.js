// Rules of grouping: made in a form, tried on what is stored before they are saved; regrouping and how far it is.

import { ask, send } from "../api.js";
import { h } from "../dom.js";
import { grouped } from "../time.js";
import { change, ownName, refusal } from "./actions.js";

const PERIOD = 1000; // ms between two looks at how far regrouping is

const PATTERNS = ["type", "message", "function", "module", "path"];

function action(read) {
  const kind = read("action");
  if (kind === "join") return { join: read("join") };
  if (kind === "split_by") return { split_by: read("split_by").split(",").map((key) => key.trim()).filter(Boolean) };
  return { in_app: kind === "in_app" };
}

/** The rule that the form's fields make. */
function ruleOf(form) {
  const data = new FormData(form);
  const read = (name) => String(data.get(name) ?? "").trim();
  const match = Object.fromEntries(PATTERNS.map((name) => [name, read(`match.${name}`)]).filter(([, pattern]) => pattern));
  if (read("attribute")) match.attributes = { [read("attribute")]: read("value") || "*" };
  return { service: read("service"), match, action: action(read) };
}

const events = (count) => `${grouped(count)} ${count === 1 ? "event" : "events"}`;
const issueLink = (id) => h("a", { href: `/issues/${encodeURIComponent(id)}` }, id);
const part = ({ issue, title, events: count }) => h("li", {}, h("p", {}, issue ? issueLink(issue) : "A new issue", " ", title), h("span", { class: "note" }, events(count)));

function merge({ into, from }) {
  return h("section", { class: "sec" }, h("p", {}, h("b", { class: "strong" }, "One issue"), `, ${into.issue ?? into.title}, of ${grouped(from.length)}:`), h("ul", { class: "list" }, from.map(part)));
}

function split({ issue, title, to }) {
  return h("section", { class: "sec" }, h("p", {}, issueLink(issue), ` ${title} would be `, h("b", { class: "strong" }, `${grouped(to.length)} issues`), ":"), h("ul", { class: "list" }, to.map(part)));
}

/** What a preview says, as elements. */
function preview({ compared, not_stored: gone, is_sample: isSample, moved, merges, splits }) {
  const looked = isSample ? `the latest ${events(compared)}` : events(compared);
  const rest = gone ? ` ${events(gone)} cannot be tried: their records are not stored any more.` : "";
  if (!moved) return [h("p", {}, h("b", { class: "strong" }, "Nothing would change"), ` for ${looked}.${rest}`)];
  const alone = !merges.length && !splits.length ? " No issue merges or splits: each goes on as it is under another fingerprint." : "";
  return [h("p", {}, h("b", { class: "strong" }, `${events(moved)} would move`), ` of ${looked}.${alone}${rest}`), merges.map(merge), splits.map(split)].flat(Infinity);
}

class RuleForm {
  constructor(form) {
    this.form = form;
    this.save = document.getElementById("rule-save");
    this.says = document.getElementById("rule-preview");
    form.addEventListener("submit", (event) => this.submit(event));
    form.addEventListener("input", () => { this.save.disabled = true; }); // only what was tried is saved
  }

  async submit(event) {
    event.preventDefault();
    event.stopPropagation();
    const rule = ruleOf(this.form);
    if (event.submitter?.value === "save") return change("POST", "grouping/rules", { rule }, "The rule is saved. It holds for new events; group what is stored anew to apply it to them.");
    this.says.replaceChildren(h("p", { class: "note" }, "Trying it on what is stored …"));
    try {
      this.says.replaceChildren(...preview(await send("POST", `grouping/preview?${new URLSearchParams(JSON.parse(this.form.dataset.window))}`, { rule })));
      this.save.disabled = false;
    } catch (error) {
      this.save.disabled = true;
      this.says.replaceChildren(h("p", { class: "err" }, refusal(error)));
    }
  }
}

/** How far regrouping is, in words. */
function progress({ is_running: isRunning, done, total, moved, error }) {
  if (error) return `It ended early: ${error}`;
  return isRunning ? `${grouped(done)} of ${events(total)} …` : `Done: ${events(moved)} moved.`;
}

async function regroup(button, says) {
  button.disabled = true;
  try {
    let found = await send("POST", "issues/regroup", { actor: ownName() });
    while (found.is_running) {
      says.replaceChildren(progress(found));
      await new Promise((done) => setTimeout(done, PERIOD));
      found = await ask("issues/regroup");
    }
    says.replaceChildren(progress(found), found.moved ? h("a", { href: location.href }, " Load this page anew") : "");
  } catch (error) {
    says.replaceChildren(refusal(error));
  }
  button.disabled = false;
}

export function start() {
  const form = document.getElementById("rule-form");
  if (!form) return;
  new RuleForm(form);
  const button = document.getElementById("regroup");
  button.addEventListener("click", () => regroup(button, document.getElementById("regroup-says")));
}
