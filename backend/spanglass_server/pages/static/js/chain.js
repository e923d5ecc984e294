// The chain of an exception (docs/app/exceptions.md), read from the JSON text that an application sent. What it says is
// hostile until proven: a wrong type costs that value, or the whole structure, and no size becomes a larger page.

/** Real chains stay below all of these. */
const MOST = { text: 4_000_000, exceptions: 32, frames: 400, ends: 60, lines: 60, line: 1000, variables: 100, value: 20_000, notes: 20 };

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value, most = MOST.line) => (typeof value === "string" ? cut(value, most) : "");
const cut = (value, most) => (value.length > most ? `${value.slice(0, most)}… (of ${value.length} characters)` : value);
const whole = (value) => (Number.isSafeInteger(value) && value > 0 ? value : 0);

/** Lines around the failing one; with something else among them their numbers would be wrong. */
const lines = (value) => (Array.isArray(value) && value.length <= MOST.lines && value.every((line) => typeof line === "string") ? value.map((line) => cut(line, MOST.line)) : []);

const variables = (value) => (isObject(value) ? Object.entries(value).slice(0, MOST.variables).filter(([, found]) => typeof found === "string").map(([name, found]) => [cut(name, 200), cut(found, MOST.value)]) : []);

function frame(entry) {
  if (whole(entry.left_out)) return { leftOut: entry.left_out };
  return {
    file: text(entry.file) || text(entry.path), path: text(entry.path), name: text(entry.function), module: text(entry.module), app: entry.in_app === true,
    line: whole(entry.line), column: whole(entry.column), endLine: whole(entry.end_line), endColumn: whole(entry.end_column),
    source: text(entry.source), before: lines(entry.before), after: lines(entry.after), variables: variables(entry.locals),
  };
}

/** The outermost and the innermost of too many, with how many are missing between. */
function ends(entries, most) {
  if (entries.length <= most) return entries;
  const first = Math.floor(most / 2);
  const last = most - first;
  const missing = entries.slice(first, entries.length - last);
  return [...entries.slice(0, first), { left_out: missing.reduce((sum, one) => sum + (whole(one.left_out) || 1), 0) }, ...entries.slice(entries.length - last)];
}

const RELATIONS = new Set(["cause", "context", "member"]);

function exception(entry, index, room) {
  const given = (Array.isArray(entry.frames) ? entry.frames : []).filter(isObject);
  const parent = Number.isInteger(entry.parent) && entry.parent >= 0 && entry.parent < index ? entry.parent : index - 1; // always an earlier one: no circles
  return {
    kind: text(entry.type), module: text(entry.module), message: text(entry.message, MOST.value), occurrence: text(entry.occurrence_id),
    relation: RELATIONS.has(entry.relation) ? entry.relation : "context", parent, leftOut: whole(entry.left_out), children: [],
    notes: (Array.isArray(entry.notes) ? entry.notes : []).filter((note) => typeof note === "string").slice(0, MOST.notes).map((note) => cut(note, MOST.value)),
    frames: ends(given, Math.max(1, Math.min(2 * MOST.ends, room))).map(frame),
  };
}

function parse(value) {
  if (typeof value !== "string" || value.length > MOST.text) return null;
  try {
    return JSON.parse(value);
  } catch {
    return null; // no JSON, or nested deeper than the browser's stack
  }
}

/**
 * The exceptions of a chain, the one that was caught first; `children` of each are indexes of what is behind it.
 * Null if it is no chain: the text of the stack is there then.
 */
export function readChain(value) {
  const given = parse(value);
  if (!Array.isArray(given) || !given.length || !given.every((entry) => isObject(entry) && typeof entry.type === "string")) return null;
  const found = [];
  let room = MOST.frames;
  for (const entry of given.slice(0, MOST.exceptions)) {
    const one = exception(entry, found.length, room);
    room -= one.frames.length;
    found[one.parent]?.children.push(found.length);
    found.push(one);
  }
  return Object.assign(found, { more: given.length - found.length });
}
