// The frames of an exception, newest call first: the application's own to open, runs of library frames as one line.

import { h, icon } from "./dom.js";
import { long, opens } from "./fold.js";
import { source } from "./source.js";
import { grouped } from "./time.js";

/** What a function is called where it stands: `handler` of `build.<locals>.handler`. */
const short = (name) => name.split("<locals>.").at(-1) || "(no name)";

const place = ({ file, path, line }) => h("span", { class: "at", title: line ? `${path}:${line}` : path }, h("code", {}, h("bdi", { dir: "ltr" }, file || "(no file)")), line > 0 && h("code", {}, `:${line}`));

const locals = (frame) => frame.variables.length > 0 && h("dl", { class: "kv locals", "aria-label": "Local variables" }, frame.variables.map(([name, value]) => [h("dt", {}, name), h("dd", {}, long(value, 160))]));

function inside(frame) {
  const found = [source(frame), locals(frame)].filter(Boolean);
  return h("div", { class: "inside" }, found.length ? found : h("p", { class: "note" }, frame.path || "Neither source nor variables were sent."));
}

const own = (frame, open) => opens(h("details", { class: "frame app" }, h("summary", {}, icon("right"), h("b", { title: frame.name }, short(frame.name)), place(frame))), () => inside(frame), open);

const passed = (frame) => h("li", {}, h("p", {}, h("b", { title: frame.name }, short(frame.name)), place(frame)), source({ ...frame, before: [], after: [] }));

const packages = (frames) => [...new Set(frames.map(({ module, file }) => module.split(".")[0] || file))].slice(0, 6).join(", ");

function libraries(frames, open) {
  const count = `${frames.length} library ${frames.length === 1 ? "frame" : "frames"}`;
  return opens(h("details", { class: "frame" }, h("summary", {}, icon("right"), h("span", {}, count), h("code", {}, packages(frames)))), () => h("ol", { class: "passed" }, frames.map(passed)), open);
}

function repeated(frames) {
  const [{ name }] = frames;
  return opens(h("details", { class: "frame" }, h("summary", {}, icon("right"), h("span", {}, `${frames.length} more calls at this line`), h("code", {}, short(name)))), () => h("div", { class: "frames same" }, frames.map((frame) => own(frame, false))));
}

const missing = ([{ leftOut }]) => h("p", { class: "note left" }, `${grouped(leftOut)} more ${leftOut === 1 ? "frame was" : "frames were"} not sent`);

const kindOf = (frame) => (frame.leftOut ? "missing" : frame.app ? "app" : "library");
const same = (a, b) => a.path === b.path && a.line === b.line && a.name === b.name;

/** Parts frames, newest first, into runs: of the application at one line, of libraries, what is missing. */
function runs(frames) {
  const found = [];
  for (const frame of frames) {
    const [kind, last] = [kindOf(frame), found.at(-1)];
    if (last?.kind === kind && (kind === "library" || (kind === "app" && same(last.frames[0], frame)))) last.frames.push(frame);
    else found.push({ kind, frames: [frame] });
  }
  return found;
}

const FEW = 3; // calls at one line that are shown one by one

function element({ kind, frames }, open) {
  if (kind === "missing") return missing(frames);
  if (kind === "library") return libraries(frames, open);
  if (frames.length <= FEW) return frames.map((frame, i) => own(frame, open && i === 0));
  return [own(frames[0], open), repeated(frames.slice(1))];
}

/** All frames; with `open` the innermost of the application shows its source and variables, or the libraries where it has none. */
export function frameList(frames, open) {
  const found = runs([...frames].reverse());
  const first = open && (found.find(({ kind }) => kind === "app") ?? found.find(({ kind }) => kind === "library"));
  return h("div", { class: "frames" }, found.map((run) => element(run, run === first)));
}
