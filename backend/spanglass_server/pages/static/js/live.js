// A page that goes on: its parts with `data-live` (seconds) are read anew and changed in place, so that focus, scroll,
// selection and what is open stay. Nothing is read while nobody looks, while text is selected, or when it is paused.

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

/** Read the page anew now, and change its parts in place. */
export async function renew() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const [parts, others] = [document, fresh].map((page) => [...page.querySelectorAll("[data-live], [data-too]")]);
  if (parts.length !== others.length) return location.reload(); // what is shown has changed as a whole
  const active = document.activeElement;
  parts.forEach((part, i) => morph(part, document.adoptNode(others[i])));
  if (active?.isConnected && document.activeElement !== active) active.focus({ preventScroll: true }); // a row that moved
}

export function start() {
  const first = document.querySelector("[data-live]");
  if (!first) return;
  const button = document.getElementById("live");
  button?.addEventListener("click", () => button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true")));
  const isOn = () => !document.hidden && (button?.getAttribute("aria-pressed") ?? "true") === "true" && !String(getSelection()) && !document.querySelector("details.range[open], dialog[open]");
  const next = async () => {
    if (isOn()) await renew().catch(() => null); // a server that is away is asked again
    setTimeout(next, Number(first.dataset.live) * 1000);
  };
  setTimeout(next, Number(first.dataset.live) * 1000);
}
