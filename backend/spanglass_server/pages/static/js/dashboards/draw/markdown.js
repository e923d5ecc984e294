// Markdown as elements: headings, lists, tables are not needed for notes on a dashboard; HTML in it stays text.

import { h } from "../../dom.js";

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|_([^_\s][^_]*)_|\[([^\]]+)\]\(([^()\s]+)\)|(https?:\/\/[^\s<>"')]+)/g;

/** Whether an address may be linked: one of this server, or with http or https. */
const allowed = (href) => /^https?:\/\/[^\s"<>]+$/i.test(href) || /^\/(?![/\\])/.test(href) || href.startsWith("#");

const link = (href, text) => (allowed(href) ? h("a", /^https?:/i.test(href) ? { href, rel: "noreferrer noopener" } : { href }, text) : text);

/** A line's text with code, bold, slanted and links. */
export function inline(text) {
  const found = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, bold, star, line, label, href, address] = match;
    found.push(text.slice(at, match.index));
    if (code) found.push(h("code", {}, code));
    else if (bold) found.push(h("b", { class: "strong" }, inline(bold)));
    else if (star ?? line) found.push(h("em", {}, inline(star ?? line)));
    else if (label) found.push(link(href, label));
    else found.push(link(address, address));
    at = match.index + whole.length;
  }
  return [...found, text.slice(at)];
}

const ITEM = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/;
const HEADING = /^(#{1,4})\s+(.*)$/;

function block(lines) {
  const [first] = lines;
  if (first.startsWith("```")) return h("pre", { tabindex: "0" }, h("code", {}, lines.slice(1).join("\n")));
  const items = lines.map((line) => ITEM.exec(line));
  if (items.every(Boolean)) return h(items[0][1] ? "ol" : "ul", {}, items.map(([, , text]) => h("li", {}, inline(text))));
  if (lines.every((line) => line.startsWith(">"))) return h("blockquote", {}, inline(lines.map((line) => line.replace(/^>\s?/, "")).join("\n")));
  return h("p", {}, lines.flatMap((line, i) => [i ? h("br") : null, ...inline(line)]));
}

/** Lines that belong together: fenced code, a heading by itself, else what no blank line parts. */
function blocks(text) {
  const found = [];
  let part = [];
  let fenced = false;
  const end = () => { if (part.length) found.push(part); part = []; };
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("```")) {
      if (fenced) end();
      else { end(); part.push("```"); }
      fenced = !fenced;
    } else if (fenced) part.push(line);
    else if (!line.trim()) end();
    else if (HEADING.test(line)) { end(); found.push([line]); }
    else {
      if (part.length && Boolean(ITEM.exec(line)) !== Boolean(ITEM.exec(part[0]))) end();
      part.push(line);
    }
  }
  end();
  return found;
}

/** A text as elements; headings begin below the panel's own. */
export function markdown(text) {
  return blocks(text).map((lines) => {
    const heading = lines.length === 1 && HEADING.exec(lines[0]);
    return heading ? h(`h${Math.min(6, heading[1].length + 2)}`, {}, inline(heading[2])) : block(lines);
  });
}
