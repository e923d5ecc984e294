// The form of an objective: tried on the last day before it is kept, saved over nobody else's change.

import { send } from "../api.js";
import { mark } from "../health/form.js";
import { actor, refusal, say } from "../issues/actions.js";

const form = document.getElementById("slo-form");
const before = JSON.parse(form.dataset.slo);
const tried = document.getElementById("tried");
const NUMBERS = new Set(["min_events"]);
const LISTS = new Set(["channels"]);
const percent = (share) => `${Math.floor(share * 1e6) / 1e4} %`;

/** What a field says; undefined for what is left to the default. */
function valueOf(field) {
  const text = field.value.trim();
  if (field.type === "checkbox") return field.checked;
  if (!text) return undefined;
  if (LISTS.has(field.name)) return text.split(",").map((one) => one.trim()).filter(Boolean);
  return NUMBERS.has(field.name) && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** The objective that the form says; keys that have no field stay as they were. */
function sloOf() {
  const slo = structuredClone(before);
  for (const field of form.querySelectorAll("[name]:not([name=source])")) {
    const value = field.matches(":disabled") ? undefined : valueOf(field);
    if (value === undefined) delete slo[field.name];
    else slo[field.name] = value;
  }
  return slo;
}

let saved = JSON.stringify(sloOf());

/** Show the fields of what is counted; the others are no part of the form. */
function choose(source) {
  for (const one of form.querySelectorAll("fieldset[data-source]")) one.hidden = one.disabled = one.dataset.source !== source;
  tried.hidden = true;
}

function fieldOf(error) {
  const field = form.elements.namedItem(String(error?.field ?? "").replace(/^slo\./, "").replace(/\[.*$/, ""));
  return field instanceof HTMLElement && !field.matches(":disabled") ? field : null;
}

async function save() {
  const by = await actor();
  if (!by) return;
  const { uid, version } = form.dataset;
  const body = { slo: sloOf(), by };
  try {
    const answer = uid ? await send("PUT", `slos/${encodeURIComponent(uid)}`, { ...body, version }) : await send("POST", "slos", body);
    saved = JSON.stringify(sloOf());
    location.assign(`/slos/${encodeURIComponent(answer.uid)}`);
  } catch (error) {
    mark(form, fieldOf(error.error));
    say(`Not saved. ${refusal(error)}`, { bad: true });
  }
}

/** Count the objective as it is typed over the last day. */
async function tryOut(button) {
  mark(form, null);
  button.disabled = true;
  tried.hidden = false;
  tried.className = "hint said";
  tried.textContent = "Counting…";
  try {
    const { budget, burn_rate: rate } = await send("POST", "slos/try", { slo: { ...sloOf(), name: form.elements.namedItem("name").value.trim() || "New objective" } });
    const isBad = budget.left !== null && budget.left <= 0;
    tried.className = `hint said ${budget.total ? (isBad ? "warn" : "ok") : ""}`;
    tried.textContent = budget.total
      ? `In the last 24 hours ${percent(budget.good)} were good: ${Math.round(budget.bad)} of ${Math.round(budget.total)} were bad, ${Math.round(budget.allowed * 10) / 10} may be. The budget burned ${Math.round(rate * 100) / 100} times as fast as it may.`
      : "Nothing counted in the last 24 hours.";
  } catch (error) {
    mark(form, fieldOf(error.error));
    tried.className = "hint said err";
    tried.textContent = refusal(error);
  } finally {
    button.disabled = false;
  }
}

for (const radio of form.querySelectorAll("[name=source]")) radio.addEventListener("change", () => choose(radio.value));
form.addEventListener("input", () => mark(form, null));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  save();
});
document.getElementById("try").addEventListener("click", ({ currentTarget }) => tryOut(currentTarget));
addEventListener("beforeunload", (event) => { if (JSON.stringify(sloOf()) !== saved) event.preventDefault(); });
document.documentElement.dataset.editor = "";
