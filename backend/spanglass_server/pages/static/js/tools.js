// The tools above the waterfall: critical path, folding of repeats, errors, find.

import { h, icon } from "./dom.js";
import { grouped } from "./time.js";

/** Build them; returns what the waterfall calls: update() and find(). */
export function tools(wf) {
  const path = h("button", { class: "btn", type: "button" }, "Critical path");
  const fold = h("button", { class: "btn", type: "button" }, "Fold repeats");
  const errors = h("button", { class: "btn", type: "button", title: "Next error (e)" });
  const count = h("output", {});
  const input = h("input", { "aria-label": "Find in trace", placeholder: "Find in trace", spellcheck: "false", autocomplete: "off", value: wf.query });
  path.addEventListener("click", () => wf.switch("path", "path"));
  fold.addEventListener("click", () => wf.switch("fold", "fold"));
  errors.addEventListener("click", () => wf.nextError(1));
  input.addEventListener("input", () => wf.find(input.value));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      if (input.value.trim().toLowerCase() !== wf.query) wf.find(input.value, true);
      wf.nextOf(wf.hits, event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape" && input.value) wf.find((input.value = ""), true);
    else return;
    event.preventDefault();
    input.focus({ preventScroll: true }); // what was found may be thousands of rows below
  });
  const box = h("label", { class: "jump find" }, icon("search"), input, count, h("kbd", { "aria-hidden": "true" }, "f"));
  document.getElementById("tools").replaceChildren(h("div", { class: "join hide-s" }, path, fold), wf.errors.length ? errors : "", box);
  return {
    find: () => input.select(),
    update() {
      path.setAttribute("aria-pressed", String(wf.path));
      fold.setAttribute("aria-pressed", String(wf.fold));
      const at = wf.errors.findIndex((span) => span.key === wf.chosen);
      errors.replaceChildren(icon("errors", "err"), at < 0 ? `${grouped(wf.errors.length)} ${wf.errors.length === 1 ? "error" : "errors"}` : `${at + 1} of ${grouped(wf.errors.length)}`);
      count.replaceChildren(wf.query ? `${grouped(wf.hits.length)}${wf.texts.whole ? "" : "+"}` : "");
    },
  };
}
