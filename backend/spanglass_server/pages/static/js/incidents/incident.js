// The page of an incident: status, response steps, people, words, notes, alerts in and out.

import { actor } from "../issues/actions.js";
import { bind } from "../keys.js";
import { renew } from "../live.js";
import { give, run } from "./acting.js";
import { addTo, changeIncident, doStep, getIncident, takeOut } from "./api.js";

const acts = document.getElementById("incident-acts");
const { incident: id, title } = acts.dataset;
const renewed = () => renew().catch(() => location.reload());

function become(status) {
  if (!acts.querySelector(`[data-become=${status}]`)) return false;
  give({ id, title }, status, renewed);
}

const respond = (change) => run(async (by) => {
  const { responders } = await getIncident(id);
  return changeIncident(id, { responders: change(responders, by), by });
}, "", renewed);

/** What a click on something with this attribute does. */
const CLICKS = {
  "data-become": (button) => become(button.dataset.become),
  "data-step": (button) => run((by) => doStep(id, Number(button.dataset.step), button.getAttribute("aria-checked") !== "true", by), "", renewed),
  "data-out": (button) => run(() => takeOut(id, button.dataset.out), "Taken out. It is not taken in again by itself.", renewed),
  "data-lead": (button) => run((by) => changeIncident(id, { lead: button.dataset.lead, by }), `${button.dataset.lead} leads now.`, renewed),
  "data-leaves": (button) => respond((names) => names.filter((name) => name !== button.dataset.leaves)),
};
document.addEventListener("click", ({ target }) => {
  for (const [attribute, act] of Object.entries(CLICKS)) {
    const button = target.closest?.(`[${attribute}]`);
    if (button) act(button);
  }
});

const idIn = (text) => decodeURIComponent(text.trim().replace(/[/?#].*$/s, (rest) => (text.includes("/alerts/") ? "" : rest)).replace(/^.*\/alerts\//, ""));

/** What a form adds: its body, what is said of it, and where to go then. */
const FORMS = {
  notes: (form) => [{ text: form.elements.text.value.trim() }, "The note is added."],
  steps: (form) => [{ text: form.elements.text.value.trim() }, "The step is added."],
  alerts: (form) => [{ alerts: [idIn(form.elements.alerts.value.replace(/^https?:\/\/[^/]+/, ""))] }, "The alert is added."],
  merge: (form) => [{ into: form.elements.into.value.trim() }, ""],
};
document.addEventListener("submit", async (event) => {
  const what = event.target.dataset.do;
  if (!what) return;
  event.preventDefault();
  event.stopPropagation();
  const [body, said] = FORMS[what](event.target);
  const after = what === "merge" ? ({ id: other }) => location.assign(`/incidents/${encodeURIComponent(other)}`) : renewed;
  if (await run((by) => addTo(id, what, { ...body, by }), said, after)) event.target.reset();
}, true);

const responder = document.getElementById("responder");
responder.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopPropagation();
  const name = responder.elements.name.value.trim();
  if (name && (await respond((names) => [...names, name]))) responder.reset();
});
document.getElementById("mine").addEventListener("click", async () => { const by = await actor(); if (by) await respond((names) => [...names, by]); });

const form = document.getElementById("words");
const values = () => Object.fromEntries(["severity", "title", "summary", "cause", "resolution"].map((name) => [name, form.elements[name].value.trim()]));
let before = values();
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopPropagation();
  const now = values();
  const changed = Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== before[name]));
  if (Object.keys(changed).length && (await run((by) => changeIncident(id, { ...changed, by }), "Saved.", renewed))) {
    before = now;
    if (changed.title) document.querySelector("h1").textContent = changed.title;
  }
});

bind({ a: () => become("acknowledged"), r: () => become("resolved"), d: () => become("dismissed"), c: () => document.getElementById("note-text").focus(), p: () => location.assign(`/incidents/${encodeURIComponent(id)}/postmortem`) }, { a: "acknowledge", r: "resolve", d: "dismiss", c: "write a note", p: "postmortem" });
document.documentElement.dataset.incident = "";
