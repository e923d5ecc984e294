// The HTTP API: one function, errors in its one shape.

/** An error of the API; `error` is its object, `message` its sentence. */
export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message ?? `the server answered ${status}`);
    this.status = status;
    this.error = error ?? {};
  }
}

/** Ask the API below /api/v1; empty parameters are left out. */
export async function ask(path, params = {}, signal = undefined) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== "" && value !== null && value !== undefined));
  const response = await fetch(`/api/v1/${path}?${query}`, { signal, headers: { accept: "application/json" } });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, body.error);
  return body;
}

/** A name as a header can hold it, which knows only Latin letters. */
const inHeader = (name) => [...name].map((one) => (one <= "\u00ff" ? one : "?")).join("");

/**
 * Send a change to the API below /api/v1: as JSON, or as parameters of what is deleted; `version` is what was changed,
 * `by` who does it, where the body can't say so.
 */
export async function send(method, path, body, { signal, version, by } = {}) {
  const content = method === "DELETE" ? {} : { body: JSON.stringify(body) };
  const where = method === "DELETE" ? `${path}?${new URLSearchParams(body)}` : path;
  const response = await fetch(`/api/v1/${where}`, { method, ...content, signal, headers: { accept: "application/json", "content-type": "application/json", ...(version ? { "if-match": version } : {}), ...(by ? { "x-spanglass-user": inHeader(by) } : {}) } });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer.error);
  return answer;
}

/** The time range in the page's URL, for questions of the same range. */
export function range() {
  const url = new URLSearchParams(location.search);
  const given = ["last", "start", "end"].filter((name) => url.get(name)).map((name) => [name, url.get(name)]);
  return Object.fromEntries(given);
}
