// A route, a rota, a person ... as YAML: checked while it is typed, and what is wrong is said with its line.

import { send } from "../api.js";
import { h } from "../dom.js";
import { actor, refusal, say } from "../issues/actions.js";
import { change, onSubmit } from "./acting.js";

const PAUSE = 400; // ms without typing before the text is checked
const form = document.getElementById("thing");
const { section, version, page } = form.dataset;
const text = form.elements.namedItem("yaml");
const bad = document.getElementById("bad");
const named = () => form.dataset.name || form.elements.namedItem("name").value.trim();
const path = (name) => `notifications/settings/${section}/${encodeURIComponent(name)}`;
const before = text.value;

const placed = ({ line, column, path: where, message, hint }) => [line && `line ${line}${column ? `:${column}` : ""}`, where, message].filter(Boolean).join(": ") + (hint ? `; ${hint}` : "");

/** What is wrong, each with its line; a click goes there. */
function show(problems) {
  text.toggleAttribute("aria-invalid", problems.length > 0);
  bad.replaceChildren(...problems.slice(0, 8).map((one) => {
    const line = h("button", { class: "btn bare err", type: "button" }, placed(one));
    line.addEventListener("click", () => goTo(one.line ?? 1));
    return line;
  }));
}

function goTo(number) {
  const start = text.value.split("\n").slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0);
  const end = text.value.indexOf("\n", start);
  text.focus();
  text.setSelectionRange(start, end < 0 ? text.value.length : end);
}

let timer = 0;
let stop = null;
async function check() {
  stop?.abort();
  stop = new AbortController();
  try {
    const { problems } = await send("POST", `${path(named() || "new")}/check`, { yaml: text.value }, { signal: stop.signal });
    show(problems);
    return problems.length === 0;
  } catch (error) {
    if (error.name !== "AbortError") show([{ message: error.message, hint: error.error?.hint }]);
    return false;
  }
}

text.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(check, PAUSE); });

let saved = false;
addEventListener("beforeunload", (event) => { if (!saved && text.value !== before) event.preventDefault(); });

onSubmit(form, async () => {
  if (!form.reportValidity()) return;
  const by = await actor();
  if (!by) return;
  clearTimeout(timer);
  if (!(await check())) {
    say("Not saved: see below the text what is wrong.", { bad: true });
    bad.querySelector("button")?.focus();
    return;
  }
  try {
    await send("PUT", path(named()), { yaml: text.value, version, by });
    saved = true;
    location.assign(page);
  } catch (error) {
    say(`Not saved. ${refusal(error)}`, { bad: true });
  }
});

document.getElementById("delete")?.addEventListener("click", async () => {
  if (!confirm(`Delete ${named()}?`)) return;
  if (!(await change("DELETE", path(named()), { version }))) return;
  saved = true;
  location.assign(page);
});
document.documentElement.dataset.thing = "";
