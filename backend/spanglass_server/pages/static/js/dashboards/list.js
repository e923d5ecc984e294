// The list of dashboards: narrowing it while typing, new ones, and import.

import { send } from "../api.js";
import { h } from "../dom.js";
import { askText } from "./edit/saving.js";
import { importDialog } from "./importing.js";
import { sentence } from "./panel.js";

function say(text, bad = false) {
  const line = document.getElementById("said");
  line.className = bad ? "hint said err" : "hint said";
  line.replaceChildren(h("span", {}, text));
  line.hidden = !text;
}

const open = ({ dashboard }, edit = true) => location.assign(`/dashboards/${encodeURIComponent(dashboard.uid)}${edit ? "?edit=1" : ""}`);

async function make() {
  const name = await askText("New dashboard", { label: "Name", action: "Make it" });
  if (!name) return;
  try {
    open(await send("POST", "dashboards", { dashboard: { name, panels: [] } }));
  } catch (error) {
    say(sentence(error), true);
  }
}

/** Rows that have all words stay. */
function narrow(input) {
  const words = input.value.toLowerCase().split(/\s+/);
  for (const row of document.querySelectorAll(".boards tbody tr")) row.hidden = !words.every((word) => row.dataset.text.toLowerCase().includes(word));
  for (const group of document.querySelectorAll(".boards")) group.hidden = !group.querySelector("tbody tr:not([hidden])");
}

document.getElementById("new").addEventListener("click", make);
document.getElementById("import").addEventListener("click", importDialog);
document.querySelector("input[name=q]").addEventListener("input", ({ target }) => narrow(target));
document.documentElement.dataset.board = "";
