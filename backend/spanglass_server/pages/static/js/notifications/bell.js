// The bell of every page: what is open now, the newest first, what came since this browser last looked, and, when the
// reader asks for it, a notification of the browser for each alert that is new.

import { ask } from "../api.js";
import { h, icon } from "../dom.js";
import { grouped, parseMs } from "../time.js";
import { level } from "../alerts/words.js";

const PERIOD = 10_000; // ms between two looks
const SHOWN = 8; // alerts in the list
const MOST_SHOUTED = 3; // more at once are one notification
const SEEN = "spanglass.bell.seen"; // up to when this browser has looked, in ms
const WANTED = "spanglass.bell.notify";
const TOLD = "spanglass.bell.told"; // up to when alerts were notifications of this browser: one of its tabs shows each

const at = (id) => document.getElementById(id);
const created = (alert) => parseMs(alert.created_at);

const stored = (key) => {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return ""; // storage is forbidden: nothing is remembered
  }
};

const store = (key, value) => {
  try {
    localStorage.setItem(key, value);
  } catch { /* as above */ }
};

function ago(ms) {
  const [size, unit] = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "min"], [1000, "s"]].find(([least]) => ms >= least) ?? [1, ""];
  return unit ? `${grouped(Math.floor(ms / size))}\u202f${unit} ago` : "now";
}

const line = (alert, now, seen) => {
  const [css, name, word] = level(alert.severity);
  return h("li", { class: created(alert) > seen ? "fresh" : "" },
    h("p", {}, icon(name, css), h("a", { href: `/alerts/${encodeURIComponent(alert.id)}` }, h("b", {}, alert.title.slice(0, 160))), h("span", { class: "vh" }, `, ${word}`), created(alert) > seen && h("span", { class: "badge on" }, "new")),
    h("span", { class: "note" }, alert.status === "acknowledged" ? "acknowledged, " : "", ago(Math.max(0, now - created(alert)))));
};

class Bell {
  constructor(root) {
    this.root = root;
    this.count = root.querySelector(".count");
    this.version = null;
    if (!stored(SEEN)) store(SEEN, String(Date.now()));
    root.addEventListener("toggle", () => (root.open ? this.opened() : this.closed()));
    root.addEventListener("keydown", (event) => { if (event.key === "Escape" && root.open) { root.open = false; root.querySelector("summary").focus(); event.preventDefault(); } });
    document.addEventListener("click", ({ target }) => { if (!root.contains(target)) root.open = false; });
    this.asking();
    this.next();
  }

  async next() {
    if (!document.hidden || this.wants()) await this.look().catch(() => null); // a server that is away is asked again
    setTimeout(() => this.next(), PERIOD);
  }

  async look() {
    const answer = await ask("notifications/bell", { limit: 20 });
    this.answer = answer;
    if (answer.version !== this.version) {
      this.version = answer.version;
      this.shout(answer.alerts);
    }
    this.show();
  }

  show() {
    const { open, alerts, failed } = this.answer;
    const seen = Number(stored(SEEN));
    const fresh = alerts.filter((one) => created(one) > seen).length;
    this.count.hidden = !fresh;
    this.count.replaceChildren(String(fresh));
    this.root.querySelector("summary").setAttribute("aria-label", `Alerts: ${open} open${fresh ? `, ${fresh} new` : ""}`);
    if (!this.root.open) return;
    const focused = document.activeElement?.closest?.("#bell-list a")?.getAttribute("href");
    at("bell-says").replaceChildren(open ? `${grouped(open)} open` : "nothing is open", failed ? `, ${grouped(failed)} messages not delivered` : "");
    const lines = alerts.slice(0, SHOWN).map((one) => line(one, Date.now(), this.opening ?? seen));
    at("bell-list").replaceChildren(...(lines.length ? lines : [h("li", {}, h("p", { class: "note" }, "Nothing fires."))]));
    if (focused) at("bell-list").querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  opened() {
    this.opening = Number(stored(SEEN));
    store(SEEN, String(Date.now()));
    if (this.answer) this.show();
    this.look().catch(() => { at("bell-list").replaceChildren(h("li", {}, h("p", { class: "note" }, "They can’t be had now: the server does not answer."))); });
  }

  closed() {
    this.opening = null;
    if (this.answer) this.show();
  }

  wants() {
    return stored(WANTED) === "1" && globalThis.Notification?.permission === "granted";
  }

  /** The button that asks the browser for the permission to notify. */
  asking() {
    const button = at("bell-ask");
    if (!("Notification" in globalThis)) return;
    const name = () => { button.setAttribute("aria-pressed", String(this.wants())); };
    button.hidden = false;
    name();
    button.addEventListener("click", async () => {
      if (this.wants()) store(WANTED, "0");
      else if ((await Notification.requestPermission()) === "granted") { store(WANTED, "1"); store(TOLD, String(Date.now())); }
      else at("bell-says").replaceChildren("The browser does not allow notifications of this site: change that in its settings.");
      name();
    });
  }

  /** A notification of the browser for alerts that came since the last one; only one of several tabs shows it. */
  shout(alerts) {
    if (!this.wants()) return;
    const told = Number(stored(TOLD));
    const fresh = alerts.filter((one) => created(one) > told && one.status === "active");
    if (!fresh.length) return;
    store(TOLD, String(Math.max(...fresh.map(created))));
    if (fresh.length > MOST_SHOUTED) { this.notify(`${fresh.length} new alerts`, fresh.map((one) => one.title).slice(0, 5).join("\n"), "/alerts", "many"); return; }
    for (const one of fresh) this.notify(one.title, level(one.severity)[2], `/alerts/${encodeURIComponent(one.id)}`, one.id);
  }

  notify(title, body, href, tag) {
    const shown = new Notification(title, { body, tag });
    shown.addEventListener("click", () => { focus(); location.assign(href); shown.close(); });
  }
}

export function start() {
  const root = at("bell");
  if (root) new Bell(root);
}
