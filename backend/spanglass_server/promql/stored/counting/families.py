"""The series that records and events of issues are counted as: names, labels and SQL (docs/promql-series.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.promql.stored.naming.identity import Form
from spanglass_server.promql.stored.naming.names import label_name
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.intrinsics import SPAN_KINDS, STATUSES
from spanglass_server.query.logs.severity import COLUMNS as SEVERITY_COLUMNS
from spanglass_server.query.logs.severity import severity_sql
from spanglass_server.query.services.estimates import PROBABILITY, WEIGHT
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import AttributeColumn, Signal, quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

#: Upper bounds of ``span_duration_seconds_bucket``.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """What is counted: a signal, whose labels are SQL over stored columns. ``OCCURRENCES`` means events of issues.

    Or events of objectives, which are counted elsewhere (``ports.ObjectiveCounts``): no signal is read for them here.
    """

    signal: Signal
    time: str
    labels: Mapping[str, str]
    columns: tuple[str, ...]
    is_of_objectives: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """A metric that is counted from records: its family, and which of its values it has."""

    name: str
    family: Family
    form: Form
    type: str
    help: str

    @property
    def has_bounds(self) -> bool:
        """Whether each bound has a series."""
        return self.form is Form.BUCKET


def _words(column: str, words: Iterable[str]) -> str:
    cases = " ".join(f"WHEN {number} THEN {quote_text(word)}" for number, word in enumerate(words))
    return f"CASE coalesce({column}, 0) {cases} ELSE {column}::VARCHAR END"


_SPANS = Family(
    Signal.SPANS,
    "start_time_ns",
    {
        "service_name": SERVICE_NAME.text,
        "span_name": "name",
        "span_kind": _words("kind", SPAN_KINDS),
        "status_code": _words("status_code", STATUSES),
    },
    (SERVICE, "name", "kind", "status_code", "start_time_ns", "duration_ns"),
)
_LOGS = Family(
    Signal.LOGS,
    "time_ns",
    {"service_name": SERVICE_NAME.text, "severity": severity_sql()},
    (SERVICE, *SEVERITY_COLUMNS, "time_ns"),
)
#: Their labels are columns of ``query.issues.event_log``.
_EVENTS = Family(
    Signal.OCCURRENCES,
    "time_ns",
    {"event": "kind", "service_name": "service_name", "issue": "id", "exception_type": "type"},
    (),
)
#: Their labels are made with their counts.
_OBJECTIVES = Family(Signal.SPANS, "", {"slo": "slo", "service_name": "service_name"}, (), is_of_objectives=True)
_DURATION = "How long spans took, by the time they began."
COUNTED = {
    counted.name: counted
    for counted in (
        Counted("spans_total", _SPANS, Form.VALUE, "counter", "Spans, by the time they began."),
        Counted("span_duration_seconds_bucket", _SPANS, Form.BUCKET, "histogram", _DURATION),
        Counted("span_duration_seconds_count", _SPANS, Form.COUNT, "histogram", _DURATION),
        Counted("span_duration_seconds_sum", _SPANS, Form.SUM, "histogram", _DURATION),
        Counted("log_records_total", _LOGS, Form.VALUE, "counter", "Log records, by their time."),
        Counted("issue_events_total", _EVENTS, Form.VALUE, "counter", "Events of issues: new_issue, regression ..."),
        Counted("slo_events_total", _OBJECTIVES, Form.VALUE, "counter", "Events that count for an objective."),
        Counted("slo_bad_events_total", _OBJECTIVES, Form.VALUE, "counter", "Those of them that were bad."),
        Counted("slo_allowed_bad_events_total", _OBJECTIVES, Form.VALUE, "counter", "How many of them may be bad."),
    )
}


@dataclass(frozen=True, slots=True)
class Selection:
    """What is read of a part: labels as SQL, and the columns that they need."""

    labels: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    weight: str


def selection(family: Family, present: Collection[str], named: Collection[str]) -> Selection:
    """The labels of a family, and those attributes that the expression names, of the columns that a part has."""
    labels, columns = dict(family.labels), list(family.columns)
    for name in sorted({*named} - {*labels}):
        attributes = filter(None, map(AttributeColumn.parse, sorted(present)))
        own = [column for column in attributes if not column.is_list and name in {column.key, label_name(column.key)}]
        own.sort(key=lambda column: (column.position == "resource", column.position))
        if own:
            texts = ", ".join(f"{quote_identifier(column.name)}::VARCHAR" for column in own)
            labels[name] = f"coalesce({texts})"
            columns += (column.name for column in own)
    weight = "1.0"
    if PROBABILITY in present and family.signal is Signal.SPANS:
        columns.append(PROBABILITY)
        weight = WEIGHT
    return Selection(tuple(labels.items()), tuple(columns), weight)
