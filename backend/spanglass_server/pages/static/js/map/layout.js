// Where the nodes of the map stand: in layers, callers before callees.

const MANY = 60; // nodes from which on only the busiest call of each decides: with all, layers get long and the reader no wiser

/** The calls that place nodes, as a set: all of a small map; of a large one the busiest of each callee, else of the caller. */
export function deciding(nodes, edges) {
  const real = edges.filter(({ from, to }) => from !== to).toSorted((a, b) => b.calls - a.calls);
  if (nodes.length <= MANY) return new Set(real);
  const called = new Set();
  const placed = new Set();
  const chosen = new Set();
  for (const edge of real) {
    if (called.has(edge.to)) continue;
    called.add(edge.to);
    placed.add(edge.from).add(edge.to);
    chosen.add(edge);
  }
  for (const edge of real) if (!placed.has(edge.from)) { placed.add(edge.from); chosen.add(edge); }
  return chosen;
}

/** Ask the worker; resolves to { places: [[x, y]], width, height } in pixels, with the calls that decided. */
export function place(nodes, edges, size, down) {
  const chosen = deciding(nodes, edges);
  const asked = [...chosen].map(({ from, to, calls }) => [from, to, 1 + Math.round(Math.log10(1 + calls))]);
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.addEventListener("message", ({ data }) => resolve({ ...data, deciding: chosen }));
    worker.addEventListener("error", (event) => reject(new Error(event.message || "the map cannot be laid out")));
    worker.postMessage({ nodes: nodes.length, edges: asked, size, down });
  }).finally(() => worker.terminate());
}
