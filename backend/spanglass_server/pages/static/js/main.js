// Starts what the page has. Everything here adds to pages that read without it.

import * as alerts from "./alerts/list.js";
import * as bell from "./notifications/bell.js";
import * as chart from "./chart.js";
import * as copying from "./copying/copying.js";
import * as filter from "./filter.js";
import * as follow from "./log_lines/follow.js";
import * as go from "./go.js";
import * as area from "./performance/area.js";
import * as actions from "./issues/actions.js";
import * as grouping from "./issues/grouping.js";
import * as issue from "./issues/issue.js";
import * as live from "./live.js";
import * as adding from "./metrics/adding.js";
import * as list from "./issues/list.js";
import * as of from "./issues/of.js";
import * as keys from "./keys.js";
import * as logs from "./logs.js";
import * as occurrence from "./occurrence.js";
import * as page from "./page.js";
import * as running from "./running.js";
import * as views from "./saved/views.js";
import * as waterfall from "./waterfall.js";

for (const part of [actions, go, keys, page, filter, chart, area, logs, follow, occurrence, running, waterfall, list, issue, of, grouping, live, adding, alerts, bell, views, copying]) part.start();
if (document.querySelector("[data-draw]")) (await import("./drawn.js")).start(); // with the program that draws, which only these pages need
document.documentElement.dataset.ready = "";
