// Places of panels on the grid of twelve columns: pure, without elements. A place is { x, y, w, h }.

export const COLUMNS = 12;
const MOST_ROWS = 60; // of one panel

/** Width and height of a new panel; as dashboards/layout.py. */
const SIZES = { line: [6, 4], area: [6, 4], bar: [6, 4], heatmap: [6, 4], top: [6, 4], stat: [3, 2], gauge: [3, 2], table: [12, 5], logs: [12, 5], traces: [12, 5], text: [12, 2] };

/** The size of a new panel of a type. */
export const sizeOf = (type) => { const [w, h] = SIZES[type] ?? SIZES.line; return { w, h }; };

const overlap = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

const within = (value, least, most) => Math.max(least, Math.min(most, value));

/** A place that is on the grid. */
export function bounded({ x, y, w, h }) {
  const width = within(Math.round(w), 1, COLUMNS);
  return { x: within(Math.round(x), 0, COLUMNS - width), y: Math.max(0, Math.round(y)), w: width, h: within(Math.round(h), 1, MOST_ROWS) };
}

/** Panels in reading order. */
export const ordered = (places) => [...places.keys()].sort((a, b) => places.get(a).y - places.get(b).y || places.get(a).x - places.get(b).x);

/** Places without rows that no panel reaches. */
function withoutGaps(places) {
  const taken = new Set([...places.values()].flatMap(({ y, h }) => Array.from({ length: h }, (_, i) => y + i)));
  const rows = [...taken].sort((a, b) => a - b);
  const at = new Map(rows.map((row, i) => [row, i]));
  return new Map([...places].map(([id, place]) => [id, { ...place, y: at.get(place.y) }]));
}

/** Places without overlap: `first` stays where it is, what it or another covers goes down; the others stay. */
export function settled(places, first = null) {
  const done = new Map();
  for (const id of [...(first === null ? [] : [first]), ...ordered(places).filter((one) => one !== first)]) {
    const place = { ...places.get(id) };
    while ([...done.values()].some((other) => overlap(place, other))) place.y += 1;
    done.set(id, place);
  }
  return withoutGaps(done);
}

/** Places after one panel was put elsewhere or made larger: those that it covers give way downwards. */
export function put(places, id, place) {
  const wanted = bounded(place);
  const before = places.get(id);
  const moved = new Map(places);
  moved.set(id, wanted);
  // a panel that is moved down changes places with those that it passes
  if (before && wanted.y > before.y) for (const [other, at] of moved) if (other !== id && overlap(wanted, at) && at.y >= before.y) moved.set(other, { ...at, y: Math.max(0, at.y - before.h) });
  return settled(moved, id);
}

/** Where a new panel of a size goes: below all others. */
export function below(places, { w, h }) {
  const y = Math.max(0, ...[...places.values()].map((place) => place.y + place.h));
  return bounded({ x: 0, y, w, h });
}
