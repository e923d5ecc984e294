// The page of an issue: its stack, the reader's name, keys.

import { exceptionView } from "../exception.js";
import { h } from "../dom.js";
import { bind } from "../keys.js";
import { askName, change, ownName } from "./actions.js";

function stack() {
  const box = document.getElementById("stack");
  const attributes = box && JSON.parse(document.getElementById("exception").textContent);
  if (attributes) box.replaceChildren(exceptionView(attributes));
}

/** Under which name the reader acts, and a way to change it. */
function me() {
  const line = document.getElementById("me");
  if (!ownName()) return;
  const button = h("button", { class: "btn bare", type: "button" }, "Change");
  button.addEventListener("click", async () => { await askName(); me(); });
  line.replaceChildren(`You are ${ownName()}. `, button);
  line.hidden = false;
}

function follow(id) {
  const link = document.getElementById(id);
  if (!link) return false;
  link.click();
}

export function start() {
  const acts = document.getElementById("acts");
  if (!acts) return;
  stack();
  me();
  const issue = location.pathname.split("/").pop();
  bind({
    j: () => follow("earlier"), k: () => follow("later-event"),
    e: () => (document.querySelector("[data-state]").dataset.state === "resolved" ? false : change("PATCH", `issues/${issue}`, { state: "resolved" })),
    c: () => document.querySelector("#history input[name=text]").focus(),
  }, { j: "earlier event", k: "later event", e: "resolve", c: "comment" });
}
