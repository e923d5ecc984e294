// What is found in one trace that could be quicker: asked for when the page stands, since it reads the trace again.

import { ask } from "../api.js";
import { h, s } from "../dom.js";
import { durationParts } from "../time.js";

const MOST = 5;
const place = document.getElementById("found");

const icon = (name) => s("svg", { class: "i", "aria-hidden": "true" }, s("use", { href: `#${name}` }));

function hint(one, here) {
  const [number, unit] = durationParts(one.cost_ns);
  const span = new URL(here);
  span.searchParams.delete("view");
  span.searchParams.set("span", one.span_id);
  return h("div", { class: "hint warn", "data-kind": one.kind }, icon("bulb"), h("p", {},
    h("b", { class: "strong" }, `${one.title}: `), h("a", { href: span.pathname + span.search }, h("code", {}, one.subject.slice(0, 160) || one.operation)),
    ` in ${one.operation} of `, h("bdi", {}, one.service), `${one.calls > 1 ? `, ${one.calls} times` : ""}, about ${number} ${unit}. `, h("span", { class: "soft" }, one.advice)),
    one.id && h("a", { class: "btn", href: `/findings/${one.id}` }, "Finding"));
}

if (place) {
  try {
    const { findings } = await ask(`traces/${place.dataset.trace}/findings`);
    place.append(...findings.filter((one) => one.state !== "dismissed").slice(0, MOST).map((one) => hint(one, location.href)));
  } catch { /* the page is about the trace, and says all else */ }
  place.dataset.asked = "";
}
