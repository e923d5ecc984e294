// The page of an alert: changing its status, who looks after it, notes.

import { actor, refusal, say } from "../issues/actions.js";
import { bind } from "../keys.js";
import { renew } from "../live.js";
import { changeAlert, noteAlert } from "../monitoring.js";
import { give, undo } from "./acting.js";

const acts = document.getElementById("alert-acts");
const { alert: id, title } = acts.dataset;
const renewed = () => renew().catch(() => location.reload());

/** Become something, if there is a button for it. */
function become(status) {
  if (!acts.querySelector(`[data-become=${status}]`)) return false;
  give([{ id, title }], status, renewed);
}

/** Send a change under the reader's name. */
async function run(change, said) {
  const by = await actor();
  if (!by) return;
  try {
    await change(by);
    await renewed();
    say(said(by));
  } catch (error) {
    say(refusal(error), { bad: true });
  }
}

acts.addEventListener("click", ({ target }) => { const button = target.closest("[data-become]"); if (button) become(button.dataset.become); });

function onSubmit(form, change) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    change(event.target);
  });
}

const owner = document.getElementById("own");
const setOwner = (name) => run((by) => changeAlert(id, { owner: name ?? by, by }), (by) => (name === "" ? "Nobody looks after it now." : `${name ?? by} looks after it.`));
onSubmit(owner, () => setOwner(owner.elements.owner.value.trim()));
document.getElementById("mine").addEventListener("click", async () => { await setOwner(null); owner.elements.owner.value = (await actor()) ?? ""; });
onSubmit(document.getElementById("note"), (form) => run((by) => noteAlert(id, { text: form.elements.text.value.trim(), by }, { attempts: 1 }), () => { form.reset(); return "The note is added."; }));

bind({ a: () => become("acknowledged"), r: () => become("resolved"), d: () => become("dismissed"), z: undo, c: () => document.querySelector("#note input").focus() }, { a: "acknowledge", r: "resolve", d: "dismiss", z: "undo", c: "write a note" });
document.documentElement.dataset.alert = "";
