// A part of a page as Markdown, for a colleague or a coding agent: what is shown, with whole addresses. Telemetry stays
// text: what Markdown would take as markup is escaped.

const SKIPPED = "script, style, dialog, form, nav, noscript, template, button, select, input, textarea, .tabs, .acts, .bulk, .only, .help, .ax-x, .ax-y, .wf-h, .skip, [hidden], [data-own]";
const MOST_ROWS = 100; // of a table or list
const MOST_CODE = 20_000; // characters
const MOST = 60_000; // characters of the whole

const escaped = (text) => text.replace(/[\\`*_[\]<>|~#]/g, "\\$&");
const oneLine = (text) => text.replace(/\s+/g, " ").trim();
const fence = (text) => "`".repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)));

function code(text) {
  const ticks = "`".repeat(Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  const pad = /^`|`$/.test(text) ? " " : "";
  return text ? `${ticks}${pad}${text}${pad}${ticks}` : "";
}

const target = (href) => new URL(href, location.href).href.replace(/\(/g, "%28").replace(/\)/g, "%29");
const contents = (node) => oneLine([...node.childNodes].map((child) => inlineApart(child)).join("")).replace(/ ([.,;:)])/g, "$1");

function link(node) {
  const text = contents(node);
  const href = node.getAttribute("href");
  return text && href && !href.startsWith("#") ? `[${text}](${target(href)})` : text;
}

/** What stands on one line. */
function inline(node) {
  if (node.nodeType === Node.TEXT_NODE) return escaped(node.nodeValue.replace(/\s+/g, " "));
  if (node.nodeType !== Node.ELEMENT_NODE || node.matches(SKIPPED) || node.nodeName === "svg") return "";
  if (node.matches("code, kbd, .mono:not(:has(a))")) return code(oneLine(node.textContent));
  if (node.nodeName === "A") return link(node);
  const text = contents(node);
  return text && node.matches("b, strong, h1 .err") && !text.startsWith("**") ? `**${text}**` : text;
}

/** The same, apart from what stands beside it where the page draws it apart. */
function inlineApart(node) {
  const text = inline(node);
  const isApart = node.nodeType === Node.ELEMENT_NODE && node.matches("p, div, li, dt, dd, a, b, em, code, small, time, .badge, .svc, .u, .vh, .sub > *, span + span");
  return isApart && text ? ` ${text} ` : text;
}

const cells = (row) => [...row.children].filter((cell) => !cell.matches(SKIPPED)).map((cell) => inline(cell));
const row = (texts) => `| ${texts.join(" | ")} |`;

function table(node) {
  const rows = [...node.querySelectorAll(":scope > tbody > tr")].map(cells).filter((texts) => texts.some(Boolean));
  const head = node.tHead ? cells(node.tHead.rows[0]) : rows[0]?.map(() => "") ?? [];
  if (!rows.length) return [];
  const used = rows.reduce((most, texts) => Math.max(most, texts.length), head.length);
  const filled = (texts) => [...texts, ...Array(used).fill("")].slice(0, used);
  return [[row(filled(head)), row(Array(used).fill("---")), ...rows.slice(0, MOST_ROWS).map((texts) => row(filled(texts))), ...more(rows)].join("\n")];
}

const more = (rows) => (rows.length > MOST_ROWS ? ["", `and ${rows.length - MOST_ROWS} more`] : []);

/** Pairs of names and values, as points. */
function pairs(node) {
  const terms = [...node.querySelectorAll("dt")].map((term) => [inline(term), inline(term.nextElementSibling ?? term)]);
  return terms.length ? [terms.map(([name, value]) => `- ${name}: ${value}`).join("\n")] : [];
}

function points(rows, depth = () => 0) {
  const texts = rows.map((one) => [inline(one), depth(one)]).filter(([text]) => text);
  return texts.length ? [[...texts.slice(0, MOST_ROWS).map(([text, level]) => `${"  ".repeat(level)}- ${text}`), ...more(texts)].join("\n")] : [];
}

/** The points of a chart that the server drew, one line a point in time. */
function chart(svg) {
  const { names, rows } = JSON.parse(svg.dataset.chart);
  const words = (texts) => row(texts.map((text) => escaped(String(text))));
  const lines = [words(["time", ...names]), row(Array(names.length + 1).fill("---")), ...rows.slice(0, MOST_ROWS).map(words), ...more(rows)];
  return [`_${escaped(svg.getAttribute("aria-label") ?? "chart")}_`, ...(rows.length ? [lines.join("\n")] : [])];
}


function block(node) {
  if (node.nodeType === Node.TEXT_NODE) return oneLine(node.nodeValue) ? [inline(node)] : [];
  if (node.nodeType !== Node.ELEMENT_NODE || node.matches(SKIPPED)) return [];
  const heading = /^H([1-6])$/.exec(node.nodeName);
  if (heading) return inline(node) ? [`${"#".repeat(Number(heading[1]))} ${inline(node)}`] : [];
  if (node.nodeName === "svg") return node.dataset.chart ? chart(node) : [];
  if (node.valuesOf) return [node.valuesOf()].filter(Boolean).flatMap(block); // a chart that script draws
  if (node.nodeName === "TABLE") return table(node);
  if (node.nodeName === "DL") return pairs(node);
  if (node.nodeName === "PRE") {
    const text = node.textContent.slice(0, MOST_CODE).trimEnd();
    return text ? [[fence(text), text, fence(text)].join("\n")] : [];
  }
  if (node.matches("ul, ol")) return points([...node.children]);
  if (node.matches("[role=treegrid]")) return points([...node.querySelectorAll("[role=row][aria-level]")], (one) => Number(one.getAttribute("aria-level")) - 1);
  if (node.matches("a, p, summary, .sub, .legend, .chips, .row:not(:has(p, table, ul, dl))")) return inline(node) ? [inline(node)] : [];
  return [...node.childNodes].flatMap(block);
}

/** A part of the page as Markdown, with the address that it is copied from below it. */
export function markdownOf(node, address) {
  const text = block(node).join("\n\n").replace(/\n{3,}/g, "\n\n");
  return `${text.length > MOST ? `${text.slice(0, MOST)}\n\n… cut here` : text}\n\n${address}\n`;
}
