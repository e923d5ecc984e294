// What lies over the lines of a chart: thresholds, releases, and exemplars that link to their traces.

import { h } from "../dom.js";
import { colours, faint } from "./palette.js";
import { momentText } from "./moment.js";
import { valueText } from "./units.js";

const MOST_EXEMPLARS = 60;

function across(u, y, css, dash) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.strokeStyle = css;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash(dash.map((one) => one * devicePixelRatio));
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

/** Lines at values: red for an error, amber for a warning. */
export function drawThresholds(u, thresholds) {
  const found = colours();
  for (const { value, level } of thresholds) {
    const y = Math.round(u.valToPos(value, "y", true));
    if (y >= u.bbox.top && y <= u.bbox.top + u.bbox.height) across(u, y, found[level] ?? found["ink-3"], [5, 3]);
  }
}

const LEVELS = ["calm", "warn", "err"];

/** The times that annotations last, by level; those that overlap are one, so that many are no darker than one. */
export function bands(annotations) {
  const found = [];
  for (const level of LEVELS) {
    const own = annotations.filter((one) => one.end > one.time && (one.level || "err") === level).sort((a, b) => a.time - b.time);
    let last = null;
    for (const { time, end } of own) {
      if (last && time <= last.end) last.end = Math.max(last.end, end);
      else found.push(last = { time, end, level });
    }
  }
  return found;
}

/** Releases and other events: a dashed vertical, or a band where they last; amber for the level "warn". */
export function drawAnnotations(u, annotations) {
  const { ctx, bbox } = u;
  const found = colours();
  ctx.save();
  ctx.strokeStyle = found["ink-2"];
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 2 * devicePixelRatio]);
  const at = (time) => Math.round(u.valToPos(time, "x", true));
  for (const { time, end, level } of bands(annotations)) {
    ctx.fillStyle = faint(found[level] ?? found["ink-3"], 12);
    ctx.fillRect(at(time), bbox.top, at(end) - at(time), bbox.height);
  }
  for (const x of new Set(annotations.map(({ time }) => at(time)))) {
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** Exemplars that are drawn: the slowest ones and an even choice of the others. */
function chosen(exemplars) {
  if (exemplars.length <= MOST_EXEMPLARS) return exemplars;
  const byValue = [...exemplars].sort((a, b) => b.value - a.value);
  const rest = byValue.slice(MOST_EXEMPLARS / 2);
  const every = rest.length / (MOST_EXEMPLARS / 2);
  return [...byValue.slice(0, MOST_EXEMPLARS / 2), ...Array.from({ length: MOST_EXEMPLARS / 2 }, (_, i) => rest[Math.floor(i * every)])];
}

/** Where an exemplar leads to. */
export const traceLink = ({ trace_id: trace, span_id: span }) => `/traces/${encodeURIComponent(trace)}${span ? `?span=${encodeURIComponent(span)}` : ""}`;

/** Dots over the chart that are links; with the keyboard they are reached from the table of values. */
export function placeExemplars(u, layer, exemplars, unit) {
  const { offsetLeft: left, offsetTop: top } = u.over;
  const dots = chosen(exemplars).map((one) => {
    const [x, y] = [u.valToPos(one.time, "x"), Math.max(2, u.valToPos(one.value, "y"))];
    if (!(x >= 0 && x <= u.over.clientWidth) || !Number.isFinite(y)) return null;
    const dot = h("a", { class: "c-ex", href: traceLink(one), tabindex: "-1", title: `Trace ${one.trace_id.slice(0, 8)}, ${valueText(one.value, unit)} at ${momentText(one.time)}` });
    dot.style.transform = `translate(${Math.round(left + x)}px, ${Math.round(top + Math.min(y, u.over.clientHeight))}px)`;
    dot.setAttribute("aria-label", dot.title);
    return dot;
  });
  layer.replaceChildren(...dots.filter(Boolean));
}
