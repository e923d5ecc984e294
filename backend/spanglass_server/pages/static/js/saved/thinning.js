// The page of costs: what thinning of ordinary traces would save, asked for when the page stands, since it reads spans.

import { ask, send } from "../api.js";
import { sizeParts } from "../charts/units.js";
import { h } from "../dom.js";
import { refusal } from "../issues/actions.js";

const said = document.querySelector("#thinning [role=status]");
const EXAMPLE = { policies: [{ name: "failed", keep: "errors", age: "30d" }, { name: "slow", keep: "slow", slower_than: "p99", age: "30d" }], ordinary: { after: "7d", keep_one_in: 10 } };
const sized = (bytes) => (bytes === null ? "without end" : sizeParts(bytes).join("\u2009"));

async function tell() {
  const { policies, ordinary } = await ask("retention");
  const is = policies.length > 0 || ordinary;
  const { bytes_at_pace: after, bytes_at_pace_before: before, freed } = await send("POST", "retention/preview", is ? { policies, ordinary } : EXAMPLE);
  const share = after !== null && before ? ` (${Math.round(100 * (1 - after / before))} % less)` : "";
  const long = before === null && after === null ? "" : `, and ${sized(after)} in the long run instead of ${sized(before)}${after !== null && after < before ? share : ""}`;
  said.replaceChildren(is
    ? `The policies in force leave spans ${sized(after)} in the long run; without them it would be ${sized(before)}. ${sized(freed.bytes)} are due now.`
    : `Keeping failed and slow traces for 30 days, and one in ten of all others after 7 days, would free ${sized(freed.bytes)}${freed.bytes_error ? ` ± ${sized(freed.bytes_error)}` : ""} of spans at once${long}. Counts, rates and percentiles stay right. `,
  " ", h("a", { href: "/retention" }, "Retention"));
}

try {
  await tell();
} catch (error) {
  said.textContent = refusal(error);
}
document.documentElement.dataset.thinning = "";
