"""False alarms and faults that are missed: thirty labelled services over two weeks, through rules as they come.

    python benchmarks/false_alarms.py            # the shipped rules of requests, and rules against what is usual

A fire is false if no fault of its service was under way, or ended within the rule's window before; a fault is found if
a rule fired meanwhile. Each rule is evaluated once a minute. ``false`` is the share of evaluations at which a key
fired and should not have, over all evaluations of all keys.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import spanglass_server.alerting.rules.shipped as shipped_package
from loadgen.labelled import LEARNING_DAYS, MINUTES_A_DAY, SIZE, Course, counted, courses
from spanglass_core.alerting.rule import Rule
from spanglass_server.alerting.backtest.backtest import Options, backtest
from spanglass_server.alerting.baselines.baselines import Baselines
from spanglass_server.alerting.evaluation.evaluator import RuleEvaluator
from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.stored.counting.families import BOUNDS
from spanglass_server.store.ports import Window
from spanglass_server.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from spanglass_server.promql.series.vectors import Steps

MINUTE_NS = 60 * 10**9
MINUTE_MS = 60_000
#: 6 January 2025, a Monday.
START_MS = 1_736_121_600_000
#: An alert may outlast its fault by the window of rates, the wait and a little.
AFTERWARDS = 6
#: Rules against what is usual, as docs/alert-rules.md recommends them.
USUAL = {
    "error_rate > baseline + 4 * spread": {"min_samples": 20},
    "p95(response_time) > 2 * baseline + 4 * spread": {"min_samples": 20},
    "request_rate < 0.3 * baseline - 2 * spread": {},
}


class Made(SeriesInMemory):
    """Series in memory, of counts: nothing is to be known of kinds of metrics."""

    def kinds(self, *_: Any) -> dict[str, Any]:
        """None."""
        return {}

    def announce(self, *_: Any) -> None:
        """Nothing is made of it."""


def series_of(made: list[Course]) -> Made:
    """What the spans of all services are counted as."""
    labels, values, kept = [], [], []
    bounds = np.array(BOUNDS)
    for number, course in enumerate(made):
        counts = counted(course, bounds, np.random.default_rng(number))
        is_there = ~np.isnan(course.requests)
        for name, more, column in _columns(counts):
            labels.append({"__name__": name, "service_name": course.name, "span_kind": "server", **more})
            values.append(column[is_there])
            kept.append(is_there)
    times = START_MS + MINUTE_MS * np.arange(SIZE, dtype=np.int64)
    offsets = np.cumsum([0, *(int(there.sum()) for there in kept)]).astype(np.int64)
    return Made(
        Samples(LabelSets.of(labels), offsets, np.concatenate([times[there] for there in kept]), np.concatenate(values))
    )


def _columns(counts: dict[str, Any]) -> Iterator[tuple[str, dict[str, str], Any]]:
    for status, name in (("unset", "ok"), ("error", "error")):
        yield "spans_total", {"status_code": status}, counts[name]
    for bound, column in zip([*(f"{bound:g}" for bound in BOUNDS), "+Inf"], counts["buckets"], strict=True):
        yield "span_duration_seconds_bucket", {"le": bound}, column
    yield "span_duration_seconds_count", {}, counts["buckets"][-1]
    yield "span_duration_seconds_sum", {}, counts["sum"]


def rules() -> list[Rule]:
    """The shipped rules of requests, and those against what is usual."""
    text = (Path(shipped_package.__path__[0]) / "requests.yaml").read_text("utf-8")
    shipped = [rule for rule, _ in RULES.read_yaml(text).found]
    usual = [
        Rule(uid=condition, name=condition, condition=condition, for_ns=2 * MINUTE_NS, interval_ns=MINUTE_NS, **more)
        for condition, more in USUAL.items()
    ]
    return [*shipped, *usual]


def _always(_: Any, steps: Steps) -> NDArray[np.bool_]:
    """Something came in at all times: gaps are of single services."""
    return np.ones(steps.size, np.bool_)


def fired(evaluator: RuleEvaluator, rule: Rule) -> dict[str, list[tuple[float, float]]]:
    """When a rule fired for each service, in minutes since the beginning."""
    window = Window(START_MS * 10**6, (START_MS + SIZE * MINUTE_MS) * 10**6)
    found = backtest(None, evaluator, rule, window, Options(interval_ns=MINUTE_NS, limit_s=3600, live=_always))  # type: ignore[arg-type]
    if found["failure"] is not None:
        sys.exit(f"{rule.name}: {found['failure']}")
    minute = lambda text: (parse_time(text, 0) / 10**6 - START_MS) / MINUTE_MS  # noqa: E731
    return {
        key["labels"]["service_name"]: [
            (minute(span["fired_time"]), minute(span["resolved_time"]) if span["resolved_time"] else float(SIZE))
            for span in key["fired"]
        ]
        for key in found["keys"]
    }


def judged(course: Course, spans: list[tuple[float, float]]) -> tuple[list[str], int, float]:
    """The kinds of faults that a rule found, how often it fired for none, and for how many minutes."""
    found: list[str] = []
    fires, minutes = 0, 0.0
    for start, end in spans:
        if start < LEARNING_DAYS * MINUTES_A_DAY:
            continue
        hits = [fault for fault in course.faults if start < fault.end + AFTERWARDS and end > fault.start]
        found += [fault.kind for fault in hits]
        if not hits:
            fires, minutes = fires + 1, minutes + end - start
            print(f"    {course.name}: day {start / MINUTES_A_DAY:.2f}, {end - start:.0f} min", file=sys.stderr)
    return found, fires, minutes


def main() -> None:
    """Run it."""
    made = courses()
    evaluator = RuleEvaluator(lambda _: series_of_all, baselines=Baselines(max_bytes=512 << 20))
    series_of_all = series_of(made)
    evaluations = len(made) * (SIZE - LEARNING_DAYS * MINUTES_A_DAY)
    all_found: dict[str, set[str]] = {course.name: set() for course in made}
    rows = []
    for rule in rules():
        print(rule.name, file=sys.stderr)
        by_service = fired(evaluator, rule)
        fires, minutes, found = 0, 0.0, 0
        for course in made:
            kinds, false_fires, false_minutes = judged(course, by_service.get(course.name, []))
            all_found[course.name] |= set(kinds)
            fires, minutes, found = fires + false_fires, minutes + false_minutes, found + len(set(kinds))
        rows.append({"rule": rule.name, "found": found, "false_fires": fires, "false": minutes / evaluations})
    faults = sum(len(course.faults) for course in made)
    total = sum(len(kinds) for kinds in all_found.values())
    missed = [f"{c.name}: {f.kind}" for c in made for f in c.faults if f.kind not in all_found[c.name]]
    print(f"\n{len(made)} services, {faults} faults, {evaluations} evaluations of each rule")
    print(f"{'rule':60} {'faults found':>12} {'false fires':>12} {'false':>8}")
    for row in rows:
        print(f"{row['rule']:60} {row['found']:12} {row['false_fires']:12} {100 * row['false']:7.3f} %")
    print(f"{'all together':60} {total:12} {sum(row['false_fires'] for row in rows):12}")
    print(f"missed: {missed}")
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    (out / "false_alarms.json").write_text(
        json.dumps({"faults": faults, "found": total, "missed": missed, "rules": rows}, indent=1)
    )


if __name__ == "__main__":
    main()
