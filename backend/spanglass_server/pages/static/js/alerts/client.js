// Alerts over the API, as pages change them.

import { ApiError } from "../api.js";

const HEADERS = { accept: "application/json", "content-type": "application/json" };

async function asked(path, options = {}) {
  const response = await fetch(`/api/monitoring/${path}`, { headers: HEADERS, ...options });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer.error);
  return answer;
}

const put = (id, body) => asked(`alerts/${encodeURIComponent(id)}/`, { method: "PUT", body: JSON.stringify(body) });

/** Change the status of an alert: "acknowledged", "resolved", "dismissed", or "active" again. */
export const become = (id, status, by, reason = "") => put(id, { status, by, ...(reason ? { reason } : {}) });

/** Add a note to an alert. */
export const note = (id, text, by) => asked(`alerts/${encodeURIComponent(id)}/notes/`, { method: "POST", body: JSON.stringify({ text, by }) });

/** Say who looks after an alert. */
export const own = (id, owner, by) => put(id, { owner, by });

/** Tune a rule: { warning_threshold, ..., duration, enabled }, in base units; null goes back to what it says. */
export const tune = (uid, thresholds, by) => asked(`thresholds/${encodeURIComponent(uid)}/`, { method: "PUT", body: JSON.stringify({ ...thresholds, by }) });

/** Alerts that match, the newest first. */
export const alerts = (params) => asked(`alerts/?${new URLSearchParams(params)}`);
