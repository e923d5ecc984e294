// The form of a check: what is looked at by kind, tried before it is kept, saved over nobody else's change.

import { send } from "../api.js";
import { actor, refusal, say } from "../issues/actions.js";
import { durationText } from "../time.js";
import { checkOf, fieldOf, mark } from "./form.js";

const form = document.getElementById("check-form");
const before = JSON.parse(form.dataset.check);
const tried = document.getElementById("tried");
let saved = JSON.stringify(checkOf(form, before));

/** Show the fields of one kind; those of the others are no part of the form. */
function choose(kind) {
  for (const one of form.querySelectorAll("fieldset[data-kind]")) one.hidden = one.disabled = one.dataset.kind !== kind;
  document.getElementById("try").hidden = kind === "heartbeat";
  tried.hidden = true;
}

function refused(error) {
  const field = fieldOf(form, error.error);
  mark(form, field);
  say(`Not saved. ${refusal(error)}`, { bad: true });
}

async function save() {
  const by = await actor();
  if (!by) return;
  const { uid, version } = form.dataset;
  const body = { check: checkOf(form, before), by };
  try {
    const answer = uid ? await send("PUT", `checks/${encodeURIComponent(uid)}`, { ...body, version }) : await send("POST", "checks", body);
    saved = JSON.stringify(checkOf(form, before));
    location.assign(`/health/checks/${encodeURIComponent(answer.uid)}`);
  } catch (error) {
    refused(error);
  }
}

/** Run the check as it is typed, once, with no consequence. */
async function tryOut(button) {
  mark(form, null);
  button.disabled = true;
  tried.hidden = false;
  tried.className = "hint said";
  tried.textContent = "Trying…";
  try {
    const run = await send("POST", "checks/try", { check: { ...checkOf(form, before), name: form.elements.namedItem("name").value.trim() || "New check" } });
    const css = { healthy: "ok", degraded: "warn", unhealthy: "err" }[run.status] ?? "";
    tried.className = `hint said ${css}`;
    tried.textContent = [`It is ${run.status} after ${durationText(run.latency_ns)}.`, run.detail].filter(Boolean).join(" ");
  } catch (error) {
    mark(form, fieldOf(form, error.error));
    tried.className = "hint said err";
    tried.textContent = refusal(error);
  } finally {
    button.disabled = false;
  }
}

for (const radio of form.querySelectorAll("[name=kind]")) radio.addEventListener("change", () => choose(radio.value));
form.addEventListener("input", () => mark(form, null));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  const missing = [...form.querySelectorAll("[data-required]")].find((one) => !one.matches(":disabled") && !one.value.trim());
  if (missing) { mark(form, missing); say(`${missing.closest("label").textContent.trim()} is missing.`, { bad: true }); return; }
  save();
});
document.getElementById("try").addEventListener("click", ({ currentTarget }) => tryOut(currentTarget));
addEventListener("beforeunload", (event) => { if (JSON.stringify(checkOf(form, before)) !== saved) event.preventDefault(); });
choose(form.querySelector("fieldset[data-kind]:not([disabled])").dataset.kind);
document.documentElement.dataset.editor = "";
