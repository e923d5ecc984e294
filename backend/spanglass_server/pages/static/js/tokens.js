// The filter language as far as an editor needs it: colours while typing, and what can be completed at the caret.
// Whether a filter is right is the server's to say.

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|!=|!~|<=|>=|&&|\|\||[=<>~:()!,]|-(?=\S)|[^\s"=<>~!:(),]+|./gsu;
const VALUE = /[^\s()",]+/uy;
const NUMBER = /^-?\d+(\.\d+)?(e\d+)?[a-zµ]*$/iu;
const WORDS = new Set(["and", "or", "not", "in", "exists", "&&", "||"]);
const OPERATORS = new Set(["=", "!=", "~", "!~", "<", "<=", ">", ">=", ":"]);
const FIXED = new Set(["status", "kind", "severity"]); // their values are words of a list

const isQuoted = (text) => /^["']/.test(text);

/** The text's pieces, blanks included: [{ text, start, css }]. A bare value behind an operator is one piece. */
function pieces(text) {
  const found = [];
  let operator = false;
  for (let at = 0; at < text.length; ) {
    VALUE.lastIndex = at;
    TOKEN.lastIndex = at;
    const value = operator && !isQuoted(text[at]) && !OPERATORS.has(text[at]) && VALUE.exec(text);
    const part = value ? value[0] : TOKEN.exec(text)[0];
    const blank = !part.trim();
    found.push({ text: part, start: at, blank, value: Boolean(operator && !blank && !OPERATORS.has(part)) });
    if (!blank) operator = OPERATORS.has(part) && (part !== ":" || found.length > 1);
    at += part.length;
  }
  return found;
}

function css(piece, next) {
  const word = piece.text.toLowerCase();
  if (piece.value) return NUMBER.test(piece.text) ? "t-n" : "t-s";
  if (WORDS.has(word)) return "t-w";
  if (/^[=<>~!:(),-]/.test(piece.text)) return "t-o";
  if (OPERATORS.has(next) || ["in", "exists", "not"].includes(next)) return "t-k";
  return isQuoted(piece.text) ? "t-s" : "t-v";
}

/** The text's tokens to colour: [class, text]; together they are the text. */
export function tokens(text) {
  const found = pieces(text);
  const solid = found.filter((piece) => !piece.blank);
  return found.map((piece) => [piece.blank ? "" : css(piece, (solid[solid.indexOf(piece) + 1]?.text ?? "").toLowerCase()), piece.text]);
}

/** What stands at the caret: a value of a key, an operator after a key, or the beginning of a key. */
export function context(text, caret) {
  const solid = pieces(text.slice(0, caret)).filter((piece) => !piece.blank);
  const last = solid.at(-1);
  const touching = last && last.start + last.text.length === caret && !OPERATORS.has(last.text) && !/^[(),!-]$/.test(last.text);
  const partial = touching ? last.text : "";
  const from = touching ? last.start : caret;
  const rest = touching ? solid.slice(0, -1) : solid;
  const [key, operator] = rest.slice(-2).map((piece) => piece.text);
  if (OPERATORS.has(operator)) return { kind: "value", key: unquoted(key), partial: partial.replace(/^["']/, ""), from };
  const previous = rest.at(-1);
  const isKey = previous && !previous.value && !WORDS.has(previous.text.toLowerCase()) && !/^[(),!-]$/.test(previous.text);
  if (isKey && !partial && !isQuoted(previous.text)) return { kind: "operator", from };
  if (isQuoted(partial) || /^\d/.test(partial)) return { kind: "none" };
  return { kind: "key", partial, from };
}

const quoted = (text) => `"${text.replace(/[\\"]/g, "\\$&")}"`;
const unquoted = (text) => (isQuoted(text) ? text.slice(1, -1).replace(/\\([\\"'])/g, "$1") : text);

/** A key as the filter language writes it. */
export const field = (key) => (/^[^\s()",=<>!~:'-][^\s()",=<>!~:]*$/.test(key) && !WORDS.has(key.toLowerCase()) ? key : quoted(key));

/** A value as the filter language writes it. */
export const literal = (key, value) => (typeof value !== "string" || FIXED.has(key) ? String(value) : quoted(value));
