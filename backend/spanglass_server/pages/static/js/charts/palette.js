// Colours of a chart, read from the style sheet's custom properties, so that a canvas follows theme and contrast.

const NAMES = ["bg", "line", "line-2", "edge", "ink", "ink-2", "ink-3", "accent", "err", "warn", "brass", ...Array.from({ length: 10 }, (_, i) => `s${i}`)];
const SLOTS = 10;

let known = null;
const watchers = new Set();

/** A colour of the style sheet as a canvas can take it; `css` may mix several. */
function resolved(probe, css) {
  probe.style.color = css;
  return getComputedStyle(probe).color;
}

/** All colours of the present theme: `colours().ink`, `.s3`, `heat[0..6]`, and `mix(name, percent)` with the ground. */
export function colours() {
  if (known) return known;
  const probe = document.body.appendChild(document.createElement("i"));
  probe.hidden = true;
  known = Object.fromEntries(NAMES.map((name) => [name, resolved(probe, `var(--${name})`)]));
  probe.className = "heat-scale";
  known.heat = [13, 27, 45, 70, 100].map((share) => resolved(probe, `color-mix(in oklab, var(--a) ${share}%, var(--bg))`)).concat(
    [50, 100].map((share) => resolved(probe, `color-mix(in oklab, var(--z) ${share}%, var(--a))`)));
  const font = getComputedStyle(document.body).fontFamily;
  known.font = `11px ${font}`;
  probe.remove();
  return known;
}

/** A colour at some per cent over what lies beneath it. */
export const faint = (colour, percent) => `color-mix(in oklab, ${colour} ${percent}%, transparent)`;

/** Run something whenever the theme changes; returns what ends that. */
export function onTheme(run) {
  watchers.add(run);
  return () => watchers.delete(run);
}

function changed() {
  known = null;
  for (const run of watchers) run();
}

new MutationObserver(changed).observe(document.documentElement, { attributeFilter: ["data-theme"] });
for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) matchMedia(query).addEventListener("change", changed);

const fnv1a = (text) => {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
};

/**
 * The slot of every name, as services get theirs: FNV-1a modulo ten, the next free one where that is taken. So a name
 * has mostly one colour on all charts. `fixed` are slots of services: the first series of a service has its colour.
 * Names past ten get -1: they are drawn in grey.
 */
export function slots(names, fixed = new Map()) {
  const found = new Map();
  const taken = new Set();
  const give = (name, slot) => { taken.add(slot); found.set(name, slot); };
  const coloured = names.slice(0, SLOTS);
  for (const name of coloured) if (fixed.has(name) && !taken.has(fixed.get(name))) give(name, fixed.get(name));
  for (const name of coloured) {
    if (found.has(name)) continue;
    let slot = fnv1a(name) % SLOTS;
    while (taken.has(slot)) slot = (slot + 1) % SLOTS;
    give(name, slot);
  }
  return names.map((name) => found.get(name) ?? -1);
}
