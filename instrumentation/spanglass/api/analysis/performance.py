"""What the statistics of operations and queries mean, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass.api.analysis.figures import Figures
from spanglass.api.analysis.report import Analysis, Finding, Recommendation, Report, worst_first
from spanglass_core.alerting.severity import Severity
from spanglass_core.query_summary import query_summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass.api.analysis.queries import QueryFigures, QueryLog
    from spanglass.api.analysis.thresholds import Bound, ThresholdManager
    from spanglass.api.statistics import OperationStatistics

#: Thresholds until others are set.
DEFAULT_THRESHOLDS: Mapping[str, Mapping[str, Bound]] = {
    "error_rate": {"warning": "1%", "critical": "5%"},
    "avg_response_time": {"warning": "1000ms"},
}
UNITS = {
    "error_rate": "ratio",
    "request_rate": "/s",
    **{f"{name}_response_time": "s" for name in ("avg", "min", "max", "p50", "p95", "p99")},
}

#: A slow tail: the 99th percentile so many times the median, over so many runs.
_TAIL, _TAIL_RUNS = 10.0, 50
#: How many operations, queries and recommendations of a kind are told of.
_MOST = 5
#: An operation that failed this often at least, in runs and as a share, is worth a look.
_FAILED, _FAILED_SHARE = 5, 0.05


def figures_of(statistics: OperationStatistics, time_ns: int) -> Figures:
    """The statistics of operations as figures, under the names that rules use."""
    numbers = {
        "request_count": float(statistics.count),
        "request_rate": statistics.throughput_per_s,
        "error_rate": statistics.error_rate,
        "avg_response_time": statistics.average_s,
        "min_response_time": statistics.min_s,
        "max_response_time": statistics.max_s,
        "p50_response_time": statistics.p50_s,
        "p95_response_time": statistics.p95_s,
        "p99_response_time": statistics.p99_s,
    }
    return Figures(numbers, UNITS, {}, time_ns)


class PerformanceAnalyzer:
    """Makes reports of operations, queries and thresholds."""

    def __init__(self, thresholds: ThresholdManager, queries: QueryLog) -> None:
        self._thresholds = thresholds
        self._queries = queries

    def report(self, metrics: Figures, operations: Mapping[str, OperationStatistics]) -> Report:
        """The report of one moment; ``operations`` are the statistics of each."""
        findings = list(self._thresholds.check(metrics))
        advice = [_on_crossed(each, operations) for each in findings]
        for name, statistics in operations.items():
            findings += _of_operation(name, statistics)
        queries = self._queries.figures()
        for query in queries:
            findings += _of_query(query, self._queries)
        advice += [_on_repeats(each, self._queries) for each in _repeated(queries, self._queries)]
        advice += [_on_slow(each, self._queries) for each in _slow(queries)]
        advice += [_on_tail(name, each) for name, each in _with_tail(operations)]
        shares = _shares(operations)
        details = {"time_shares": shares, "queries": queries[:_MOST]}
        ranked = sorted(advice, key=lambda each: -each.severity.rank)
        return Report(
            monitor="performance",
            metrics=metrics,
            analysis=Analysis(worst_first(findings), details),
            recommendations=tuple(ranked),
        )


def _shares(operations: Mapping[str, OperationStatistics]) -> dict[str, float]:
    """The operations in which most time is spent, with their share of all time spent in operations."""
    spent = {name: each.average_s * each.count for name, each in operations.items() if each.count}
    total = sum(spent.values())
    largest = sorted(spent.items(), key=lambda pair: -pair[1])[:_MOST]
    return {name: seconds / total for name, seconds in largest} if total else {}


def _of_operation(name: str, statistics: OperationStatistics) -> list[Finding]:
    if statistics.errors >= _FAILED and statistics.error_rate >= _FAILED_SHARE:
        text = f"{name} failed {statistics.errors} times of {statistics.count}"
        return [Finding(metric="error_rate", text=text, severity=Severity.WARNING, value=statistics.error_rate)]
    return []


def _of_query(query: QueryFigures, log: QueryLog) -> list[Finding]:
    found = []
    if query.most_in_one_run >= log.repeated:
        text = f"{_short(query)} ran {query.most_in_one_run} times in one run of {_operation(query)}"
        found.append(
            Finding(metric="repeated_queries", text=text, severity=Severity.WARNING, value=float(query.most_in_one_run))
        )
    if query.slow:
        text = f"{_short(query)} took {log.slow_s:g} s or longer {query.slow} times of {query.count}"
        found.append(Finding(metric="slow_queries", text=text, severity=Severity.WARNING, value=query.max_s))
    return found


def _repeated(queries: list[QueryFigures], log: QueryLog) -> list[QueryFigures]:
    found = [each for each in queries if each.most_in_one_run >= log.repeated]
    return sorted(found, key=lambda each: -each.most_in_one_run)[:_MOST]


def _slow(queries: list[QueryFigures]) -> list[QueryFigures]:
    return sorted((each for each in queries if each.slow), key=lambda each: -each.total_s)[:_MOST]


def _with_tail(operations: Mapping[str, OperationStatistics]) -> list[tuple[str, OperationStatistics]]:
    found = [
        (name, each)
        for name, each in operations.items()
        if each.count >= _TAIL_RUNS and each.p99_s > _TAIL * each.p50_s
    ]
    return sorted(found, key=lambda pair: -pair[1].p99_s)[:_MOST]


def _on_repeats(query: QueryFigures, log: QueryLog) -> Recommendation:
    return Recommendation(
        title=f"{_operation(query)} runs one query for each row (N+1)",
        action=(
            "Load all rows with one query: a join, WHERE ... IN (...), or the ORM's eager loading "
            "(selectinload or joinedload of SQLAlchemy, select_related or prefetch_related of Django)."
        ),
        severity=Severity.WARNING,
        evidence={
            "query": query.shape,
            "operation": query.operation,
            "times_in_one_run": query.most_in_one_run,
            f"runs_with_{log.repeated}_or_more": query.runs_with_repeats,
            "total_s": query.total_s,
        },
    )


def _on_slow(query: QueryFigures, log: QueryLog) -> Recommendation:
    return Recommendation(
        title=f"{_short(query)} is slow",
        action=(
            "Look at its plan (EXPLAIN ANALYZE), give the columns of its WHERE, JOIN and ORDER BY an index, "
            "and read only the columns and rows that are needed."
        ),
        severity=Severity.WARNING,
        evidence={
            "query": query.shape,
            "operation": query.operation,
            f"took_{log.slow_s:g}_s_or_longer": query.slow,
            "count": query.count,
            "max_s": query.max_s,
            "total_s": query.total_s,
        },
    )


def _on_tail(name: str, statistics: OperationStatistics) -> Recommendation:
    return Recommendation(
        title=f"one run in a hundred of {name} is far slower than the others",
        action="Compare its slowest traces with usual ones: locks, a cold cache, retries and large inputs are common.",
        evidence={"operation": name, "p50_s": statistics.p50_s, "p99_s": statistics.p99_s, "count": statistics.count},
    )


def _on_crossed(finding: Finding, operations: Mapping[str, OperationStatistics]) -> Recommendation:
    """What to look at first: the operation that adds most to it."""
    evidence: dict[str, object] = {finding.metric: finding.value, "threshold": finding.threshold}
    action = "Look at what changed when it rose: a release, the load, a service behind it."
    if finding.metric == "error_rate" and any(each.errors for each in operations.values()):
        name = max(operations, key=lambda each: operations[each].errors)
        evidence |= {"operation": name, "errors": operations[name].errors}
        action = f"Begin with {name}, which failed most often: look at its errors and failing traces."
    elif finding.metric.endswith("response_time") and operations:
        shares = _shares(operations)
        name = next(iter(shares), "")
        evidence |= {"operation": name, "share_of_time": shares.get(name)}
        action = f"Begin with {name}, in which most time is spent: look at its slowest traces."
    return Recommendation(title=finding.text, action=action, severity=finding.severity, evidence=evidence)


def _short(query: QueryFigures) -> str:
    return query_summary(query.shape) or query.shape[:60]


def _operation(query: QueryFigures) -> str:
    return query.operation or "an operation"
