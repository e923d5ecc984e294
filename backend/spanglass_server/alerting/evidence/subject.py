"""What an alert is about: service, host, records, and the times that are compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spanglass_core.attribute_names import HEALTH_CHECK_NAME
from spanglass_server.alerting.evidence.topics import COUNTED_SPANS, kind_of_rule, quantities
from spanglass_server.alerting.store.filters import HOST_LABELS, SERVICE_LABELS
from spanglass_server.measures.grammar import LABELS
from spanglass_server.promql.stored.naming.names import label_name
from spanglass_server.query.comparing.groups import Groups
from spanglass_server.query.language import compile_filter, parse_filter
from spanglass_server.query.language.compiling.sql import FALSE, Sql
from spanglass_server.query.language.parsing.ast import Field
from spanglass_server.query.language.parsing.text import format_field, quote
from spanglass_server.query.records import match_records
from spanglass_server.query.window import clamp, describe
from spanglass_server.signals import AttributeColumn, Signal
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.evidence.answers import AboutShown, Topic
    from spanglass_server.alerting.model import Alert
    from spanglass_server.query.records import Records
    from spanglass_server.store.ports import QuerySession, Window

#: Bad records are looked for in the time that the condition needs, and at least so long, at most so long.
_LEAST_NS, _MOST_NS = 120 * NS_PER_SECOND, 3_600 * NS_PER_SECOND
_EQUAL = re.compile(r'"?([\w.]+)"?\s*=\s*"((?:[^"\\]|\\.)*)"')
_SERVICE_IN_FILTER = re.compile(r'service(?:\.name)?\s*[:=]\s*(?:"([^"]+)"|([^\s()",=<>!~]+))')
#: Labels of counted records that are no attributes.
_OF_RECORDS = {"span_name": "name", "span_kind": "kind", "status_code": "status", "severity": "severity"}
_OR, _IN_BRACKETS = re.compile(r"\bor\b|\|\|", re.IGNORECASE), re.compile(r"\([^()]*\)")
_HEALTH_CHECK = label_name(HEALTH_CHECK_NAME)
_NO_FILTER = {*SERVICE_LABELS, *HOST_LABELS, "issue", "event", "exception_type", "le"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at. ``name`` is what the quantity is called; ``filter`` and ``bad`` are in the filter language.

    The condition has held since ``since_ns``, and the alert fired at ``at_ns``. ``window`` is looked at for what is
    bad, ``before`` is as long a time in front of it. ``health_check`` is its name, "" for what is about none.
    """

    topic: Topic
    name: str
    signal: Signal
    service: str
    host: str
    issue: str
    health_check: str
    filter: str
    bad: str
    since_ns: int
    at_ns: int
    window: Window
    before: Window
    onset_ns: int = 0  # of the first bad record, where none came in the time before

    @property
    def start_ns(self) -> int:
        """From when on figures are those of now: since it is bad, as far as that is known."""
        return self.onset_ns or self.window.start_ns

    @property
    def is_of_one_service(self) -> bool:
        """Whether its filter asks for one service; that of an objective may ask for several, or for none."""
        return len({quoted or plain for quoted, plain in _SERVICE_IN_FILTER.findall(self.filter)}) == 1

    def both(self) -> Window:
        """The time before and the window."""
        return clamp(self.before.start_ns, self.window.end_ns)

    def records(self, session: QuerySession, window: Window) -> Records:
        """The records that are meant, in a window."""
        return match_records(session, self.signal, window, self.filter)

    def bad_records(self, session: QuerySession) -> Records:
        """The bad ones of the window and of the time before."""
        terms = [f"({term})" for term in (self.filter, self.bad) if term]
        return match_records(session, self.signal, self.both(), " and ".join(terms))

    def groups(self, session: QuerySession) -> Groups:
        """The bad records of the window, and all others of it and of the time before."""
        records = self.records(session, self.both())
        if not self.bad:
            return Groups(records, FALSE, frozenset(), self.window.start_ns)
        found = compile_filter(parse_filter(self.bad), self.signal, records.known)
        return Groups(records, Sql(found.sql, tuple(found.parameters)), frozenset(found.columns), self.window.start_ns)

    def of_operation(self, name: str) -> Subject:
        """The same, of spans with one name only; "" for all."""
        if not name or self.signal is Signal.LOGS:
            return self
        terms = [_bracketed(self.filter)] if self.filter else []
        return replace(self, filter=" and ".join([*terms, f"name = {quote(name)}"]))

    def shown(self) -> AboutShown:
        """As evidence shows it."""
        return {
            "topic": self.topic,
            "signal": "logs" if self.signal is Signal.LOGS else "spans",
            "service": self.service,
            "host": self.host,
            "filter": self.filter,
            "bad": self.bad,
            "since_time": format_time(self.since_ns),
            "window": describe(self.window),
            "before": describe(self.before),
        }


