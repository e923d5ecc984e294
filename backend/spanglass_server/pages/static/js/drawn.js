// Charts whose data the server put into the page: drawn with crosshair, zoom and exemplars that open their trace.

import { Chart } from "./charts/chart.js";

/** JSON has no infinity: the highest bucket has no upper bound there. */
const bounded = (frame) => (frame.bounds ? { ...frame, bounds: frame.bounds.map(([low, high]) => [low, high ?? Infinity]) } : frame);

function draw(element) {
  const { look, frame, previous, exemplars, annotations } = JSON.parse(element.dataset.draw);
  new Chart(element, look).show({ frame: bounded(frame), previous: previous?.series.length ? previous : null, exemplars, annotations });
}

export function start() {
  for (const element of document.querySelectorAll("[data-draw]")) draw(element);
}
