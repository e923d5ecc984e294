"""A metric's chart as PromQL: what a reader copies, and what draws the series that Prometheus sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.promql.stored.naming.names import is_plain_label, label_name, metric_name
from spanglass_server.query.language import FilterError, parse_filter
from spanglass_server.query.language.parsing.ast import And, Compare, In, Operator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.pages.metrics.choice import Aggregate, Choice
    from spanglass_server.query.language.parsing.ast import Filter

#: Rates reach over so many seconds, or over a step where that is longer: Prometheus' custom of four intervals of 60 s.
RATE_S = 300
_MATCHERS = {Operator.EQUAL: "=", Operator.NOT_EQUAL: "!=", Operator.MATCHES: "=~", Operator.NOT_MATCHES: "!~"}
_OVER = {"avg": "avg", "min": "min", "max": "max", "sum": "sum", "count": "count"}
_NATIVE = {"rate": "histogram_count", "avg": "histogram_avg", "sum": "histogram_sum"}


def expressions(choice: Choice, step_s: float) -> list[str] | None:
    """Return an expression for each line group of a chart; None where the filter cannot be said in PromQL."""
    matchers = _matchers(choice.filter)
    if matchers is None:
        return None
    return [_expression(choice, part, matchers, step_s) for part in choice.parts]


def _expression(choice: Choice, part: Aggregate, matchers: str, step_s: float) -> str:
    labels = [_label(key) for key in choice.by]
    name, by = _name(choice), f" by ({', '.join(labels)})" if labels else ""
    reach = f"[{_duration(max(RATE_S, step_s))}]"
    shape = choice.metric["shape"]
    if shape == "gauge":
        function = _OVER[part.api] if part.q is None else "quantile"
        return f"{function}{by} ({'' if part.q is None else f'{part.q:g}, '}{name}{matchers})"
    if shape == "counter":
        over = f"[{_duration(step_s)}]" if part.api == "increase" else reach
        return f"sum{by} ({part.api}({name}{matchers}{over}))"
    if part.q is not None and shape == "histogram":
        within = f"by ({', '.join(['le', *labels])})"
        return f"histogram_quantile({part.q:g}, sum {within} (rate({name}_bucket{matchers}{reach})))"
    if shape == "native_histogram":
        rates = f"sum{by} (rate({name}{matchers}{reach}))"
        return f"histogram_quantile({part.q:g}, {rates})" if part.q is not None else f"{_NATIVE[part.api]}({rates})"
    count, total = (f"sum{by} (rate({name}_{what}{matchers}{reach}))" for what in ("count", "sum"))
    return {"rate": count, "avg": f"{total} / {count}"}.get(part.api, total)


def _name(choice: Choice) -> str:
    """Return the metric's name in Prometheus, without the suffixes of histograms."""
    metric = choice.metric
    if metric["is_flat"]:
        return str(metric["name"])
    is_counter = metric["type"] == "sum" and metric["is_monotonic"]
    return metric_name(metric["name"], metric["unit"], is_gauge=metric["type"] == "gauge", is_counter=is_counter)


def _label(key: str) -> str:
    name = label_name(key)
    return name if is_plain_label(name) else _quoted(name)


def _matchers(text: str) -> str | None:
    """Return a filter as matchers in braces; None for one that says more than that all of some comparisons hold."""
    try:
        tree = parse_filter(text)
    except FilterError:
        return None
    terms: Sequence[Filter] = tree.terms if isinstance(tree, And) else (tree,)
    written = [_matcher(term) for term in terms]
    if None in written:
        return None
    return f"{{{', '.join(filter(None, written))}}}" if written else ""


def _matcher(term: Filter) -> str | None:
    if isinstance(term, In):
        return f"{_label(term.field.name)}=~{_quoted('|'.join(_escaped(value.text) for value in term.values))}"
    if isinstance(term, Compare) and term.operator in _MATCHERS:
        return f"{_label(term.field.name)}{_MATCHERS[term.operator]}{_quoted(term.value.text)}"
    return None


def _escaped(text: str) -> str:
    """Write a text as a regular expression that matches it alone."""
    return "".join(f"\\{letter}" if letter in r"\.+*?()|[]{}^$" else letter for letter in text)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _duration(seconds: float) -> str:
    whole = max(1, round(seconds))
    return next(f"{whole // size}{unit}" for size, unit in ((3600, "h"), (60, "m"), (1, "s")) if whole % size == 0)
