// Alerts over the API, as pages change them.

import { call, changeAlert, getAlerts, noteAlert } from "../monitoring.js";

/** Change the status of an alert: "acknowledged", "resolved", "dismissed", or "active" again. */
export const become = (id, status, by, reason = "") => changeAlert(id, { status, by, ...(reason ? { reason } : {}) });

/** Add a note to an alert. */
export const note = (id, text, by) => noteAlert(id, { text, by }, { attempts: 1 });

/** Say who looks after an alert. */
export const own = (id, owner, by) => changeAlert(id, { owner, by });

/** Tune a rule: { warning_threshold, ..., duration, enabled }, in base units; null goes back to what it says. */
export const tune = (uid, thresholds, by) => call("PUT", `/api/monitoring/thresholds/${encodeURIComponent(uid)}/`, { body: { ...thresholds, by } });

/** Alerts that match, the newest first. */
export const alerts = (params) => getAlerts(params);
