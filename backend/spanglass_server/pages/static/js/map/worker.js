// Places nodes in layers with dagre, beside the page: 150 nodes take a second.

import { graphlib, layout } from "../../vendor/dagre/dagre.esm.js";

const EXACT = 60; // nodes up to which the slower, better ranking is used

addEventListener("message", ({ data }) => {
  const { nodes, edges, size, down } = data;
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: down ? "TB" : "LR", nodesep: down ? 24 : 14, ranksep: down ? 48 : 116, marginx: 24, marginy: 40, ranker: nodes <= EXACT ? "network-simplex" : "tight-tree" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (let i = 0; i < nodes; i++) graph.setNode(String(i), { ...size });
  for (const [from, to, weight] of edges) graph.setEdge(String(from), String(to), { weight });
  layout(graph);
  const places = Array.from({ length: nodes }, (_, i) => graph.node(String(i))).map(({ x, y }) => [x - size.width / 2, y - size.height / 2]);
  postMessage({ places, width: graph.graph().width, height: graph.graph().height });
});
