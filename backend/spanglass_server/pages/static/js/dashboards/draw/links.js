// From a point of a chart to its traces and log records: a small menu at the point.

import { range as rangeOf } from "../../api.js";
import { h } from "../../dom.js";
import { momentText } from "../../charts/moment.js";

const iso = (seconds) => new Date(seconds * 1000).toISOString();

/** The page that lists records of a filter; in the page's own time range unless another is given. */
export function recordsLink({ signal, filter }, range = rangeOf()) {
  return `${signal === "logs" ? "/logs" : "/traces"}?${new URLSearchParams({ ...range, ...(filter ? { filter } : {}) })}`;
}

/** Links to the records of a moment; `series` is the one that is meant, if there is one. */
export function pointLinks(panel, { time, end, series }) {
  const range = { start: iso(time), end: iso(end) };
  const whose = series?.records && series.name ? ` of ${series.name}` : "";
  const { signal, filter } = series?.records ?? { signal: "spans", filter: "" };
  const until = momentText(end, 1).split(" ").at(-1);
  return [
    ...(signal === "spans" ? [[`Traces${whose}, ${momentText(time, 1)} to ${until}`, recordsLink({ signal, filter }, range)]] : []),
    [`Logs${signal === "logs" ? whose : ""}, ${momentText(time, 1)} to ${until}`, recordsLink({ signal: "logs", filter: signal === "logs" ? filter : service(filter) }, range)],
    ...panel.definition.links.map(({ title, url }) => [title || url, panel.board.filled(url, true)]),
  ];
}

/** Of a filter of spans what log records have, too: the service. */
const service = (filter) => /service\.name = (?:"(?:[^"\\]|\\.)*"|\S+)/.exec(filter)?.[0] ?? "";

let open = null;

function close(event) {
  if (!open || (event?.type === "pointerdown" && open.element.contains(event.target))) return;
  const { element, back } = open;
  const hadFocus = element.contains(document.activeElement);
  open = null;
  element.remove();
  if (hadFocus) back?.focus();
}

document.addEventListener("pointerdown", close);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !open) return;
  close();
  event.preventDefault();
}, true);

/** Show links at a point of the panel's chart; the focus goes to the first. */
export function openLinks(panel, links, { left, top }) {
  close();
  const element = h("ul", { class: "pop p-links", "aria-label": "Records of this point" }, links.map(([text, href]) => h("li", {}, h("a", { href }, text))));
  panel.body.append(element);
  const most = panel.body.clientWidth - element.offsetWidth;
  element.style.transform = `translate(${Math.round(Math.max(0, Math.min(left, most)))}px, ${Math.round(top)}px)`;
  open = { element, back: panel.chart?.face };
  element.querySelector("a").focus();
}
