// Live refresh: panels load again and again while the page is seen, unless the reader pauses it.

const LEAST = 1000; // ms

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
