// "Add to dashboard": a chart becomes a panel of a dashboard, or of a new one.

import { ask, send } from "../api.js";
import { h } from "../dom.js";

async function add(form) {
  const { board, name, title } = Object.fromEntries(new FormData(form));
  const panel = { title: title.trim() || "Expression", ...JSON.parse(form.dataset.panel) };
  if (!board) return send("POST", "dashboards", { dashboard: { name: name.trim() || "Metrics", panels: [panel] } });
  const { dashboard, version } = await ask(`dashboards/${encodeURIComponent(board)}`);
  return send("PUT", `dashboards/${encodeURIComponent(board)}`, { dashboard: { ...dashboard, panels: [...dashboard.panels, panel] } }, { version });
}

export function start() {
  const form = document.getElementById("add-panel");
  if (!form) return;
  const said = form.querySelector("output");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    said.replaceChildren("Adding…");
    try {
      const { dashboard } = await add(form);
      said.replaceChildren("Added. ", h("a", { href: `/dashboards/${encodeURIComponent(dashboard.uid)}` }, "Open it"));
    } catch (error) {
      said.replaceChildren(`Not added: ${error.message}`);
    }
  });
}
