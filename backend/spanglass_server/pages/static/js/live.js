// A page that goes on: its parts with `data-live` (seconds) are read anew and changed in place, so that focus, scroll,
// selection and what is open stay. Nothing is read while nobody looks, while the reader is at something that a change
// would take away (`isBusy`), or when it is paused.

import { bind, keepingFocus } from "./keys.js";

const KEPT = new Set(["open", "tabindex", "data-own"]); // set by script or reader, not by the server
const KEY = "a[href]"; // a row is known by where it leads, wherever it stands

const isOwn = (node) => node.nodeType === Node.ELEMENT_NODE && "own" in node.dataset; // drawn by script: cursors, brushes
const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE && ["TR", "LI"].includes(node.nodeName) ? node.querySelector(KEY)?.getAttribute("href") : null);

function attributes(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (!KEPT.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
}

function children(old, fresh) {
  const there = [...old.childNodes].filter((node) => !isOwn(node));
  const keyed = new Map(there.map((node) => [keyOf(node), node]).filter(([key]) => key));
  const used = new Set();
  let place = 0;
  for (const wanted of [...fresh.childNodes]) {
    while (place < there.length && used.has(there[place])) place += 1;
    const key = keyOf(wanted);
    const found = key ? keyed.get(key) : there.slice(place).find((node) => !used.has(node) && !keyOf(node));
    if (!found || used.has(found) || found.nodeName !== wanted.nodeName) { old.insertBefore(wanted, there[place] ?? null); continue; }
    used.add(found);
    if (found !== there[place]) old.insertBefore(found, there[place] ?? null);
    morph(found, wanted);
  }
  for (const node of there) if (!used.has(node)) node.remove();
}

/** Make an element like another one, changing only what differs. */
export function morph(old, fresh) {
  if (old.isEqualNode(fresh) || old.nodeName === "OUTPUT") return; // an output shows what is under the pointer
  if (old.nodeType !== Node.ELEMENT_NODE) { old.nodeValue = fresh.nodeValue; return; }
  attributes(old, fresh);
  children(old, fresh);
}

const OPEN = "details.range[open], .bell[open], .menu[open], dialog[open]";

/** Whether the reader is at something: a menu or dialog is open, text is selected, a field is being filled in. */
export function isBusy() {
  const field = document.activeElement?.closest?.("select, textarea, input:not([type=checkbox], [type=radio], [type=button])");
  return Boolean(document.querySelector(OPEN)) || String(getSelection()) !== "" || Boolean(field && (field.nodeName === "SELECT" || field.value !== field.defaultValue));
}

/** Make a change that leaves what the reader looks at where it is: what has the focus, or is the first in the window. */
function keepingPlace(change) {
  const inWindow = (node) => node && node !== document.body && node.getBoundingClientRect().bottom > 0 && node.getBoundingClientRect().top < innerHeight;
  const rows = () => document.querySelectorAll("main :is(tr, li, section, .log-r)");
  const anchor = scrollY > 0 && (inWindow(document.activeElement) ? document.activeElement : [...rows()].find((row) => row.getBoundingClientRect().top >= 0));
  const top = anchor && anchor.getBoundingClientRect().top;
  change();
  if (anchor?.isConnected) scrollBy({ top: anchor.getBoundingClientRect().top - top, behavior: "instant" });
}

/** The parts of a page that go on. */
const partsOf = (page) => [...page.querySelectorAll("[data-live], [data-too]")];

/** The times that a page shows, which copied addresses have. */
function takeTimes(fresh) {
  const { dataset } = document.getElementById("main");
  for (const name of ["start", "end"]) if (fresh?.dataset[name]) dataset[name] = fresh.dataset[name]; else delete dataset[name];
}

/**
 * Read the page anew now, and change its parts in place; all of it where it has other parts. `isWelcome` is asked when
 * the answer is there: the reader may have begun something meanwhile.
 */
export async function renew(isWelcome = () => true) {
  const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!isWelcome()) return;
  takeTimes(fresh.getElementById("main"));
  const isAlike = partsOf(document).length === partsOf(fresh).length;
  const [parts, others] = isAlike ? [partsOf(document), partsOf(fresh)] : [document, fresh].map((page) => [page.getElementById("main")]);
  keepingPlace(() => keepingFocus(() => parts.forEach((part, i) => morph(part, document.adoptNode(others[i])))));
}

/** What pauses and goes on: the page's button, or the key alone. */
function pausing() {
  const button = document.getElementById("live");
  let isPaused = false;
  const turn = () => {
    isPaused = !isPaused;
    button?.setAttribute("aria-pressed", String(!isPaused));
    document.documentElement.toggleAttribute("data-paused", isPaused);
  };
  button?.addEventListener("click", turn);
  bind({ ".": turn });
  return () => isPaused;
}

export function start() {
  const first = document.querySelector("[data-live]");
  if (!first) return;
  const isPaused = pausing();
  const isWelcome = () => !document.hidden && !isPaused() && !isBusy();
  const next = async () => {
    if (isWelcome()) await renew(isWelcome).catch(() => null); // a server that is away is asked again
    setTimeout(next, Number(first.dataset.live) * 1000);
  };
  setTimeout(next, Number(first.dataset.live) * 1000);
}
