// Moving and resizing panels: by their grips with arrow keys, by dragging, and by items of their menus.

import { h, s } from "../../dom.js";
import { put } from "../grid.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const NONE = -1;
const BUTTONS = [["Move left", [-1, 0], false], ["Move right", [1, 0], false], ["Move up", [0, -1], false], ["Move down", [0, 1], false], ["Wider", [1, 0], true], ["Narrower", [-1, 0], true], ["Taller", [0, 1], true], ["Lower", [0, -1], true]];

const dots = () => s("svg", { class: "i grip", "aria-hidden": "true", viewBox: "0 0 16 16" }, [4, 8, 12].flatMap((y) => [6, 10].map((x) => s("circle", { cx: x, cy: y, r: 1 }))));

export class Movers {
  constructor(editing) {
    this.editing = editing;
    this.grips = new Map();
    this.live = h("output", { class: "vh", "aria-live": "polite" });
    document.querySelector("main").append(this.live);
  }

  get board() {
    return this.editing.board;
  }

  gripOf(id) {
    return this.grips.get(id)?.grip;
  }

  start() {
    this.renew();
  }

  stop() {
    for (const { grip, corner } of this.grips.values()) { grip.remove(); corner.remove(); }
    this.grips.clear();
  }

  /** Every panel has a grip before its title and a corner. */
  renew() {
    for (const [id, { grip, corner }] of this.grips) if (!this.board.panels.has(id)) { grip.remove(); corner.remove(); this.grips.delete(id); }
    for (const [id, panel] of this.board.panels) {
      const title = panel.definition.title || panel.definition.type;
      if (!this.grips.has(id)) this.equip(id, panel);
      this.gripOf(id).setAttribute("aria-label", `${title}: arrow keys move it, with shift they resize it, Enter edits it`);
    }
  }

  equip(id, panel) {
    const grip = h("button", { type: "button", class: "p-grip" }, dots());
    const corner = h("span", { class: "p-corner", "aria-hidden": "true" });
    grip.addEventListener("keydown", (event) => this.key(event, id));
    grip.addEventListener("dblclick", () => this.editing.edit(panel.definition));
    panel.element.querySelector("header").prepend(grip);
    panel.element.append(corner);
    this.grips.set(id, { grip, corner });
    this.drag(grip, id, (place, by) => ({ ...place, x: place.x + by[0], y: place.y + by[1] }));
    this.drag(corner, id, (place, by) => ({ ...place, w: Math.max(1, place.w + by[0]), h: Math.max(1, place.h + by[1]) }));
  }

  key(event, id) {
    const by = ARROWS[event.key];
    if (by && !event.ctrlKey && !event.metaKey && !event.altKey) this.step(id, by, event.shiftKey);
    else if (event.key === "Enter" || event.key === "e") this.editing.edit(this.board.panels.get(id).definition);
    else if (event.key === "Delete" || event.key === "Backspace") this.editing.delete(id);
    else if (event.key === "d") this.editing.duplicate(id);
    else if (event.key === "z") this.editing.undo();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Move or resize a panel by one, and say where it is. */
  step(id, [x, y], resize) {
    const place = this.board.places.get(id);
    const wanted = resize ? { ...place, w: place.w + x, h: place.h + y } : { ...place, x: place.x + x, y: y ? this.next(id, place, y) : place.y };
    if (wanted.x < 0 || wanted.y < 0 || wanted.w < 1 || wanted.h < 1 || wanted.x + wanted.w > 12) return this.say(id, "It goes no further");
    this.editing.change((draft, places) => put(places, id, wanted));
    this.gripOf(id).focus();
    this.board.panels.get(id).element.scrollIntoView({ block: "nearest" });
    return this.say(id);
  }

  /** Up or down a panel goes past the next one; where there is none, by a row, as far as there are rows. */
  next(id, place, by) {
    const others = [...this.board.places].filter(([other]) => other !== id).map(([, at]) => at);
    const beside = others.filter((at) => at.x < place.x + place.w && place.x < at.x + at.w);
    if (by < 0) {
      const above = beside.filter((at) => at.y + at.h <= place.y).sort((a, b) => b.y + b.h - a.y - a.h)[0];
      return above && above.y + above.h === place.y ? above.y : place.y - 1;
    }
    const below = beside.filter((at) => at.y >= place.y + place.h).sort((a, b) => a.y - b.y)[0];
    if (below && below.y === place.y + place.h) return below.y + below.h - place.h;
    const last = Math.max(0, ...others.map((at) => at.y + at.h));
    return place.y + place.h < last ? place.y + 1 : NONE;
  }

  say(id, before = "") {
    const { x, y, w, h: height } = this.board.places.get(id);
    this.live.textContent = `${before ? `${before}: ` : ""}column ${x + 1}, row ${y + 1}, ${w} wide, ${height} high`;
  }

  items(id) {
    return BUTTONS.map(([text, by, resize]) => [text, () => this.step(id, by, resize)]);
  }

  leave() {
    if (!document.activeElement?.matches(".p-grip")) return false;
    document.activeElement.blur();
    return true;
  }

  /** Dragging shows a ghost where the panel would go, and moves it when it is let go. */
  drag(handle, id, placed) {
    handle.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      handle.focus?.();
      handle.setPointerCapture(event.pointerId);
      const { element } = this.board;
      const ghost = h("div", { class: "p-ghost" });
      const from = [event.clientX, event.clientY + scrollY];
      const before = this.board.places.get(id);
      const style = getComputedStyle(element);
      const cell = [(element.clientWidth + parseFloat(style.columnGap)) / 12, parseFloat(style.gridAutoRows) + parseFloat(style.rowGap)];
      let wanted = before;
      const move = ({ clientX, clientY }) => {
        const by = [Math.round((clientX - from[0]) / cell[0]), Math.round((clientY + scrollY - from[1]) / cell[1])];
        const place = placed(before, by);
        wanted = { x: Math.max(0, Math.min(12 - place.w, place.x)), y: Math.max(0, place.y), w: Math.min(12 - before.x, place.w), h: place.h };
        if (!ghost.isConnected) element.append(ghost);
        for (const [name, value] of Object.entries(wanted)) ghost.style.setProperty(`--${name}`, value);
      };
      const done = (drop) => () => {
        handle.removeEventListener("pointermove", move);
        ghost.remove();
        controller.abort();
        if (drop && JSON.stringify(wanted) !== JSON.stringify(before)) {
          this.editing.change((draft, places) => put(places, id, wanted));
          this.say(id);
        }
      };
      const controller = new AbortController();
      handle.addEventListener("pointermove", move);
      handle.addEventListener("pointerup", done(true), { signal: controller.signal });
      handle.addEventListener("pointercancel", done(false), { signal: controller.signal });
    });
  }
}
