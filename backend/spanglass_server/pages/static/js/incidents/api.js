// The API of incidents.

import { call } from "../monitoring.js";

/**
 * @typedef {"open" | "acknowledged" | "recovered" | "resolved" | "dismissed"} Status
 * @typedef {{ id: string, title: string, status: Status, possible: Status[], alert_count: number }} Incident
 */

const place = (id, below = "") => `/api/monitoring/incidents/${encodeURIComponent(id)}/${below}`;
const ONCE = { attempts: 1 }; // what would be done twice if its answer were lost

/** A page of incidents that match. */
export const getIncidents = (filters = {}, options = {}) => call("GET", "/api/monitoring/incidents/", { params: filters }, options);

/** One with its alerts, steps, timeline and past ones. */
export const getIncident = (id, options = {}) => call("GET", place(id), {}, options);

/** Open one by hand. */
export const openIncident = (incident, options = ONCE) => call("POST", "/api/monitoring/incidents/", { body: incident }, options);

/** Another status, with `by` and `reason`, or other words, people, severity. */
export const changeIncident = (id, change, options = {}) => call("PUT", place(id), { body: change }, options);

/** Add something below an incident: "notes", "steps", "alerts", "merge". */
export const addTo = (id, what, body, options = ONCE) => call("POST", place(id, `${what}/`), { body }, options);

/** Say whether a response step, from 1, is done. */
export const doStep = (id, number, done, by, options = {}) => call("PUT", place(id, `steps/${number}/`), { body: { done, by } }, options);

/** Take an alert out. */
export const takeOut = (id, alert, options = {}) => call("DELETE", place(id, `alerts/${encodeURIComponent(alert)}/`), {}, options);

/** Keep a postmortem; "" goes back to the draft. */
export const writePostmortem = (id, text, by, options = {}) => call("PUT", place(id, "postmortem/"), { body: { text, by } }, options);
