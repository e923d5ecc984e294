// What a rule would have done: figures, the chart with firing times, quieter rules, and each time that it fired.

import { Chart } from "../charts/chart.js";
import { momentText } from "../charts/moment.js";
import { h, icon } from "../dom.js";
import { durationText, grouped } from "../time.js";
import { bandsOf, frameOf, linesOf, seconds, thresholdText } from "./frames.js";
import { badge, keyName, level, value } from "./words.js";

const MOST_FIRES = 20;

const figure = (name, number, says = "") => h("div", { class: "fig" }, h("dt", {}, name), h("dd", {}, number, says && h("small", {}, ` ${says}`)));
const times = (number) => (number === 1 ? "time" : "times");

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor(sorted.length / 2)] : null;
}

function figures({ totals, keys }) {
  const held = keys.flatMap(({ fired }) => fired).map((one) => seconds(one.fired_time) - seconds(one.pending_time));
  return [
    figure("Would have fired", grouped(totals.fires), times(totals.fires)),
    totals.pending_only ? figure("Held, but not long enough", grouped(totals.pending_only), times(totals.pending_only)) : null,
    totals.fires ? figure("Time firing", durationText(totals.firing_ns)) : null,
    totals.fires ? figure("Longest", durationText(totals.longest_ns)) : null,
    held.length && median(held) > 0 ? figure("Fired after", durationText(median(held) * 1e9), "median") : null,
    totals.firing_at_end ? figure("Fires now", grouped(totals.firing_at_end)) : null,
    figure("Keys", grouped(totals.keys)),
  ].filter(Boolean);
}

const missedText = (missed, unit) => missed.slice(0, 2).map((one) => `${keyName(one.labels)} at ${momentText(seconds(one.fired_time))}, ${durationText(one.firing_ns)}${one.peak === null ? "" : `, worst ${value(one.peak, unit)}`}`).join("; ");

const CHANGED = { for: "firing after ", keep_firing_for: "keeping on firing for " };
const changeText = ({ what, text }) => (what in CHANGED ? CHANGED[what] + text.replace(/^.*?(?=\d)/, "") : text);

/** A quieter rule in a sentence, with a button that takes it. */
function suggestion(one, { totals, unit }, take) {
  const words = changeText(one);
  const rest = one.missed_count > 2 ? ` and ${grouped(one.missed_count - 2)} more` : "";
  const missed = one.missed_count ? ` It would have missed ${one.missed_count === 1 ? "one" : grouped(one.missed_count)}: ${missedText(one.missed, unit)}${rest}.` : " It would have missed none of them.";
  const button = h("button", { class: "btn", type: "button" }, `Try ${words}`);
  button.addEventListener("click", () => take(one));
  return h("div", { class: "hint quieter", "data-what": one.what }, icon("bulb"), h("p", {}, "With ", h("b", { class: "strong" }, words), ` it would have fired ${grouped(one.fires)} instead of ${grouped(totals.fires)} ${times(totals.fires)}.${missed}`), button);
}

function fires({ keys, unit }) {
  const all = keys.flatMap(({ labels, fired }) => fired.map((one) => ({ ...one, labels }))).sort((a, b) => seconds(b.fired_time) - seconds(a.fired_time));
  if (!all.length) return [];
  const rows = all.slice(0, MOST_FIRES).map((one) => h("tr", {}, h("td", { class: "nums" }, momentText(seconds(one.fired_time))), h("td", {}, badge(one.severity)), h("td", { class: "w full" }, keyName(one.labels)), h("td", { class: "n" }, durationText(one.firing_ns), one.resolved_time ? "" : ", on"), h("td", { class: "n strong" }, value(one.peak, unit))));
  const head = [["Fired", ""], ["Level", ""], ["Key", "w"], ["Lasted", "n"], ["Worst", "n"]].map(([name, css]) => h("th", { scope: "col", class: css }, name));
  return [h("table", { class: "tbl stack" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)), all.length > rows.length && h("p", { class: "note" }, `the newest ${MOST_FIRES} of ${grouped(all.length)}`)].filter(Boolean);
}

export class BacktestView {
  constructor(section, take) {
    Object.assign(this, { section, take });
    this.at = (id) => section.querySelector(`#${id}`);
  }

  waiting(isOn) {
    this.at("testing").hidden = !isOn;
    this.section.setAttribute("aria-busy", String(isOn));
  }

  /** Show an answer of the API, and how long it took in milliseconds. */
  show(answer, tookMs) {
    const { series, thresholds, unit, complete, window, warnings, suggestions, totals } = answer;
    this.at("took").replaceChildren(`computed in ${durationText(tookMs * 1e6)}${complete ? "" : `, up to ${momentText(seconds(answer.evaluated.end_time))} of ${momentText(seconds(window.end_time))}`}`);
    this.at("figures").replaceChildren(...figures(answer));
    this.draw(answer, series, unit);
    this.at("limits").replaceChildren(...thresholds.map((one) => h("span", {}, h("i", { class: level(one.severity)[0] || "p" }), thresholdText(one, unit))), ...warnings.map((text) => h("span", { class: "dim" }, text)));
    const quieter = totals.fires > 1 ? suggestions.map((one) => suggestion(one, answer, this.take)) : [];
    this.at("quieter").replaceChildren(...quieter);
    this.at("fires").replaceChildren(...fires(answer));
  }

  draw(answer, series, unit) {
    if (!series.some(({ values }) => values.some((one) => one !== null))) return this.none("No key had a value in this time.");
    const look = { label: "What the rule looked at", kind: "line", unit, thresholds: linesOf(answer), legend: series.length > 1 ? "list" : "none", zoom: () => null };
    if (!this.chart) {
      this.chart = new Chart(this.at("course").appendChild(h("div", { "data-h": "tall" })), look);
    } else this.chart.change(look);
    this.chart.element.hidden = false;
    this.at("course").querySelector("p")?.remove();
    this.chart.show({ frame: frameOf(answer), annotations: bandsOf(answer) });
  }

  none(text) {
    if (this.chart) this.chart.element.hidden = true;
    this.at("course").querySelector("p")?.remove();
    this.at("course").append(h("p", { class: "note" }, text));
  }

  /** Nothing can be shown: why. */
  clear(text) {
    for (const id of ["took", "figures", "limits", "quieter", "fires"]) this.at(id).replaceChildren();
    this.none(text);
  }
}
