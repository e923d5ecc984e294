// The filter language as far as an editor needs it: colours while typing, and what can be completed at the caret.
// Whether a filter is right is the server's to say.

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"?|(?:!=|!~|<=|>=|[=<>~:()\[\],-])|\d+(?:\.\d+)?(?:[a-zµ]+|%)?(?![\w.])|[^\s"=<>~!:()\[\],]+|./gu;
const WORDS = new Set(["and", "or", "not", "in", "exists", "contains"]);
const OPERATORS = new Set(["=", "!=", "~", "!~", "<", "<=", ">", ">=", ":"]);

/** The text's tokens: [class, text, start]. */
export function tokens(text) {
  const found = [...text.matchAll(TOKEN)].map((match) => ({ text: match[0], start: match.index }));
  const solid = found.filter((token) => token.text.trim());
  solid.forEach((token, i) => {
    const next = solid[i + 1]?.text ?? "";
    if (token.text.startsWith('"')) token.css = "t-s";
    else if (/^\d/.test(token.text)) token.css = "t-n";
    else if (WORDS.has(token.text.toLowerCase())) token.css = "t-w";
    else if (/^[=<>~!:()[\],-]/.test(token.text)) token.css = "t-o";
    else token.css = OPERATORS.has(next) || ["in", "exists", "not", "contains"].includes(next.toLowerCase()) ? "t-k" : "t-v";
  });
  return found.map(({ css = "", text: part, start }) => [css, part, start]);
}

/** What stands at the caret: a value of a key, an operator after a key, or the beginning of a key. */
export function context(text, caret) {
  const before = text.slice(0, caret);
  const solid = tokens(before).filter(([, part]) => part.trim());
  const last = solid.at(-1);
  const touching = last && last[2] + last[1].length === caret && !OPERATORS.has(last[1]) && !"()[],-".includes(last[1]);
  const partial = touching ? last[1] : "";
  const from = touching ? last[2] : caret;
  const rest = touching ? solid.slice(0, -1) : solid;
  const [key, operator] = rest.slice(-2).map(([, part]) => part);
  if (OPERATORS.has(operator) && key) return { kind: "value", key, partial: partial.replace(/^"|(?<!\\)"$/g, ""), from };
  if (OPERATORS.has(key) && rest.length === 1) return { kind: "none" };
  const previous = rest.at(-1);
  if (previous && !partial && previous[0] === "t-v" && /\s$/.test(before)) return { kind: "operator", from };
  if (partial.startsWith('"') || /^\d/.test(partial)) return { kind: "none" };
  return { kind: "key", partial, from };
}

/** A value as the filter language writes it; a bare word is left bare where the language has a fixed list. */
export function literal(key, value) {
  if (typeof value !== "string" || ["status", "kind", "severity"].includes(key)) return String(value);
  return `"${value.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n")}"`;
}