@dataclass(frozen=True, slots=True)
class Held:
    """When the condition held: since when without a break, and until when (the fire)."""

    since_ns: int
    at_ns: int


def subject_of(session: QuerySession, rule: Rule, alert: Alert, held: Held, default_window_ns: int) -> Subject:
    """What an alert is about, from the condition of its rule and its key."""
    kind = kind_of_rule(rule)
    labels = {**_fixed(rule.condition), **alert.labels, **dict(alert.key)}
    service, host = (next((labels[name] for name in names if labels.get(name)), "")
                     for names in (SERVICE_LABELS, HOST_LABELS))  # fmt: skip
    service = service or _service_in(kind.bad) or _service_in(kind.filter)
    asked = [each.window_ns for each in quantities(rule.condition)]
    asked_ns = max([rule.window_ns or default_window_ns, *asked])
    # bad spans of an objective may be few, but some lie in its shortest window
    most_ns = max(_MOST_NS, min(asked, default=0)) if COUNTED_SPANS in rule.annotations else _MOST_NS
    long_ns = min(max(held.at_ns - held.since_ns + asked_ns, _LEAST_NS), most_ns)
    window = clamp(held.at_ns - long_ns, held.at_ns + 1)
    signal = Signal.LOGS if kind.topic == "logs" else Signal.SPANS
    keyed = {**_fixed(rule.condition), **dict(alert.key)}
    of_service = "" if COUNTED_SPANS in rule.annotations else _service_term(service)
    terms = [term for term in (of_service, kind.filter, *_terms(session, signal, window, keyed)) if term]
    return Subject(
        topic="silence" if kind.topic == "traffic" and _is_below(rule.condition) else kind.topic,
        name=kind.name,
        signal=signal,
        service=service,
        host=host,
        issue=labels.get("issue", "") if kind.topic == "issue" else "",
        health_check=labels.get(_HEALTH_CHECK, ""),
        filter=" and ".join(terms if len(terms) == 1 else map(_bracketed, terms)),
        bad=kind.bad,
        since_ns=held.since_ns,
        at_ns=held.at_ns,
        window=window,
        before=clamp(window.start_ns - long_ns, window.start_ns),
    )


def _bracketed(term: str) -> str:
    """A filter as one of several that must all hold."""
    return f"({term})" if _OR.search(term) and not _IN_BRACKETS.fullmatch(term) else term


def _is_below(condition: str) -> bool:
    return re.search(r"<|\bnot\s*\(", condition) is not None


def _service_term(service: str) -> str:
    return f"service.name = {quote(service)}" if service else ""


def _service_in(filter_text: str) -> str:
    found = _SERVICE_IN_FILTER.search(filter_text)
    return (found[1] or found[2]) if found else ""


def _fixed(condition: str) -> dict[str, str]:
    """Labels whose values the condition itself fixes: ``{service="shop"}``, also within PromQL."""
    found: dict[str, str] = {}
    for quantity in quantities(condition):
        texts = quantity.conditions if quantity.kind != "promql" else (quantity.text,)
        for text in texts:
            found |= {LABELS.get(key, key.replace(".", "_")): value for key, value in _EQUAL.findall(text)}
    return found


def _terms(session: QuerySession, signal: Signal, window: Window, labels: Mapping[str, str]) -> Iterator[str]:
    """Labels that records have too, in the filter language."""
    wanted = {label: value for label, value in labels.items() if label not in _NO_FILTER and value}
    if not wanted:
        return
    keys = {
        label_name(column.key): column.key
        for column in map(AttributeColumn.parse, session.columns(signal, window))
        if column
    }
    for label, value in wanted.items():
        if label in _OF_RECORDS:
            yield f"{_OF_RECORDS[label]} = {value if label != 'span_name' else quote(value)}"
        elif label in keys:
            yield f"{format_field(Field(keys[label]))} = {quote(value)}"
