"""Conditions of every form, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from spanglass_core.alerting.conditions.nodes import (
    Absent,
    And,
    Arithmetic,
    Comparison,
    Forecast,
    IssueEvent,
    Not,
    Number,
    Or,
    Present,
    Quantity,
    Usual,
)

_DURATIONS_NS = st.sampled_from([0, 1, 90 * 10**9, 3 * 86_400 * 10**9])
_NAMES = st.sampled_from(["error_rate", "process.memory.usage", "job:x:rate5m", "over", "weird-name", 'a"b\\c'])
_TEXTS = st.text("ab \"'`\\\n:é", min_size=1).map(str.strip).filter(bool)
_KEYS = st.lists(st.sampled_from(["route", "http.route", "by", "a b"]), unique=True, max_size=2).map(tuple)
_CONDITIONS = st.sampled_from([(), ('service="shop"',), ('http.route=~"/a\\\\.b"', '"a b"!="\\"\\n"')])
_NUMBERS = st.builds(
    Number,
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "s", "bytes", "ratio", "/s", "bytes/s"]),
)


def _named(aggregate: str) -> st.SearchStrategy[Quantity]:
    return st.builds(
        Quantity,
        st.just("measure_or_metric"),
        _NAMES,
        st.just(aggregate),
        _CONDITIONS,
        _KEYS,
        _DURATIONS_NS,
        _DURATIONS_NS,
    )


QUANTITIES = st.one_of(
    _named(""),
    _named("p99.9"),
    st.builds(Quantity, st.just("promql"), _TEXTS, offset_ns=_DURATIONS_NS),
    st.builds(Quantity, st.just("spans"), _TEXTS | st.just(""), st.sampled_from(["count", "p95"]), by=_KEYS),
    st.builds(Quantity, st.just("logs"), _TEXTS, st.just("rate"), window_ns=_DURATIONS_NS),
)


def _joined(part: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    several = st.lists(part, min_size=2, max_size=3).map(tuple)
    return st.builds(And, several) | st.builds(Or, several) | st.builds(Not, part)


VALUES = st.recursive(
    QUANTITIES
    | st.builds(Usual, st.sampled_from(["baseline", "spread"]), st.none() | QUANTITIES)
    | st.builds(Forecast, QUANTITIES, st.integers(300, 30 * 86_400).map(lambda seconds: seconds * 10**9)),
    lambda part: st.builds(Arithmetic, st.sampled_from(["+", "-", "*"]), part | _NUMBERS, part),
    max_leaves=4,
)
CONDITIONS = st.recursive(
    st.builds(Comparison, st.sampled_from([">", ">=", "<", "<=", "==", "!="]), VALUES, VALUES | _NUMBERS)
    | st.builds(Absent, QUANTITIES, _DURATIONS_NS)
    | st.builds(Present, QUANTITIES)
    | st.builds(IssueEvent, st.sampled_from(["new_issue", "regression", "escalation"]), _TEXTS | st.just("")),
    _joined,
    max_leaves=4,
)
