// Copying: a page, a span, a log line or a chart as Markdown, and the page's address, with times that stay.

import { h, icon } from "../dom.js";
import { bind } from "../keys.js";
import { markdownOf } from "./markdown.js";
import { copyPart } from "./part.js";

const SHOWN = 1500; // ms for which a button or line says that it is done
const CHARTS = "main .sec:has(svg[data-chart], [data-draw])";

/** Put a text where the reader pastes from; also on a page without TLS, where browsers have no clipboard for scripts. */
export async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const active = document.activeElement;
  const field = h("textarea", { class: "vh", readonly: true });
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  active?.focus({ preventScroll: true });
}

/** The page's address; of a range that goes on, with the times that are shown now; with some parameters of its own. */
function address(own = {}) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(own)) url.searchParams.set(name, value);
  const { start, end } = document.getElementById("main").dataset;
  if (start) {
    url.searchParams.delete("last");
    url.searchParams.set("start", start);
    url.searchParams.set("end", end);
  }
  return url.href;
}

function done(button, what) {
  const use = button?.querySelector("use");
  const before = use?.getAttribute("href");
  use?.setAttribute("href", "#check");
  const line = document.getElementById("copied");
  line.textContent = what;
  line.hidden = false;
  setTimeout(() => {
    line.hidden = true;
    use?.setAttribute("href", before);
  }, SHOWN);
}

/** Copy the page's address, with some parameters of its own. */
export const asLink = async (button, own) => done(button, await copy(address(own)) ?? "Copied: link");

/** Copy a part of the page as Markdown, with the address that has it. */
export async function asMarkdown(button, node = document.getElementById("main"), own = {}) {
  const written = document.querySelector("[data-markdown]"); // some pages know more than they show
  await copy(written && node.id === "main" ? written.dataset.copy : markdownOf(node, address(own)));
  done(button, "Copied: Markdown");
}

function buttons() {
  const acts = document.querySelector("main .head > .acts");
  acts?.append(h("div", { class: "join", "data-own": "" },
    h("button", { class: "btn sq", type: "button", "data-copy-link": "", "aria-label": "Copy link", title: "Copy link (y)" }, icon("link")),
    !document.querySelector("[data-markdown]") && h("button", { class: "btn sq", type: "button", "data-copy-part": "#main", "aria-label": "Copy as Markdown", title: "Copy as Markdown (Y)" }, icon("copy"))));
  for (const section of document.querySelectorAll(CHARTS)) section.querySelector(":scope > header")?.append(copyPart(".sec", "the chart"));
  const span = document.querySelector("#detail > .flow > .row");
  if (span && !span.querySelector(".copies")) span.append(copyPart("#detail", "the span"));
}

export function start() {
  buttons();
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy-part], [data-copy-link]");
    if (!button) return;
    event.preventDefault(); // in a summary it would open or close it
    if ("copyLink" in button.dataset) asLink(button);
    else asMarkdown(button, button.closest(button.dataset.copyPart));
  });
  bind({ y: () => { asLink(); }, Y: () => { asMarkdown(); } });
}
