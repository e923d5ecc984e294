// Rows of a long list: those near the window are in the page, between two fillers as high as all the others.

import { s } from "./dom.js";

const SPARE = 24; // rows kept above and below the window

export class NearRows {
  /** `make` returns the element of a row by its place, `wrap` what a filler's SVG stands in. */
  constructor(body, make, wrap = (svg) => svg) {
    Object.assign(this, { body, make, wrap, drawn: new Map(), from: null });
  }

  /** Have all rows drawn anew by the next `draw`. */
  forget() {
    this.from = null;
  }

  /** Look where the window is among `count` rows of a height; whether rows are missing in the page. */
  isMissing(height, count) {
    const top = Math.max(0, -this.body.getBoundingClientRect().top) / height;
    const from = Math.max(0, Math.min(Math.floor(top) - SPARE, count - 1));
    const to = Math.min(count, Math.ceil(top + innerHeight / height) + SPARE);
    this.wanted = { from, to, above: from * height, below: (count - to) * height };
    if (this.from === null) return true;
    const isNear = Math.abs(from - this.from) < SPARE / 2 && (from > 0 || this.from === 0);
    return !isNear || !(to <= this.to || (to < count && to - this.to < SPARE / 2));
  }

  /** Draw the rows that were missing; those that are there and stay are kept. */
  draw() {
    const { from, to, above, below } = this.wanted;
    if (this.from === null) this.clear();
    Object.assign(this, { from, to });
    for (const [i, element] of this.drawn) {
      if (i >= from && i < to) continue;
      element.remove();
      this.drawn.delete(i);
    }
    this.add(from, to);
    this.above.setAttribute("height", above);
    this.below.setAttribute("height", below);
  }

  clear() {
    this.drawn.clear();
    [this.above, this.below] = [0, 1].map(() => s("svg", { width: 1, height: 0, "aria-hidden": "true" }));
    this.fillers = [this.wrap(this.above), this.wrap(this.below)];
    this.body.replaceChildren(...this.fillers);
  }

  add(from, to) {
    const first = Math.min(...this.drawn.keys());
    const [before, after] = [[], []];
    for (let i = from; i < to; i += 1) {
      if (this.drawn.has(i)) continue;
      const element = this.make(i);
      this.drawn.set(i, element);
      (i < first ? before : after).push(element);
    }
    this.fillers[0].after(...before);
    this.fillers[1].before(...after);
  }
}
