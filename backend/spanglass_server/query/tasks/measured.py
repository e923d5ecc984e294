"""What histograms tell of tasks: runs where there are no spans, and waiting times."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from spanglass_core.attribute_names import TASK_NAME, TASK_OUTCOME
from spanglass_server.query.answers import whole
from spanglass_server.query.errors import BadQuestionError, FilterError
from spanglass_server.query.metrics.buckets import explicit_buckets, finite, merge, quantile
from spanglass_server.query.metrics.histograms import explicit_rows
from spanglass_server.query.metrics.identity import Kind
from spanglass_server.query.metrics.points import Selection
from spanglass_server.query.metrics.question import Notes, Question
from spanglass_server.query.tasks.runs import Runs, TaskKey, Wait
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spanglass_server.query.window import Buckets
    from spanglass_server.store.ports import QuerySession, Window

_DURATION: Final = "messaging.process.duration"
_WAIT: Final = "spanglass.task.wait_time"
_BY: Final = ("service.name", "messaging.system", "messaging.destination.name", TASK_NAME)
_FAILURE: Final = "failure"
_MOST_GROUPS: Final = 1_000


def measured_runs(session: QuerySession, window: Window, filter_text: str, steps: Buckets) -> dict[TaskKey, Runs]:
    """Return runs of tasks as ``messaging.process.duration`` counts them."""
    found: dict[TaskKey, Runs] = {}
    buckets: dict[TaskKey, list[Any]] = defaultdict(list)
    question = Question(window, _DURATION, filter=filter_text, by=(*_BY, TASK_OUTCOME, "error.type"),
                        step_ns=steps.step_ns, limit=_MOST_GROUPS)  # fmt: skip
    for row in _histogram(session, question):
        key = _key(row)
        one, observed = found.setdefault(key, Runs()), row["weight"]
        failed = observed if row["by_4"] == _FAILURE or (row["by_4"] is None and row["by_5"]) else 0
        place = (row["step"] - steps.first_ns) // steps.step_ns
        runs_before, failed_before = one.steps.get(place, (0, 0))
        one.steps[place] = (runs_before + observed, failed_before + failed)
        one.runs += observed
        one.failed += failed
        if observed:
            one.last_ns = max(one.last_ns or 0, min(row["step"] + steps.step_ns, window.end_ns))
        buckets[key].append(row)
    for key, parts in buckets.items():
        wait = _quantiles(parts)
        if wait:
            found[key].p50_ns, found[key].p95_ns = wait
    return {key: one for key, one in found.items() if whole(one.runs)}


def measured_waits(session: QuerySession, window: Window, filter_text: str) -> dict[TaskKey, Wait]:
    """Return how long tasks waited, as ``spanglass.task.wait_time`` measures it."""
    parts: dict[TaskKey, list[Any]] = defaultdict(list)
    for row in _histogram(session, Question(window, _WAIT, filter=filter_text, by=_BY, limit=_MOST_GROUPS)):
        parts[_key(row)].append(row)
    return {key: wait for key, rows_of in parts.items() if (wait := _quantiles(rows_of))}


def _histogram(session: QuerySession, question: Question) -> list[dict[str, Any]]:
    """The buckets of a histogram; none where there is no such metric, it is another kind, or the filter is of spans."""
    try:
        selection = Selection.of(session, question)
        return explicit_rows(selection, Notes()) if selection.metric.kind is Kind.HISTOGRAM else []
    except (BadQuestionError, FilterError):
        return []


def _key(row: Mapping[str, Any]) -> TaskKey:
    """Return the task of a row that is grouped by ``_BY``."""
    return TaskKey(*(str(row[f"by_{place}"] or "") for place in range(len(_BY))))


def _quantiles(parts: Iterable[Mapping[str, Any]]) -> Wait | None:
    """Return median and 95th percentile of histograms put together; None where nothing was observed."""
    usable = (finite(row["bounds"] or (), row["counts"] or ()) for row in parts)
    merged = merge([explicit_buckets(*each) for each in usable if each])
    p50, p95 = quantile(merged, 0.5), quantile(merged, 0.95)
    return Wait(whole(p50 * NS_PER_SECOND), whole(p95 * NS_PER_SECOND)) if p50 is not None and p95 is not None else None
