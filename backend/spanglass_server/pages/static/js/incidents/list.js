// The list of incidents: opening one, changing the one in which the reader is.

import { actor, refusal } from "../issues/actions.js";
import { bind } from "../keys.js";
import { renew } from "../live.js";
import { give } from "./acting.js";
import { openIncident } from "./api.js";

const dialog = document.getElementById("new-incident");
const form = dialog.querySelector("form");
const problem = document.getElementById("new-problem");
const asked = new URLSearchParams(location.search);
const alerts = asked.getAll("alert");

function show() {
  if (alerts.length) {
    const line = document.getElementById("new-alerts");
    line.textContent = alerts.length === 1 ? "The alert that you came from belongs to it." : `${alerts.length} alerts belong to it.`;
    line.hidden = false;
  }
  if (!form.elements.title.value) form.elements.title.value = (asked.get("title") ?? "").slice(0, 200);
  dialog.showModal();
  form.elements.title.focus();
}

document.getElementById("open-new").addEventListener("click", show);
for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopPropagation();
  const by = await actor();
  if (!by) return;
  const text = (name) => form.elements[name].value.trim();
  const given = Object.fromEntries(["title", "severity", "started_at", "lead", "summary", "runbook"].map((name) => [name, text(name)]).filter(([, value]) => value));
  const services = text("services").split(",").map((name) => name.trim()).filter(Boolean);
  try {
    const { id } = await openIncident({ ...given, services, alerts, by });
    location.assign(`/incidents/${encodeURIComponent(id)}`);
  } catch (error) {
    problem.textContent = refusal(error);
    problem.hidden = false;
    form.elements.namedItem(error.error?.field ?? "")?.focus();
  }
});

const focused = () => document.activeElement?.closest?.(".incidents tbody tr");

/** The incident in whose row the reader is becomes something. */
function become(status) {
  const row = focused();
  if (!row || row.dataset.status === status) return false;
  give({ id: row.dataset.incident, title: row.querySelector("td > a").textContent.trim() }, status, () => renew().catch(() => location.reload()));
}

bind({ n: show, a: () => become("acknowledged"), r: () => become("resolved") }, { n: "open an incident", a: "acknowledge the row", r: "resolve the row" });
if (asked.has("open")) show();
