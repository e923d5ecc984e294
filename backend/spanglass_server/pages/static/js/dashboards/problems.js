// What is wrong with the file of a dashboard, above its panels; as templates/dashboards/board.html.

import { h, icon } from "../dom.js";

const MOST = 3;
let told = null;

function line({ file, line: at, path, message, hint }) {
  return [h("b", { class: "strong" }, "The file of this dashboard is broken; what it was before is shown."), " ",
    h("span", { class: "mono" }, at ? `${file}:${at}` : file), " ", path && `${path}: `, message, hint && `; ${hint}`, "."];
}

const shown = (words) => h("div", { class: "hint err", role: "alert" }, icon("errors"), h("p", {}, words));

/** Say what is wrong, where it is not said already. */
export function tell(problems, { isGone = false } = {}) {
  const key = JSON.stringify([problems, isGone]);
  if (key === told) return;
  told = key;
  const gone = isGone ? [shown([h("b", { class: "strong" }, "This dashboard is no longer there."), " It was deleted, or taken out of its file. What it was is shown."])] : [];
  document.getElementById("problems").replaceChildren(...gone, ...problems.slice(0, MOST).map((problem) => shown(line(problem))));
}
