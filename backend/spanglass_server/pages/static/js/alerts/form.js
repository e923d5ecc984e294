// The form of a rule and the rule that it says, in the keys of docs/alert-rules.md.

const TEXTS = ["name", "condition", "severity", "for", "keep_firing_for", "interval", "delay", "window", "no_data", "title", "description", "runbook", "owner"];
const NUMBERS = ["warning", "error", "critical", "recovery", "min_samples"];
const LISTS = ["channels", "by"];
const DEFAULTS = { severity: "warning", no_data: "keep" };

/** A number, or, with a unit behind it, the text as it stands: the server reads those. */
const number = (text) => (/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : text);

const list = (text) => text.split(",").map((one) => one.trim()).filter(Boolean);

function pairs(text) {
  return Object.fromEntries(list(text).map((pair) => { const at = pair.indexOf("="); return at < 0 ? [pair, ""] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim().replace(/^"(.*)"$/, "$1")]; }));
}

/** The rule that a form says; keys that have no field stay as they were in `before`, and empty fields are left out. */
export function ruleOf(form, before = {}) {
  const rule = { ...before };
  const put = (key, value) => { if (value === "" || value === undefined || value?.length === 0) delete rule[key]; else rule[key] = value; };
  const text = (key) => form.elements.namedItem(key)?.value.trim() ?? "";
  for (const key of TEXTS) put(key, text(key) === DEFAULTS[key] && !(key in before) ? "" : text(key));
  for (const key of NUMBERS) put(key, text(key) === "" ? "" : number(text(key)));
  for (const key of LISTS) put(key, list(text(key)));
  const labels = pairs(text("labels"));
  if (Object.keys(labels).length) rule.labels = labels;
  else delete rule.labels;
  delete rule[rule.severity ?? DEFAULTS.severity]; // that level is the condition as it is written
  return rule;
}

/** The field of an error of the API, which names it as `rule.condition` or `condition`; null where it names none. */
export const fieldOf = (form, error) => form.elements.namedItem(String(error?.field ?? "").split(".").pop() || "-");

/** Mark what is wrong at a field; without one, nothing is. */
export function mark(form, field) {
  for (const one of form.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
  if (!field) return;
  field.setAttribute("aria-invalid", "true");
  field.closest("details")?.setAttribute("open", "");
}

/** The level that stands in the condition has no number of its own. */
export function followSeverity(form) {
  const severity = form.elements.namedItem("severity");
  const show = () => {
    for (const row of form.querySelectorAll(".level[data-level]")) {
      const input = row.querySelector("input");
      input.disabled = row.dataset.level === severity.value;
      input.placeholder = input.disabled ? "as written" : "none";
    }
  };
  severity.addEventListener("change", show);
  show();
}
