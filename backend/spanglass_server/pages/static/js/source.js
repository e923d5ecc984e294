// The lines around a failing one, with the part of them that failed.

import { h } from "./dom.js";

const width = (point) => (point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4);

/** The index in a text of a column from 1 that counts bytes of UTF-8, as Python does. */
export function indexOf(text, column) {
  let [bytes, index] = [1, 0];
  for (const character of text) {
    if (bytes >= column) break;
    bytes += width(character.codePointAt(0));
    index += character.length;
  }
  return index;
}

const indent = (line) => line.length - line.trimStart().length;

/** How much all lines are indented, so that a narrow pane spends no room on it. */
const common = (lines) => Math.min(...lines.filter((line) => line.trim()).map(indent), 200);

/** The failing part of each failing line as [from, to]; none where it is the whole of them, which says nothing. */
function failing(frame, hot) {
  const last = hot.length - 1;
  if (!frame.column || !frame.endColumn) return hot.map(() => null);
  const parts = hot.map((line, i) => [i ? indent(line) : indexOf(line, frame.column), i === last ? indexOf(line, frame.endColumn) : line.trimEnd().length]);
  const all = parts[0][0] <= indent(hot[0]) && parts[last][1] >= hot[last].trimEnd().length;
  return parts.map(([from, to]) => (all || from >= to ? null : [from, to]));
}

const blank = (line) => !line.trim();
const OUTSIDE = /^[^\s)\]}#"']/; // at the margin, and no end of brackets, comment or text

/** Where the function of a line begins, with its decorators; 0 if that is not among the lines before it. */
function beginning(before) {
  let at = before.findLastIndex((line) => /^(async +)?def |^class /.test(line));
  while (at > 0 && before[at - 1].startsWith("@")) at -= 1;
  return Math.max(0, at);
}

/** A frame without what belongs to other functions, and without blank lines at both ends. */
function trimmed(frame) {
  const within = indent(frame.source) > 0;
  const end = within ? frame.after.findIndex((line) => OUTSIDE.test(line)) : -1;
  const before = frame.before.slice(within ? beginning(frame.before) : 0);
  const after = end < 0 ? frame.after : frame.after.slice(0, end);
  const first = before.findIndex((line) => !blank(line));
  return { ...frame, before: first < 0 ? [] : before.slice(first), after: after.slice(0, after.findLastIndex((line) => !blank(line)) + 1) };
}

/** Rows to show: { number, text, hot, part }. */
export function rows(given) {
  const frame = trimmed(given);
  const rest = Math.max(0, Math.min(frame.endLine - frame.line, frame.after.length)); // of an expression over several lines
  const lines = [...frame.before, frame.source, ...frame.after];
  const at = frame.before.length;
  const parts = failing({ ...frame, endColumn: rest === frame.endLine - frame.line ? frame.endColumn : 0 }, lines.slice(at, at + rest + 1));
  const off = common(lines);
  return lines.map((line, i) => {
    const hot = i >= at && i <= at + rest;
    const part = hot ? parts[i - at] : null;
    return { number: frame.line - at + i, text: line.slice(Math.min(off, indent(line))), hot, part: part && part.map((index) => Math.max(0, index - off)) };
  });
}

const row = ({ number, text, hot, part }) => h("span", { class: hot && "hot", "data-n": number > 0 ? number : "" },
  part ? [text.slice(0, part[0]), h("u", {}, text.slice(...part)), text.slice(part[1])] : text || "\u200b");

/** The source around a frame's line; nothing if it was not sent. */
export function source(frame) {
  if (!frame.source) return null;
  const name = `Source, line ${frame.line} fails`;
  return h("code", { class: "src", tabindex: "0", role: "group", "aria-label": name }, rows(frame).map(row));
}
