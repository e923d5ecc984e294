// A dashboard as YAML: to read, to copy, and while it is edited to write.

import { send } from "../../api.js";
import { h } from "../../dom.js";
import { sentence } from "../panel.js";
import { button } from "./fields.js";

const PAUSE = 400; // ms without typing before the text is checked

const placed = ({ line, column, path, message, hint }) => [line && `line ${line}${column ? `:${column}` : ""}`, path, message].filter(Boolean).join(": ") + (hint ? `; ${hint}` : "");

/** The draft as it would be written. */
const written = async ({ board }) => (await send("POST", "dashboards/check", { dashboard: board.dashboard })).yaml;

/** Show the YAML in a dialog; while the dashboard is edited it can be changed there, and is checked as it is typed. */
export async function yamlDialog(editing) {
  const input = h("textarea", { class: "in area mono yaml", rows: 28, spellcheck: "false", "aria-label": "YAML", readonly: !editing.on, "aria-describedby": "yaml-said" });
  const said = h("div", { id: "yaml-said", class: "flow tight", role: "status" });
  const take = button("Take over", () => {}, { class: "btn main", disabled: true });
  const copy = button("Copy", () => navigator.clipboard?.writeText(input.value));
  const dialog = h("dialog", { class: "wide", "aria-labelledby": "yaml-title" }, h("form", { method: "dialog", class: "flow" }, h("h2", { class: "title", id: "yaml-title" }, "YAML"), input, said,
    h("div", { class: "row" }, editing.on && take, copy, h("button", { class: "btn", value: "" }, "Close"))));
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  let checked = null;
  const check = async () => {
    try {
      const { dashboards, problems } = await send("POST", "dashboards/check", { yaml: input.value });
      const one = dashboards.length === 1 && !problems.length;
      checked = one ? dashboards[0] : null;
      said.replaceChildren(...(problems.length ? problems.slice(0, 6).map((problem) => h("p", { class: "err" }, placed(problem))) : [h("p", { class: one ? "soft" : "err" }, one ? "Right." : `It holds ${dashboards.length} dashboards: one is needed.`)]));
    } catch (error) {
      checked = null;
      said.replaceChildren(h("p", { class: "err" }, sentence(error)));
    }
    take.disabled = !checked;
  };
  let timer = 0;
  input.addEventListener("input", () => { take.disabled = true; clearTimeout(timer); timer = setTimeout(check, PAUSE); });
  take.addEventListener("click", () => { editing.takeOver(checked); dialog.close(); });
  try {
    input.value = await written(editing);
    input.setSelectionRange(0, 0);
  } catch (error) {
    said.replaceChildren(h("p", { class: "err" }, sentence(error)));
  }
}
