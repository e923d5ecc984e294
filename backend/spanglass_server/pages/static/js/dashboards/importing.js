// Import of dashboards: YAML as Spanglass writes it, or the JSON of a Grafana dashboard. What is wrong or left out is
// said before anything is kept.

import { send } from "../api.js";
import { h } from "../dom.js";
import { button } from "./edit/fields.js";
import { sentence } from "./panel.js";

const PAUSE = 400; // ms without typing before the text is looked at
const MOST_LINES = 12;

const placed = ({ line, column, path, message, hint }) => [line && `line ${line}${column ? `:${column}` : ""}`, path, message].filter(Boolean).join(": ") + (hint ? `; ${hint}` : "");

/** The JSON object that a text is, or null. */
function objectOf(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

const isGrafana = (value) => ["panels", "rows", "schemaVersion", "dashboard", "templating"].some((key) => key in value) && !("monitoring" in value) && !("name" in value);

/** What a text holds: { dashboards, lines } with what is wrong (`bad`) or left out. */
async function read(text) {
  const value = objectOf(text);
  if (value && isGrafana(value)) {
    const { dashboard, left_out: left } = await send("POST", "dashboards/import", { grafana: value });
    return { dashboards: [dashboard], lines: left.map(({ panel, what }) => ({ text: panel ? `${panel}: ${what}` : what, bad: false })) };
  }
  const { dashboards, problems } = await send("POST", "dashboards/check", { yaml: text });
  return { dashboards, lines: problems.map((problem) => ({ text: placed(problem), bad: true })) };
}

/** Keep all, one after another; what could not be kept is said. */
async function keepAll(dashboards) {
  const failed = [];
  let last = null;
  for (const dashboard of dashboards) {
    try {
      last = await send("POST", "dashboards", { dashboard });
    } catch (error) {
      failed.push({ text: `${dashboard.name}: ${sentence(error)}`, bad: true });
    }
  }
  return { failed, last };
}

const panels = (count) => `${count} ${count === 1 ? "panel" : "panels"}`;

/** Ask for a text or a file in a dialog. */
export function importDialog() {
  const input = h("textarea", { class: "in area mono yaml low", spellcheck: "false", "aria-label": "YAML, or JSON of Grafana", placeholder: "monitoring:\n  dashboards:\n    - name: ..." });
  const file = h("input", { type: "file", accept: ".yaml,.yml,.json,application/json,application/yaml", "aria-label": "File" });
  const said = h("div", { class: "flow tight", role: "status" });
  const take = button("Import", () => keep(), { class: "btn main", disabled: true });
  const dialog = h("dialog", { class: "wide", "aria-labelledby": "import-title" }, h("form", { method: "dialog", class: "flow" }, h("h2", { class: "title", id: "import-title" }, "Import"), h("p", { class: "soft" }, "YAML as Spanglass exports it, or a dashboard of Grafana as JSON (Share, Export). What is left out or becomes something else is named here."),
    file, input, said, h("div", { class: "row" }, take, h("button", { class: "btn", value: "" }, "Cancel"))));
  let found = [];
  let asked = 0;
  const tell = (lines) => said.replaceChildren(...lines.slice(0, MOST_LINES).map(({ text, bad, good }) => h("p", { class: bad ? "err" : good ? "strong" : "soft" }, text)), ...(lines.length > MOST_LINES ? [h("p", { class: "note" }, `and ${lines.length - MOST_LINES} more`)] : []));
  const look = async () => {
    asked += 1;
    const own = asked;
    found = [];
    if (input.value.trim()) {
      try {
        const { dashboards, lines } = await read(input.value);
        if (own !== asked) return;
        found = dashboards;
        tell([...dashboards.map((one) => ({ text: `${one.name}, ${panels(one.panels.length)}`, good: true })), ...lines.map((line) => (line.bad ? line : { ...line, text: `Not as in Grafana: ${line.text}` }))]);
      } catch (error) {
        if (own !== asked) return;
        tell([{ text: sentence(error), bad: true }]);
      }
    } else tell([]);
    take.disabled = !found.length;
    take.textContent = found.length > 1 ? `Import ${found.length}` : "Import";
  };
  const keep = async () => {
    take.disabled = true;
    const { failed, last } = await keepAll(found);
    if (failed.length) { tell(failed); take.disabled = false; }
    else if (found.length > 1) location.assign("/dashboards");
    else location.assign(`/dashboards/${encodeURIComponent(last.dashboard.uid)}`);
  };
  let timer = 0;
  input.addEventListener("input", () => { take.disabled = true; clearTimeout(timer); timer = setTimeout(look, PAUSE); });
  file.addEventListener("change", async () => { input.value = (await file.files[0]?.text()) ?? ""; look(); });
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  input.focus();
}
