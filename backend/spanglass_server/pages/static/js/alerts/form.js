// The form of a rule and the rule that it says, in the keys of docs/alert-rules.md.

const TEXTS = ["name", "condition", "severity", "for", "keep_firing_for", "interval", "delay", "window", "no_data", "title", "description", "runbook", "owner"];
const NUMBERS = ["warning", "error", "critical", "recovery", "min_samples"];
const LISTS = ["channels", "responses", "by"];
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
  return rule;
}

const FACTORS = { "%": 0.01, ns: 1e-9, us: 1e-6, "µs": 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86400, w: 604800, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3, tib: 1024 ** 4, "/s": 1 };

/** A threshold in base units: null for an empty field, NaN for what is no number. */
export function baseNumber(text) {
  if (!text.trim()) return null;
  const found = /^(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*(.*)$/i.exec(text.trim());
  const unit = found?.[2] ?? "";
  const factor = unit ? FACTORS[unit] ?? FACTORS[unit.toLowerCase()] : 1;
  return found && factor !== undefined ? Number((Number(found[1]) * factor).toPrecision(12)) : NaN;
}

/** The field of an error of the API, which names it as `rule.condition` or `condition`; null where it names none. */
export const fieldOf = (form, error) => form.elements.namedItem(String(error?.field ?? "").split(".").pop() || "-");

/** Mark what is wrong at a field, beside others or alone; without one, nothing is. */
export function mark(form, field, beside = false) {
  if (!beside) for (const one of form.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
  if (!field) return;
  field.setAttribute("aria-invalid", "true");
  field.closest("details")?.setAttribute("open", "");
}

/** The level that the condition has as written needs no number of its own. */
export function followSeverity(form) {
  const severity = form.elements.namedItem("severity");
  const show = () => { for (const row of form.querySelectorAll(".level[data-level]")) row.querySelector("input").placeholder = row.dataset.level === severity.value ? "as written" : "none"; };
  severity.addEventListener("change", show);
  show();
}
