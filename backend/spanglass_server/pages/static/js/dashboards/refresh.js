// Live refresh: panels load again and again while the page is seen, unless the reader pauses it.

import { h } from "../dom.js";

const LEAST = 1000; // ms
const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds between two loads that a dashboard asks for; as `refresh_s` of pages/dashboards/board.py. */
const secondsOf = (interval) => (interval === "off" ? 0 : Math.max(1, Math.floor([...interval.matchAll(/(\d+)(ms|[smhd])/g)].reduce((sum, [, number, unit]) => sum + number * SECONDS[unit], 0))));

export class Refresh {
  constructor(board) {
    this.board = board;
    this.button = document.getElementById("refreshing");
    this.every = document.getElementById("refresh-every");
    this.paused = new URLSearchParams(location.search).get("live") === "0";
    if (!this.button) return;
    this.button.addEventListener("click", () => this.set(!this.paused));
    this.every?.addEventListener("change", () => { this.keep({ refresh: this.every.value }); this.start(); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.tick(); });
    this.start();
  }

  /** Milliseconds between two loads; 0 for none. */
  get period() {
    const seconds = Number(this.every?.value ?? 0);
    return seconds ? Math.max(LEAST, seconds * 1000) : 0;
  }

  get isOn() {
    return this.board.window.live && this.period > 0 && !this.paused && !this.held;
  }

  set(paused) {
    this.paused = paused;
    this.keep({ live: paused ? "0" : null });
    this.start();
    if (!paused) this.board.load({ live: true });
  }

  /** Load as often as the dashboard says, unless the reader chose otherwise, or is choosing. */
  follow(interval) {
    if (!this.every || document.activeElement === this.every || new URLSearchParams(location.search).has("refresh")) return;
    const seconds = String(secondsOf(interval));
    if (this.every.value === seconds) return;
    if (![...this.every.options].some(({ value }) => value === seconds)) this.every.append(h("option", { value: seconds }, `every ${interval}`));
    this.every.value = seconds;
    this.start();
  }

  /** Editing holds the refresh: what is looked at does not change meanwhile. */
  hold(held) {
    this.held = held;
    this.start();
  }

  keep(changes) {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    history.replaceState(null, "", url);
  }

  start() {
    clearTimeout(this.timer);
    const { live } = this.board.window;
    this.button.disabled = !live || !this.period;
    this.button.setAttribute("aria-pressed", String(this.isOn));
    const text = !live ? "Fixed range" : !this.period ? "No refresh" : this.paused ? "Paused" : "Live";
    if (this.button.textContent !== text) this.button.textContent = text;
    if (this.isOn) this.timer = setTimeout(() => this.tick(), this.period);
  }

  tick() {
    if (!this.isOn) return;
    if (!document.hidden) {
      this.board.load({ live: true });
      this.board.renew();
    }
    this.start();
  }
}
