// The page of an objective: switched on and off, deleted; what its bad spans have in common, asked for when it stands.

import { ask, send } from "../api.js";
import { h } from "../dom.js";
import { actor, refusal, say } from "../issues/actions.js";

const acts = document.getElementById("slo-acts");
const path = `slos/${encodeURIComponent(acts.dataset.slo)}`;

/** Run a change under the reader's name; what was refused is said. */
async function run(change) {
  const by = await actor();
  if (!by) return;
  try {
    await change(by);
  } catch (error) {
    say(refusal(error), { bad: true });
  }
}

document.getElementById("enable")?.addEventListener("click", ({ currentTarget: button }) => run(async (by) => {
  const { slo, version } = await ask(path);
  await send("PUT", path, { slo: { ...slo, enabled: button.dataset.enabled !== "true" }, version, by });
  location.reload();
}));

document.getElementById("delete")?.addEventListener("click", () => confirm("Delete this objective and its alert rules?") && run(async (by) => {
  await send("DELETE", path, { version: acts.dataset.version }, { by });
  location.assign("/slos");
}));

const percent = (share) => `${Math.round(share * 1000) / 10} %`;

/** The traces with bad spans of the worst stretch for which a condition holds. */
function tracesOf({ start, end, filter, selected }, condition) {
  return `/traces?${new URLSearchParams({ start, end, filter: `(${filter}) and ${selected} and ${condition}` })}`;
}

async function tellCauses(section) {
  const question = JSON.parse(section.dataset.ask);
  const said = section.querySelector("[role=status]");
  try {
    const { keys } = await ask("differences", question);
    const found = keys.flatMap(({ values }) => values.slice(0, 1)).filter((value) => value.difference > 0);
    if (!found.length) { said.textContent = "Nothing sets them apart from the others."; return; }
    said.replaceWith(h("table", { class: "tbl rows" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col", class: "w" }, "Condition"), h("th", { scope: "col", class: "n" }, "Bad ones"), h("th", { scope: "col", class: "n" }, "Others"))),
      h("tbody", {}, ...found.map((value) => h("tr", {},
        h("td", { class: "w" }, h("a", { href: tracesOf(question, value.filter) }, h("code", {}, value.filter.slice(0, 160)))),
        h("td", { class: "n strong" }, percent(value.selected_share)), h("td", { class: "n soft" }, percent(value.baseline_share)))))));
  } catch (error) {
    said.textContent = refusal(error);
  }
}

const causes = document.getElementById("causes");
if (causes) await tellCauses(causes);
document.documentElement.dataset.slo = "";
