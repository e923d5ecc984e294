// The form of retention's policies: lines added, problems at their place, a preview before they are in force.

import { send } from "../api.js";
import { compactParts, sizeParts } from "../charts/units.js";
import { h, service, unit } from "../dom.js";
import { actor, refusal, say } from "../issues/actions.js";

const form = document.getElementById("policies");
const text = form.elements.namedItem("yaml");
const bad = document.getElementById("bad");
const preview = document.getElementById("preview");
const saved = text.value;
const DAY_S = 86400;

const age = (seconds) => (seconds ? (seconds >= DAY_S ? `${Number((seconds / DAY_S).toFixed(2))} d` : `${Number((seconds / 3600).toFixed(2))} h`) : "for ever");
const size = (bytes) => unit(sizeParts(bytes));
const sized = (bytes) => (bytes === null ? "without end" : sizeParts(bytes).join("\u2009"));

const bare = (line) => line.replace(/^\s*(- )?/, "").replace(/['"]/g, "").trim();

/** Select lines of the text; what they are numbered from 0. */
function select(first, count) {
  const all = text.value.split("\n");
  const start = all.slice(0, first).reduce((sum, line) => sum + line.length + 1, 0);
  text.focus();
  text.setSelectionRange(start, start + all.slice(first, first + count).join("\n").length);
}

/** Where a policy stands that names the same traces of all services, whatever its name and age: [line, lines], or null. */
function standing(lines) {
  const wanted = lines.trim().split("\n").map(bare).filter((line) => !/^(name|age):/.test(line));
  const all = text.value.split("\n");
  const begins = all.flatMap((line, at) => (/^\s*- (name|keep|services|filter|slower_than|age):/.test(line) ? [at] : []));
  for (const at of begins) {
    let end = at + 1;
    while (end < all.length && /^\s+[a-z]/.test(all[end])) end += 1;
    const has = all.slice(at, end).map(bare);
    if (wanted.every((line) => has.includes(line)) && !has.some((line) => line.startsWith("services:"))) return [at, end - at];
  }
  return null;
}

/** Put lines where they belong: policies below their key, which is made where there is none; what is there is selected. */
function add(key, lines) {
  const there = key === "ordinary" ? text.value.split("\n").findIndex((line) => line.startsWith("ordinary:")) : standing(lines);
  if (key === "ordinary" ? there >= 0 : there) {
    select(...(key === "ordinary" ? [there, 1] : there));
    say("That is there already.");
    return;
  }
  const now = text.value.replace(/\s*$/, "\n").replace(/^\n$/, "");
  const all = now.split("\n");
  const at = all.findIndex((line) => line.startsWith(`${key}:`));
  if (key === "ordinary") text.value = at < 0 ? `${now}${lines}` : now;
  else if (at < 0) text.value = `${now}policies:\n${lines}`;
  else {
    const after = all.findIndex((line, place) => place > at && /^[a-z]/.test(line));
    const end = after < 0 ? all.length - 1 : after;
    all.splice(end, 0, ...lines.trimEnd().split("\n"));
    text.value = all.join("\n");
  }
  text.focus();
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

/** A preview is of what was typed then, and of nothing else. */
function forget() {
  preview.hidden = true;
  preview.replaceChildren();
}

/** Say all that is wrong with what is typed; whether anything is. */
async function isWrong() {
  forget();
  const { problems } = await send("POST", "retention/check", { yaml: text.value });
  bad.replaceChildren(...problems.slice(0, 10).map(({ message, path, line, hint }) => h("p", { class: "err wrap" },
    line ? `Line ${line}: ` : "", path ? h("code", {}, path) : null, path ? ": " : "", message, hint ? `; ${hint}` : "")));
  if (problems.length) text.setAttribute("aria-invalid", "true");
  if (problems[0]?.line) {
    const start = text.value.split("\n").slice(0, problems[0].line - 1).join("\n").length + (problems[0].line > 1 ? 1 : 0);
    text.focus();
    text.setSelectionRange(start, start + text.value.slice(start).split("\n")[0].length);
  }
  return problems.length > 0;
}

const cell = (content, name, css = "n") => h("td", { class: css, "data-l": name || null }, content);
const head = (...names) => h("thead", {}, h("tr", {}, ...names.map((name, place) => h("th", { scope: "col", class: place ? `n${name.endsWith("pans") ? " hide-s" : ""}` : "w" }, name))));
const table = (caption, names, rows) => h("table", { class: "tbl stack rows" }, h("caption", { class: "vh" }, caption), head(...names), h("tbody", {}, ...rows));

/** How far bytes may be off, as it is said. */
function error({ bytes_error: off }) {
  if (off === null) return ", of too few segments to say how exactly";
  return off ? ` ± ${sized(off)}` : "";
}

function shown(told) {
  const { freed, stored } = told;
  const later = told.waiting_bytes >= 1 ? ` About ${sized(told.waiting_bytes)} more are past their age and go when their segments are due.` : "";
  const classes = told.classes.filter((one) => one.stored.spans || !["held"].includes(one.keep));
  return [
    h("p", { class: "wrap" }, h("b", { class: "strong" }, `${sized(freed.bytes)}${error(freed)}`), ` of ${sized(stored.bytes)} of spans would go at once.${later} In the long run they would take ${sized(told.bytes_at_pace)} at the pace of the last days, ${sized(told.bytes_at_pace_before)} without policies.`),
    h("p", { class: "note" }, `${told.segments_read} of ${told.segments} segments were read. Log records that stay with their traces are not counted.`),
    table("By policy", ["Traces", "Stay", "Spans", "Stored", "Freed spans", "Freed"], classes.map((one) => h("tr", {},
      h("td", { class: "w" }, h("b", { class: "strong" }, h("bdi", {}, one.name.slice(0, 80)))), cell(age(one.age_s), "", "n hide-s"), cell(unit(compactParts(one.stored.spans)), "", "n hide-s"), cell(size(one.stored.bytes), "stored"), cell(unit(compactParts(one.freed.spans)), "", "n hide-s"), cell(size(one.freed.bytes), "freed", "n strong")))),
    table("By service", ["Service", "Spans", "Stored", "Freed spans", "Freed"], told.services.slice(0, 25).map((one) => h("tr", {},
      h("td", { class: "w" }, service(one.service, one.slot)), cell(unit(compactParts(one.spans)), "", "n hide-s"), cell(size(one.bytes), "stored"), cell(unit(compactParts(one.freed_spans)), "", "n hide-s"), cell(size(one.freed_bytes), "freed", "n strong")))),
  ];
}

async function look(button) {
  button.disabled = true;
  try {
    if (await isWrong()) return;
    preview.hidden = false;
    preview.replaceChildren(h("p", { class: "soft" }, "Reading…"));
    const asked = text.value;
    const told = await send("POST", "retention/preview", { yaml: asked });
    if (text.value === asked) preview.replaceChildren(...shown(told));
  } catch (failure) {
    preview.hidden = false;
    preview.replaceChildren(h("p", { class: "err wrap" }, refusal(failure)));
  } finally {
    button.disabled = false;
  }
}

async function keep() {
  const by = await actor();
  if (!by) return;
  try {
    if (await isWrong()) return;
    if (!confirm("Put these policies in force? What they say goes does not come back.")) return;
    const note = form.elements.namedItem("note").value.trim();
    await send("PUT", "retention", { yaml: text.value, version: Number(form.dataset.version), note, by });
    removeEventListener("beforeunload", stay);
    location.reload();
  } catch (failure) {
    say(`Not in force. ${refusal(failure)}`, { bad: true });
  }
}

function stay(event) {
  if (text.value !== saved) event.preventDefault();
}

for (const button of form.querySelectorAll("[data-lines]")) button.addEventListener("click", () => add(button.dataset.key, button.dataset.lines));
text.addEventListener("input", () => { forget(); bad.replaceChildren(); text.removeAttribute("aria-invalid"); });
document.getElementById("preview-it").addEventListener("click", ({ currentTarget }) => look(currentTarget));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  keep();
});
addEventListener("beforeunload", stay);
document.documentElement.dataset.retention = "";
