// Paths of a trace as a flame graph lays them out; numbers only, the same as pages/trace_views/flame.py.

export const ROW = 22; // px
const MOST_ROWS = 120;

/** The place of the path above each path, -1 at the top. */
export function parents(paths) {
  const above = [];
  return paths.map((path, place) => {
    above.length = path.depth;
    const parent = above.at(-1) ?? -1;
    above.push(place);
    return parent;
  });
}

/** The work of the whole trace. */
export const wholeOf = (paths) => paths.reduce((sum, path) => sum + (path.depth ? 0 : path.work_ns), 0);

/** The path with those above it, from the root. */
export function trail(over, place) {
  const found = [];
  for (let at = place; at >= 0; at = over[at]) found.push(at);
  return found.reverse();
}

/** Frames of at least `least` per cent: { place, x, w, y, above }. */
export function frames(paths, over, zoomed, least) {
  const found = trail(over, zoomed).map((place, row) => ({ place, x: 0, w: 100, y: row * ROW, above: place !== zoomed }));
  const whole = zoomed >= 0 ? paths[zoomed].work_ns : wholeOf(paths);
  const [base, from] = [found.length, zoomed >= 0 ? paths[zoomed].depth + 1 : 0];
  const lefts = new Map([[zoomed, 0]]);
  for (let place = zoomed + 1; place < paths.length; place += 1) {
    const { depth, work_ns: work } = paths[place];
    if (zoomed >= 0 && depth < from) break;
    const x = lefts.get(over[place]);
    if (x === undefined) continue; // below a frame that is not drawn
    const w = whole ? (100 * work) / whole : 0;
    lefts.set(over[place], x + w);
    const row = base + depth - from;
    if (w < least || row >= MOST_ROWS) continue;
    lefts.set(place, x);
    found.push({ place, x, w, y: row * ROW, above: false });
  }
  return found;
}
