// What people do to issues: forms that are sent to the API as JSON, under a name that the reader gives once.

import { send } from "../api.js";
import { h } from "../dom.js";
import { grouped } from "../time.js";

const NAME = "spanglass.name";
const SAID = "spanglass.said";

const stored = (storage, key) => {
  try {
    return storage.getItem(key) ?? "";
  } catch {
    return ""; // storage is forbidden
  }
};

const store = (storage, key, value) => {
  try {
    storage.setItem(key, value);
  } catch { /* storage is forbidden: asked again the next time */ }
};

/** The name that changes are made under; empty until it was given. */
export const ownName = () => stored(localStorage, NAME);

/** Keep the name: for changes, and, as a cookie, for the server, which shows the reader's own views. */
export function remember(name) {
  store(localStorage, NAME, name);
  document.cookie = `spanglass_reader=${encodeURIComponent(name)}; path=/; max-age=31536000; samesite=lax`;
}

/** Ask for the reader's name; null if they close the question. */
export function askName() {
  const input = h("input", { class: "in", name: "who", value: ownName(), required: true, pattern: ".*\\S.*", maxlength: 100, autocomplete: "name" });
  const dialog = h("dialog", { id: "who", "aria-labelledby": "who-title" }, h("form", { method: "dialog", class: "flow" },
    h("h2", { class: "title", id: "who-title" }, "Your name"), h("p", { class: "soft" }, "It stands beside what you change, for others to see. This browser remembers it."),
    h("label", { class: "field" }, h("span", {}, "Name"), input), h("div", { class: "row" }, h("button", { class: "btn main", value: "ok" }, "Go on"), h("button", { class: "btn", value: "", formnovalidate: true }, "Cancel"))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => {
    dialog.remove();
    const name = dialog.returnValue === "ok" ? input.value.trim() : "";
    if (name) remember(name);
    done(name || null);
  }));
}

/** The name, asked for if it was not given yet. */
export const actor = async () => ownName() || askName();

function set(body, path, value) {
  const [first, ...rest] = path;
  if (rest.length) set((body[first] ??= {}), rest, value);
  else body[first] = value;
}

const TYPES = {
  number: Number,
  "from-now": (seconds) => new Date(Date.now() + 1000 * Number(seconds)).toISOString(),
};

/** What a form says when a button of it is pressed: what stands on the button, with the fields that it names. */
function bodyOf(form, button) {
  const body = JSON.parse(button?.dataset.body ?? "{}");
  for (const name of (button?.dataset.fields ?? "").split(" ").filter(Boolean)) {
    const field = form.elements.namedItem(name);
    const value = field.value.trim();
    if (value) set(body, name.split("."), (TYPES[field.dataset.type] ?? String)(value));
  }
  return body;
}

/** The ids chosen in a list. */
export const picked = () => [...document.querySelectorAll(".issues tbody input:checked")].map((box) => box.value);

/** Say something above the page, with a button where `undo` takes it back. */
export function say(text, { bad = false, undo = null } = {}) {
  const line = document.getElementById("said");
  if (!line) return;
  const button = undo && h("button", { class: "btn", type: "button" }, "Undo");
  button?.addEventListener("click", undo);
  line.className = bad ? "hint said err" : "hint said";
  line.replaceChildren(...[h("span", {}, text), button].filter(Boolean));
  line.hidden = false;
  if (bad) line.scrollIntoView({ block: "nearest" });
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

/** Why something was refused, in a sentence or two. */
export const refusal = (error) => [error.message, error.error?.hint ?? error.hint].filter(Boolean).map(sentence).join(" ");

const many = (ids) => (ids.length === 1 ? ids[0] : `${grouped(ids.length)} issues`);

/** What was done, for the line above the page. */
function done(path, body) {
  const ids = body.ids ?? [decodeURIComponent(path.split("/")[1] ?? "")];
  if (path === "issues/merge") return `Merged ${many(ids.filter((id) => id !== body.into))} into ${body.into}.`;
  if (path.startsWith("grouping/")) return "The rule is deleted. It holds for new events; group what is stored anew to apply it to them.";
  if (path === "issues/unmerge") return "Taken apart again.";
  if ("text" in body) return "";
  if ("assignee" in body) return body.assignee ? `${many(ids)} assigned to ${body.assignee}.` : `${many(ids)} assigned to nobody.`;
  return { resolved: `Resolved ${many(ids)}.`, ignored: `Ignoring ${many(ids)}.`, ongoing: `Reopened ${many(ids)}.` }[body.state] ?? "";
}

/** What undoes a merge: the merges that it made. */
const undoing = (path, body, answer) => (path === "issues/merge" && answer.merges.length ? { id: body.into, merges: answer.merges.map(({ merge }) => merge) } : null);

/** Take merged issues apart again. */
function unmerge({ id, merges }) {
  return change("POST", "issues/unmerge", merges.map((merge) => ({ id, merge })), "Undone.");
}

/** Send a change (or several) under the reader's name, and load the page anew; what is said of it stands above that. */
export async function change(method, path, body, words = null) {
  const who = await actor();
  if (!who) return;
  document.documentElement.dataset.sending = "";
  try {
    let answer = null;
    for (const one of [body].flat()) answer = await send(method, path, { ...one, actor: who });
    store(sessionStorage, SAID, JSON.stringify({ text: words ?? done(path, body), undone: undoing(path, body, answer) }));
    location.reload();
  } catch (error) {
    say(refusal(error), { bad: true });
  } finally {
    delete document.documentElement.dataset.sending;
  }
}

async function submit(event) {
  const form = event.target;
  if (!form.dataset.api) return;
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("button");
  const body = bodyOf(form, button);
  if ("me" in button.dataset) {
    const who = await actor();
    if (!who) return;
    body.assignee = who;
  }
  if ("picked" in form.dataset || "merge" in form.dataset) {
    body.ids = picked();
    if (!body.ids.length) return say("Select issues first: the boxes before them, or x.", { bad: true });
  }
  if ("merge" in form.dataset) body.into = form.dataset.merge;
  for (const menu of document.querySelectorAll(".menu[open]")) menu.open = false;
  await change(form.dataset.method, form.dataset.api, body);
}

/** One menu is open at a time; a click beside it or Escape closes it. */
function menus() {
  document.addEventListener("click", ({ target }) => {
    for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest?.(".menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.preventDefault();
  });
}

export function start() {
  document.addEventListener("submit", submit, true); // before go.js, which would take it for a search
  menus();
  const said = stored(sessionStorage, SAID);
  if (!said) return;
  store(sessionStorage, SAID, "");
  const { text, undone } = JSON.parse(said);
  if (text) say(text, { undo: undone && (() => unmerge(undone)) });
}
