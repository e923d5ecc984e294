// A trace in a file: the waterfall with its details and log records, without a server.

import * as keys from "../keys.js";
import * as logs from "../logs.js";
import * as waterfall from "../waterfall.js";

for (const part of [keys, logs, waterfall]) part.start();
document.documentElement.dataset.ready = "";
