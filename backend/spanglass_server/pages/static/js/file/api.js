// What the API answers in a page that stands in a file: the details of spans that came with it, and nothing else.

const SPAN = /^traces\/[0-9a-f]+\/spans\/(.+)$/;
let details = null;

/** The details of a span; any other question fails as if nothing were there. */
export async function ask(path) {
  const key = SPAN.exec(path)?.[1];
  details ??= JSON.parse(document.getElementById("details").textContent);
  const found = key && details[decodeURIComponent(key)];
  if (found) return found;
  throw Object.assign(new Error("this file does not hold them, as the trace has too many spans"), { status: 404, error: {} });
}

/** A file has no time range. */
export const range = () => ({});
