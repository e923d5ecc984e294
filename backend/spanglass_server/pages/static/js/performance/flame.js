// Flame graphs of many traces, and of stacks: what is said of a frame, and where it leads.

import { h } from "../dom.js";
import { durationText } from "../time.js";
import { Flame } from "../trace/flame.js";

const BAD_SHARE = 0.05;

/** The self time of spans over a range. */
class SelfTime extends Flame {
  static whole = "Whole range";

  /** As in lists of services: one error among many requests is nothing that stands out. */
  isBad({ errors, spans }) {
    return errors >= BAD_SHARE * spans && errors > 0;
  }

  facts(path) {
    return [
      ["share of all work", this.share(path.work_ns)], ["share by itself", this.share(path.self_time_ns)],
      ["durations added up", durationText(path.duration_ns)],
      path.longest && ["longest", h("a", { href: path.longest }, durationText(path.longest_ns))],
      ["operation", h("a", { href: path.href }, path.name || "(no name)")],
    ].filter(Boolean);
  }
}

/** Functions that threads were in. */
class Profile extends Flame {
  static whole = "Whole profile";
  static counted = ["sample", "samples"];
  static figure = "Samples";
  static find = "Find functions";

  facts(path) {
    return [
      ["share of all time", this.share(path.work_ns)], ["share by itself", this.share(path.self_time_ns)],
      path.service && ["module", path.service], path.place && ["where", path.place],
    ].filter(Boolean);
  }
}

for (const [id, Graph] of [["self-time", SelfTime], ["profile", Profile]]) {
  const data = document.getElementById(id);
  if (data) new Graph(document.getElementById("flame"), JSON.parse(data.textContent).paths);
}
