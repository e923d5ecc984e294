"""From a condition to what it is about: which records are meant, and which of them are bad."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.nodes import Absent, Comparison, IssueEvent, Quantity, principal, walk
from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_core.alerting.conditions.problems import ConditionError
from spanglass_server.measures.table import MEASURES

if TYPE_CHECKING:
    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.evidence.answers import Topic

REQUESTS = "(kind = server or kind = consumer)"
_DATABASE = "kind = client and (db.system.name exists or db.system exists)"
_TASKS = "kind = consumer"
ERRORS = "status = error"
LOG_ERRORS = "severity >= error"
#: Annotations with filters: the spans that a rule is about, all of them, and those that are good.
COUNTED_SPANS, GOOD_SPANS = "counted_spans", "good_spans"


@dataclass(frozen=True, slots=True)
class Kind:
    """What kind of thing is wrong. ``bad`` is "" where the duration decides, or nothing does.

    ``name`` is what the quantity is called, for other rules about the same.
    """

    topic: Topic
    filter: str = REQUESTS
    bad: str = ERRORS
    name: str = ""


_PROCESSES = ("process_cpu", "process_memory", "open_files", "threads", "gc_pause", "loop_lag")
#: Measures of services; what is not here and of no host is ``other``.
_MEASURES = {
    "response_time": Kind("latency", bad=""),
    "request_rate": Kind("traffic"),
    "active_requests": Kind("traffic"),
    "user_count": Kind("traffic"),
    "error_rate": Kind("errors"),
    "log_errors": Kind("logs", "", LOG_ERRORS),
    "log_rate": Kind("logs", "", LOG_ERRORS),
    "query_time": Kind("latency", _DATABASE, ""),
    "slow_queries": Kind("latency", _DATABASE, ""),
    "lock_failures": Kind("errors", _DATABASE),
    "task_time": Kind("latency", _TASKS, ""),
    "task_wait_time": Kind("latency", _TASKS, ""),
    "task_error_rate": Kind("errors", _TASKS),
    "task_rate": Kind("traffic", _TASKS),
    "task_count": Kind("traffic", _TASKS),
    "queue_size": Kind("other", _TASKS),
    **dict.fromkeys(
        ("process_cpu", "process_memory", "open_files", "threads", "gc_pause", "loop_lag"), Kind("process")
    ),
}
#: Beginnings of names of metrics, with ``_`` for dots.
_METRICS = (
    ("span_duration", Kind("latency", bad="")),
    ("spans_total", Kind("traffic")),
    ("log_records_total", Kind("logs", "", LOG_ERRORS)),
    ("issue_events_total", Kind("issue")),
    ("http_server_request_duration", Kind("latency", bad="")),
    ("http_server_duration", Kind("latency", bad="")),
    ("process_", Kind("process")),
    ("system_", Kind("host")),
)
_DURATIONS = re.compile(r"p\d+(\.\d+)?|avg|min|max")
_FAILED = re.compile(r'status_code\s*=~?\s*"(error|ERROR)"|status\s*[:=]\s*"?error')


def kind_of_rule(rule: Rule) -> Kind:
    """What a rule is about: what its annotations say, as those of objectives do, else what its condition says."""
    kind = kind_of(rule.condition)
    spans, good = rule.annotations.get(COUNTED_SPANS), rule.annotations.get(GOOD_SPANS)
    return replace(kind, topic="errors", filter=spans, bad=f"not ({good})") if spans and good else kind


def kind_of(condition: str) -> Kind:
    """What a condition is about; ``other`` for one that can't be read."""
    try:
        tree = parse_condition(condition)
    except ConditionError:
        return Kind("other")
    for node in walk(principal(tree) or tree):
        match node:
            case Absent(of=of):
                return Kind("silence", name=of.text)
            case IssueEvent(kind=kind):
                return Kind("issue", "", "", kind)
            case Quantity():
                return _of_quantity(node)
            case Comparison():
                continue
    return Kind("other")


def quantities(condition: str) -> tuple[Quantity, ...]:
    """All quantities of a condition, from the left."""
    try:
        return tuple(node for node in walk(parse_condition(condition)) if isinstance(node, Quantity))
    except ConditionError:
        return ()


def _of_quantity(quantity: Quantity) -> Kind:
    text = quantity.text
    if quantity.kind == "logs":
        return Kind("logs", "", text or LOG_ERRORS, text)
    if quantity.kind == "spans":
        return _of_spans(quantity)
    if quantity.kind == "promql":
        return _named(_of_metrics(re.findall(r"[A-Za-z_][\w:.]*", text), text), text)
    name = text if text in MEASURES else text.partition("_")[2] if text.partition("_")[2] in MEASURES else ""
    if name:
        return _named(_MEASURES.get(name) or Kind("host" if MEASURES[name].per == "host" else "other"), name)
    return _named(_of_metrics([text], " ".join(quantity.conditions)), text)


def _named(kind: Kind, name: str) -> Kind:
    return Kind(kind.topic, kind.filter, kind.bad, name)


def _of_spans(quantity: Quantity) -> Kind:
    text = quantity.text
    if _DURATIONS.fullmatch(quantity.aggregate):
        return Kind("latency", text, "", text)
    if _FAILED.search(text):
        return Kind("errors", "", text, text)
    return Kind("records", "", text, text)


def _of_metrics(names: list[str], text: str) -> Kind:
    plain = [name.replace(".", "_") for name in names]
    found = next((kind for start, kind in _METRICS if any(name.startswith(start) for name in plain)), None)
    if found is None:
        return Kind("other")
    return Kind("errors") if found.topic == "traffic" and _FAILED.search(text) else found
