// Building elements from text: telemetry is hostile, so there is no way here to parse it as HTML.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An HTML element; children are nodes or text. */
export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

/** An SVG element. */
export const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/** An icon of the sprite. */
export const icon = (name, css = "") => s("svg", { class: css ? `i ${css}` : "i", "aria-hidden": "true" }, s("use", { href: `#${name}` }));

/** A service: its colour and its name. */
export const service = (name, slot) => h("span", { class: `svc s${slot}` }, name || "(no name)");

/** A number with its unit dimmed. */
export const unit = ([number, name]) => [number, h("span", { class: "u" }, name)];

/** Whether a value may become a link: only whole http and https addresses. */
export const linkable = (value) => typeof value === "string" && /^https?:\/\/[^\s"<>]+$/i.test(value);

/** Whether a key press belongs to a field. */
export const typing = (event) => event.target instanceof Element && event.target.closest("input:not([type=checkbox], [type=radio], [type=button]), select, textarea, [contenteditable]");
