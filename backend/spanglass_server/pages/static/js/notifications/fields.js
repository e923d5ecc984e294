// What fields made from a schema (pages/notifications/fields.py) say, and where an error lies among them.

const list = (text) => text.split(",").map((one) => one.trim()).filter(Boolean);
const pairs = (text) => Object.fromEntries(text.split("\n").filter((line) => line.trim()).map((line) => { const at = line.indexOf(":"); return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()]; }));

const READ = { flag: (text) => text === "true", text: String, long: String, number: Number, list, pairs, json: JSON.parse, secret: String };

function put(into, [first, ...rest], value) {
  if (rest.length) put((into[first] ??= {}), rest, value);
  else into[first] = value;
}

function drop(from, [first, ...rest]) {
  if (!from || typeof from !== "object") return;
  if (!rest.length) { delete from[first]; return; }
  drop(from[first], rest);
  if (from[first] && typeof from[first] === "object" && !Object.keys(from[first]).length) delete from[first];
}

/**
 * The object that a form says; keys without a field stay as in `before`, empty fields are left out, and a secret that
 * is left empty stays the one that is kept. Throws a SyntaxError with its `field` for text that is no JSON.
 */
export function valueOf(form, before = {}) {
  const value = structuredClone(before);
  for (const field of form.querySelectorAll("[data-sort]")) {
    const { sort } = field.dataset;
    const path = field.name.split(".");
    const text = field.value.trim();
    if (!text) { if (!("kept" in field.dataset)) drop(value, path); continue; }
    try {
      put(value, path, READ[sort](sort === "long" || sort === "secret" ? field.value : text));
    } catch (error) {
      throw Object.assign(new SyntaxError(`This is no JSON: ${error.message}`), { field });
    }
  }
  return value;
}

/** The field that an error of the API names, as `channel.limit.per`, `to[0]` or `to`; null where it names none. */
export function fieldAt(form, path) {
  const plain = String(path ?? "").replaceAll(/\[\d+\]/g, "");
  const parts = plain.split(".");
  for (let from = 0; from < parts.length; from += 1) {
    const found = form.elements.namedItem(parts.slice(from).join("."));
    if (found) return found;
  }
  return form.elements.namedItem(parts[0]);
}
