// A stack trace that is only a text, of any language; a Python traceback's frames are found in it.

import { h, icon } from "./dom.js";
import { opens } from "./fold.js";

const FRAME = /^\s*File "(.+)", line (\d+), in (.+)$/;
const LIBRARY = /site-packages|dist-packages|[\\/]lib[\\/]python|<frozen /;
const MOST_TEXT = 200_000; // characters that are looked at and shown
const MOST_FRAMES = 200; // the innermost

/** A Python traceback as frames: { file, line, name, code, app }; other languages give none. */
export function frames(text) {
  const lines = text.split("\n");
  return lines.flatMap((line, i) => {
    const match = FRAME.exec(line);
    if (!match) return [];
    const next = lines[i + 1] ?? "";
    const code = FRAME.test(next) || !/^\s/.test(next) ? "" : next.trim();
    return [{ file: match[1], line: match[2], name: match[3], code, app: !LIBRARY.test(match[1]) }];
  });
}

const where = (frame) => frame.file.split(/[\\/]/).slice(-3).join("/");

function appFrame(frame, open) {
  return h("details", { class: "frame app", open: open && frame.code !== "" }, h("summary", {}, icon("right"), h("b", {}, frame.name), h("code", {}, `${where(frame)}:${frame.line}`)),
    frame.code && h("code", { class: "src", tabindex: "0" }, h("span", { class: "hot", "data-n": frame.line }, frame.code)));
}

/** The text itself, folded, and a button that copies all of it. */
export function asText(text) {
  const copy = h("button", { class: "btn bare sq js", type: "button", "data-copy": text, "aria-label": "Copy the stack as text", title: "Copy the stack as text" }, icon("copy"));
  const shown = text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text;
  return h("div", { class: "astext" }, opens(h("details", { class: "frame" }, h("summary", {}, icon("right"), "As text")), () => h("pre", { class: "src", tabindex: "0" }, shown)), copy);
}

/** A stack trace from its text, newest call first. */
export function stack(text) {
  const found = frames(text.slice(-MOST_TEXT)).slice(-MOST_FRAMES).reverse();
  if (!found.length) return h("pre", { class: "src", tabindex: "0" }, text.slice(0, MOST_TEXT));
  const nodes = [];
  for (let i = 0; i < found.length; ) {
    if (found[i].app) {
      nodes.push(appFrame(found[i], nodes.length === 0));
      i += 1;
      continue;
    }
    const run = found.slice(i).findIndex((frame) => frame.app);
    const library = found.slice(i, run < 0 ? undefined : i + run);
    nodes.push(h("details", { class: "frame" }, h("summary", {}, icon("right"), `${library.length} library ${library.length === 1 ? "frame" : "frames"}`),
      h("code", { class: "src" }, library.map((frame) => h("span", { "data-n": frame.line }, `${where(frame)} ${frame.name}`)))));
    i += library.length;
  }
  return h("div", { class: "frames" }, nodes, asText(text));
}
