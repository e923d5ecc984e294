// The form of a check and the check that it says, in the keys of docs/health-checks.md.

const lines = (text) => text.split("\n").map((one) => one.trim()).filter(Boolean);

const pairs = (text) => Object.fromEntries(lines(text).map((one) => { const at = one.indexOf(":"); return at < 0 ? [one, ""] : [one.slice(0, at).trim(), one.slice(at + 1).trim()]; }));

/** What a field says; undefined for what is left to the default. */
function valueOf(field) {
  if (field.dataset.sort === "flag") return field.checked === (field.dataset.usual === "true") ? undefined : field.checked;
  const text = field.value.trim();
  if (!text) return undefined;
  if (field.dataset.sort === "lines") return lines(text);
  return field.dataset.sort === "pairs" ? pairs(text) : text;
}

/** Put a value at its key, `http.url`; nothing takes the key away. */
function put(target, key, value) {
  const [first, ...rest] = key.split(".");
  if (rest.length) put((target[first] ??= {}), rest.join("."), value);
  else if (value === undefined) delete target[first];
  else target[first] = value;
}

/** The check that a form says; keys that have no field stay as they were in `before`. */
export function checkOf(form, before = {}) {
  const check = structuredClone(before);
  const kinds = [...form.querySelectorAll("fieldset[data-kind]")].map((one) => one.dataset.kind);
  const kind = form.querySelector("fieldset[data-kind]:not([disabled])").dataset.kind;
  for (const other of kinds) if (other !== kind) delete check[other];
  check[kind] ??= {};
  for (const field of form.querySelectorAll("[data-sort]")) if (!field.matches(":disabled")) put(check, field.name, valueOf(field));
  return check;
}

/** The field of an error of the API, which names it as `check.http.url` or `http.url`; null where it names none. */
export function fieldOf(form, error) {
  const name = String(error?.field ?? "").replace(/^check\./, "").replace(/\[.*$/, "");
  const field = name && form.elements.namedItem(name);
  return field instanceof HTMLElement && !field.matches(":disabled") ? field : null;
}

/** Mark what is wrong at a field; without one, nothing is. */
export function mark(form, field) {
  for (const one of form.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
  if (!field) return;
  field.setAttribute("aria-invalid", "true");
  field.closest("details")?.setAttribute("open", "");
  field.focus();
}
