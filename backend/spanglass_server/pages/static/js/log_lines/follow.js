// Following logs: new lines come in on top, a slice in each frame; while the reader reads or has paused, they wait.
// However many arrive, an answer has the newest that fit into the page, and says how many are left out.

import { ApiError, ask } from "../api.js";
import { h, icon } from "../dom.js";
import { remember } from "../go.js";
import { logRow } from "../logs.js";
import { grouped } from "../time.js";

const PERIOD = 2000, SHORTEST = 500; // ms between two questions: when little comes, and when much does
const MANY = 100; // lines of an answer after which the next question comes sooner
const FIT = 300; // lines of an answer: 600 a second take half of a slow core to draw, and nobody reads as many
const MOST_LINES = 500; // kept in the page, and as many that wait
const TOP = 40; // px of the page above which the newest lines are seen; asked at each scroll, as it costs a layout
const SLICE = 12; // ms of drawing in a frame, so that the page stays quick to scroll
const AT_ONCE = 20; // lines drawn between two looks at the clock

/** Lines that wait to be drawn, the oldest first, with gaps `{ leftOut }` where lines are missing. */
class Waiting {
  constructor() { this.parts = []; }

  get count() { return this.parts.reduce((sum, part) => sum + (part.leftOut ?? 1), 0); }

  add(lines, leftOut) {
    if (leftOut) this.parts.push({ leftOut });
    this.parts.push(...lines);
    const dropped = this.parts.splice(0, Math.max(0, this.parts.length - MOST_LINES)).reduce((sum, part) => sum + (part.leftOut ?? 1), 0);
    if (dropped) this.parts.unshift({ leftOut: dropped });
  }

  take(count) { return this.parts.splice(0, count); }
}

const gapRow = ({ leftOut }) => h("p", { class: "log-gap" }, `${grouped(leftOut)} ${leftOut === 1 ? "line" : "lines"} left out: more came than fit. A filter leaves fewer.`);

/** What the server refuses (a filter, a token that has run out) it refuses again; failures and haste pass. */
const isRefusal = (error) => error instanceof ApiError && error.status >= 400 && error.status < 500 && ![408, 429].includes(error.status);
const refusalRow = ({ message, error }) => h("p", { class: "err", id: "not-followed", role: "alert" }, `Following has stopped: ${message}. ${error.hint ?? ""}`);

class Follower {
  constructor(button, hold, log) {
    Object.assign(this, { button, hold, log, waiting: new Waiting(), on: false, held: false, after: button.dataset.after });
    button.addEventListener("click", () => this.click());
    hold.addEventListener("click", () => { this.held = true; this.label(); button.focus(); });
    this.away = scrollY > TOP;
    addEventListener("scroll", () => { this.away = scrollY > TOP; this.draw(); }, { passive: true });
    log.addEventListener("focusout", () => this.draw());
    document.addEventListener("visibilitychange", () => { if (this.on && !document.hidden) this.poll(); });
    if (new URLSearchParams(location.search).get("follow")) this.set(true);
  }

  /** The reader is busy: below the top, with a line open or under the keyboard, or with a part selected. */
  get busy() {
    const chosen = getSelection();
    return this.away || this.log.querySelector(".log-r[open], :focus-visible") !== null || (String(chosen) !== "" && this.log.contains(chosen.anchorNode));
  }

  get paused() {
    return this.on && (this.held || (this.waiting.count > 0 && this.busy));
  }

  click() {
    if (!this.paused) return this.set(!this.on);
    this.held = false;
    for (const row of this.log.querySelectorAll(".log-r[open]")) row.open = false;
    if (this.log.contains(getSelection().anchorNode)) getSelection().empty();
    scrollTo({ top: 0 });
    this.away = false;
    this.draw();
  }

  set(on) {
    this.on = on;
    document.getElementById("not-followed")?.remove();
    this.held = false;
    this.button.setAttribute("aria-pressed", String(on));
    remember({ follow: on ? "1" : null });
    this.label();
    clearTimeout(this.timer);
    if (on) this.poll();
  }

  async poll() {
    clearTimeout(this.timer);
    if (document.hidden || !this.on || this.asking) return;
    this.asking = true;
    let came = 0;
    try {
      const { filter, columns } = this.button.dataset;
      const answer = await ask("logs", { after: this.after, filter, columns, limit: FIT, backlog: "newest" });
      if (this.on) { // else it is asked for again when the reader follows again
        this.after = answer.newest_cursor ?? this.after;
        this.waiting.add(answer.logs, answer.left_out ?? 0);
      }
      this.failed = false;
      came = answer.logs.length;
    } catch (error) {
      this.failed = true;
      if (this.on && isRefusal(error)) {
        this.set(false);
        this.log.before(refusalRow(error));
      }
    }
    this.asking = false;
    this.draw();
    if (this.on) this.timer = setTimeout(() => this.poll(), came < MANY ? PERIOD : SHORTEST);
  }

  /** Draw what waits, in this frame and the next ones, until the reader is busy. */
  draw() {
    this.label();
    if (this.frame || !this.waiting.parts.length || this.held || this.busy) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.slice();
      this.draw();
    });
  }

  slice() {
    if (this.held || this.busy) return;
    const until = performance.now() + SLICE;
    const rows = [];
    while (this.waiting.parts.length && performance.now() < until) {
      rows.push(...this.waiting.take(AT_ONCE).map((part) => (part.leftOut ? gapRow(part) : logRow(part))));
    }
    this.log.prepend(...rows.reverse());
    document.getElementById("nothing")?.remove();
    while (this.log.children.length > MOST_LINES) this.log.lastElementChild.remove();
  }

  label() {
    const { on, paused, failed } = this;
    const text = paused ? `Paused, ${grouped(this.waiting.count)} new` : failed && on ? "No answer, trying again" : on ? "Following" : "Follow";
    this.hold.hidden = !on || paused;
    if (text === this.text) return; // the button is pressed between two frames
    this.text = text;
    this.button.classList.toggle("live", !paused);
    this.button.replaceChildren(...(paused ? [icon("pause"), text, h("span", { class: "vh" }, ", follow again")] : [text]));
  }
}

export function start() {
  const button = document.getElementById("follow");
  if (button) new Follower(button, document.getElementById("hold"), document.getElementById("log"));
}
