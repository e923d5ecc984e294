// The filter language as far as an editor needs it: colours while typing, and what can be completed at the caret.
// Whether a filter is right is the server's to say.

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|!=|!~|<=|>=|&&|\|\||[=<>~:()!,]|-(?=\S)|[^\s"=<>~!:(),]+|./gsu;
const VALUE = /[^\s()",]+/uy;
const NUMBER = /^-?\d+(\.\d+)?(e\d+)?[a-zµ]*$/iu;
const WORDS = new Set(["and", "or", "not", "in", "exists", "&&", "||"]);
/** Conditions about other spans of a trace: what each says of the span that is looked for, and of which signals. */
export const RELATIONS = [
  ["child", "is right below it", ["spans"]],
  ["descendant", "is below it, however deep", ["spans"]],
  ["parent", "is its parent", ["spans"]],
  ["ancestor", "is above it, however far", ["spans"]],
  ["sibling", "has the same parent", ["spans"]],
  ["root", "is the trace's root", ["spans", "logs"]],
  ["trace", "is anywhere in the trace", ["spans", "logs"]],
];
const RELATION_WORDS = new Set(RELATIONS.map(([word]) => word));
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
  if (next === "(" && RELATION_WORDS.has(word)) return "t-k";
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

/** Names of what every record has, as pages/terms.py: an attribute that is called so is meant in quotes only. */
const FIELDS = new Set(`
  arrival_order body body_type count count_double description dropped_attributes_count dropped_events_count dropped_links_count duration
  duration_ns end_before_start_ns event event.name event_name exemplar.span_id exemplar.trace_id flags is is_monotonic kind
  link.span_id link.trace_id max message metric metric_description metric_metadata metric_name metric_type metric_unit min name negative_offset
  observed_time observed_time_ns operation otel.library.name otel.library.version otel.scope.name otel.scope.version parent.id parent_id
  parent_span_id positive_offset received_time_ns reset_hint resource.schema_url resource_dropped_attributes_count resource_entity_refs
  resource_schema_url root scale scope.name scope.schema_url scope.version scope_dropped_attributes_count scope_name scope_schema_url
  scope_version service severity severity_number severity_text span.id span_id start start_time start_time_ns status status.message
  status_code status_message sum temporality time time_is_observed time_ns trace trace.duration trace.errors trace.id trace.services
  trace.spans trace_id trace_state type unit value value_double value_int zero_count zero_count_double zero_threshold
`.trim().split(/\s+/));

/** That an attribute has a value. */
export const attribute = (key, value) => `${FIELDS.has(key) ? quoted(key) : field(key)} = ${literal("", value)}`;

/** A value as the filter language writes it. */
export const literal = (key, value) => (typeof value !== "string" || FIXED.has(key) ? String(value) : quoted(value));
