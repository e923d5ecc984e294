// What a rule that is being written says now: the value of each key, the worst first.

import { h } from "../dom.js";
import { grouped } from "../time.js";
import { badge, keyName, value } from "./words.js";
import { thresholdText } from "./frames.js";

const SHOWN = 8;

const count = (number, one, several) => `${grouped(number)} ${number === 1 ? one : several}`;

/** The sentence above the keys. */
function sentence({ keys, keys_left_out: more, crossing, thresholds, unit }) {
  const all = keys.length + more;
  if (!all) return "Nothing that it reads came in lately: no key has a value.";
  const against = thresholds.length ? ` (${thresholds.map((one) => thresholdText(one, unit)).join(", ")})` : "";
  if (!crossing) return `${all === 1 ? "It does not hold" : `None of ${grouped(all)} keys holds`}${against}.`;
  return `${all === 1 ? "It holds now" : `${grouped(crossing)} of ${count(all, "key", "keys")} ${crossing === 1 ? "holds" : "hold"} now`}${against}.`;
}

/** Show a preview of the API. */
export function showNow(says, place, preview) {
  says.replaceChildren([sentence(preview), ...preview.warnings].join(" "));
  const rows = preview.keys.slice(0, SHOWN).map(({ labels, value: number, severity }) => h("tr", {}, h("td", { class: "w" }, keyName(labels)), h("td", { class: "n strong" }, value(number, preview.unit)), h("td", {}, badge(severity))));
  const left = preview.keys_left_out + preview.keys.length - rows.length;
  place.replaceChildren(...(rows.length ? [h("table", { class: "tbl" }, h("thead", { class: "vh" }, h("tr", {}, ...["Key", "Value", "Level"].map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, ...rows))] : []), ...(left > 0 ? [h("p", { class: "note" }, `and ${count(left, "more key", "more keys")}`)] : []));
}
