// The monitoring API: measurements, alerts, thresholds and the state of the server.

import { ApiError } from "./api.js";

/**
 * @typedef {"info" | "warning" | "error" | "critical"} Severity
 * @typedef {"active" | "acknowledged" | "resolved" | "dismissed"} Status
 * @typedef {{ id: string, alert_type: string, title: string, severity: Severity, status: Status, possible: Status[], count: number }} Alert
 * @typedef {{ warning_threshold?: number | null, error_threshold?: number | null, critical_threshold?: number | null,
 *   recovery_threshold?: number | null, duration?: number | string | null, enabled?: boolean | null }} ThresholdChange
 * @typedef {{ attempts?: number, firstMs?: number, longestMs?: number, timeoutMs?: number, signal?: AbortSignal }} Options
 */

/** Attempts of a call, and the longest wait before the second one; each further wait may be twice as long. */
export const DEFAULTS = { attempts: 4, firstMs: 250, longestMs: 8000, timeoutMs: 10_000 };

/** Statuses of 5xx that another attempt does not change. */
const FINAL = new Set([501, 505, 507]);

const passing = (error) => (error instanceof ApiError ? (error.status >= 500 || error.status === 429) && !FINAL.has(error.status) : error.name === "TypeError" || error.name === "TimeoutError");

const pause = (ms, signal) => new Promise((done, fail) => {
  const timer = setTimeout(done, ms);
  signal?.addEventListener("abort", () => { clearTimeout(timer); fail(signal.reason); }, { once: true });
});

async function attempt(method, address, body, { timeoutMs, signal }) {
  const timeout = AbortSignal.timeout(timeoutMs);
  const response = await fetch(address, {
    method,
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw Object.assign(new ApiError(response.status, answer.error), { afterMs: 1000 * (Number(response.headers.get("retry-after")) || 0) });
}

const text = (value) => (Array.isArray(value) ? value.join(",") : typeof value === "object" ? Object.entries(value).map((pair) => pair.join("=")).join(",") : String(value));

/**
 * Make one call; where no answer comes, or one of 429 or 5xx, it is tried again after a random wait. Throws `ApiError`
 * for an answer that is an error, `TypeError` or a `TimeoutError` where none came.
 * @param {string} method @param {string} path @param {{ params?: object, body?: object }} asked @param {Options} options
 */
export async function call(method, path, { params = {}, body } = {}, options = {}) {
  const { attempts, firstMs, longestMs, timeoutMs, signal } = { ...DEFAULTS, ...options };
  const given = Object.entries(params).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const query = new URLSearchParams(given.map(([name, value]) => [name, text(value)])).toString();
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt(method, query ? `${path}?${query}` : path, body, { timeoutMs, signal });
    } catch (error) {
      if (signal?.aborted || tried >= attempts || !passing(error)) throw Object.assign(error, { tried });
      const mostMs = Math.min(firstMs * 2 ** (tried - 1), longestMs);
      await pause(Math.min(Math.max(Math.random() * mostMs, error.afterMs ?? 0), longestMs), signal);
    }
  }
}

const place = (id) => `/api/monitoring/alerts/${encodeURIComponent(id)}/`;

/** Measurements of a type ("cpu", "response_time" ...), of all types without one. */
export const getMetrics = (type = "", params = {}, options = {}) => call("GET", `/api/monitoring/metrics/${type ? `${encodeURIComponent(type)}/` : ""}`, { params }, options);

/** A page of alerts that match, and how many there are; filters are parameters of the route, lists and labels as they are. */
export const getAlerts = (filters = {}, options = {}) => call("GET", "/api/monitoring/alerts/", { params: filters }, options);

/** One alert with its history, notes and evidence. */
export const getAlert = (id, options = {}) => call("GET", place(id), {}, options);

/** Raise an alert; an open one with the same fingerprint counts one more instead. */
export const createAlert = (alert, options = {}) => call("POST", "/api/monitoring/alerts/", { body: alert }, options);

/** Change an alert: its status, with `by` and `reason`, or its title, severity, owner ... */
export async function changeAlert(id, change, options = {}) {
  try {
    return await call("PUT", place(id), { body: change }, options);
  } catch (error) {
    // an attempt whose answer was lost may have changed it
    if (error.status !== 409 || !change.status || error.tried < 2) throw error;
    const found = await getAlert(id, options);
    if (found.status !== change.status) throw error;
    return found;
  }
}

/** Say that somebody sees to it. */
export const acknowledgeAlert = (id, said = {}, options = {}) => changeAlert(id, { ...said, status: "acknowledged" }, options);

/** Say that it is over. */
export const resolveAlert = (id, said = {}, options = {}) => changeAlert(id, { ...said, status: "resolved" }, options);

/** Say that it was no problem. */
export const dismissAlert = (id, said = {}, options = {}) => changeAlert(id, { ...said, status: "dismissed" }, options);

/** Write a note on an alert. */
export const noteAlert = (id, note, options = {}) => call("POST", `${place(id)}notes/`, { body: note }, options);

/** The thresholds of all rules, as they are in force. */
export const getThresholds = (options = {}) => call("GET", "/api/monitoring/thresholds/", {}, options);

/**
 * Change thresholds by the uid of the rule, all or none; null goes back to what the rule says.
 * @param {Record<string, ThresholdChange>} thresholds @param {{ by?: string }} said @param {Options} options
 */
export const updateThresholds = (thresholds, said = {}, options = {}) => call("PUT", "/api/monitoring/thresholds/", { body: { ...said, thresholds } }, options);

/** The state of the server, and of the evaluation of its rules. */
export const getSystemStatus = (options = {}) => call("GET", "/api/v1/status", {}, options);
