// The calls of the map on a canvas as large as what is seen of it.

import { colours, faint } from "../charts/palette.js";

const ARROW = 6;
const RATES = [0.1, 1, 10, 100]; // a line gets thicker at each

/** How thick a call is drawn. */
export const thickness = ({ rate_per_s }) => 1 + RATES.filter((rate) => rate_per_s >= rate).length * 0.6;

/** A call as a curve: its ends, and the points that bend it. */
export function curve([x1, y1], [x2, y2], { width, height }, down) {
  if (x1 === x2 && y1 === y2) return [[x1 + width / 2 - 14, y1], [x1 + width / 2 - 24, y1 - 34], [x1 + width / 2 + 24, y1 - 34], [x1 + width / 2 + 14, y1]];
  const back = down ? y2 < y1 + height : x2 < x1 + width;
  if (down) {
    const [from, to] = back ? [[x1 + width, y1 + height / 2], [x2 + width, y2 + height / 2]] : [[x1 + width / 2, y1 + height], [x2 + width / 2, y2]];
    const bend = Math.max(24, Math.abs(to[1] - from[1]) / 2);
    return back ? [from, [from[0] + 60, from[1]], [to[0] + 60, to[1]], to] : [from, [from[0], from[1] + bend], [to[0], to[1] - bend], to];
  }
  const [from, to] = back ? [[x1 + width / 2, y1 + height], [x2 + width / 2, y2 + height]] : [[x1 + width, y1 + height / 2], [x2, y2 + height / 2]];
  const bend = Math.max(30, Math.abs(to[0] - from[0]) / 2);
  return back ? [from, [from[0], from[1] + 60], [to[0], to[1] + 60], to] : [from, [from[0] + bend, from[1]], [to[0] - bend, to[1]], to];
}

const middle = ([a, b, c, d]) => [0, 1].map((i) => (a[i] + 3 * b[i] + 3 * c[i] + d[i]) / 8);

function arrow(ctx, [, , from, to]) {
  const angle = Math.atan2(to[1] - from[1], to[0] - from[0]);
  ctx.beginPath();
  ctx.moveTo(...to);
  for (const side of [-0.45, 0.45]) ctx.lineTo(to[0] - ARROW * 1.6 * Math.cos(angle + side), to[1] - ARROW * 1.6 * Math.sin(angle + side));
  ctx.closePath();
  ctx.fill();
}

function label(ctx, text, [x, y], paint) {
  const wide = ctx.measureText(text).width + 8;
  ctx.fillStyle = paint.bg;
  ctx.fillRect(x - wide / 2, y - 8, wide, 16);
  ctx.fillStyle = paint.ink;
  ctx.fillText(text, x, y);
}

const COLOURS = { bad: "err", worse: "warn", new: "accent" };
const DASHES = { new: [6, 4], gone: [2, 4] };
/** What a call looks like: of the words that are said of it the first that a table has. */
const first = (table, { look }) => table[Object.keys(table).find((word) => look.includes(word))];

/** Draw all calls. `lit` says of a call whether it is looked at, null when none is; `says` what is written on it; those that did not decide where nodes stand are faint. */
export function draw(canvas, { edges, curves, view, scale, lit, says, deciding }) {
  const ratio = devicePixelRatio || 1;
  const [wide, high] = [Math.round(view.clientWidth * ratio), Math.round(view.clientHeight * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  canvas.style.width = `${view.clientWidth}px`;
  canvas.style.height = `${view.clientHeight}px`;
  const ctx = canvas.getContext("2d");
  const paint = colours();
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, wide, high);
  ctx.setTransform(ratio * scale, 0, 0, ratio * scale, -view.scrollLeft * ratio, -view.scrollTop * ratio);
  ctx.font = paint.font;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  edges.forEach((edge, i) => {
    const on = lit?.(edge);
    const colour = paint[first(COLOURS, edge) ?? (on ? "accent" : "edge")];
    ctx.strokeStyle = ctx.fillStyle = lit && !on ? faint(colour, 16) : on || deciding.has(edge) || edge.look ? colour : faint(colour, 40);
    ctx.lineWidth = thickness(edge);
    ctx.setLineDash(first(DASHES, edge) ?? []);
    const [from, one, other, to] = curves[i];
    ctx.beginPath();
    ctx.moveTo(...from);
    ctx.bezierCurveTo(...one, ...other, ...to);
    ctx.stroke();
    ctx.setLineDash([]);
    arrow(ctx, curves[i]);
  });
  if (!lit) return;
  edges.forEach((edge, i) => { if (lit(edge)) label(ctx, says(edge), middle(curves[i]), paint); });
}
