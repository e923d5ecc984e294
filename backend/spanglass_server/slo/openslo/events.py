"""What an OpenSLO query counts, as filters of spans: our own filters, and PromQL over metrics of requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.parsing import nodes
from spanglass_server.promql.parsing.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass_server.promql.ports import Matcher

_HTTP: Final = "http.request.method exists"  # of older names too, as the filter language reads them
#: Metrics that count requests, by what their names begin with, and the spans that they are of: servers of other
#: protocols have none of these attributes.
_REQUESTS: Final = (
    (re.compile(r"http_(server_)?(request_)?(duration|requests)(_(milli)?seconds)?_(total|count|bucket)"),
     ("kind:server", _HTTP)),
    (re.compile(r"http_client_(request_duration|duration)(_(milli)?seconds)?_(count|bucket)"), ("kind:client", _HTTP)),
    (re.compile(r"rpc_server_duration(_(milli)?seconds)?_(count|bucket)"), ("kind:server", "rpc.system exists")),
)  # fmt: skip
#: Labels of such metrics, and the attributes that they are made of.
_LABELS: Final = {
    **dict.fromkeys(("job", "service", "service_name"), "service.name"),
    **dict.fromkeys(("code", "status", "status_code", "http_status_code", "http_response_status_code"),
                    "http.response.status_code"),
    **dict.fromkeys(("method", "http_method", "http_request_method"), "http.request.method"),
    **dict.fromkeys(("route", "handler", "http_route"), "http.route"),
}  # fmt: skip
_CODE: Final = "http.response.status_code"
_CLASS: Final = re.compile(r"\^?([1-5])(?:\.\.|\.\*|xx|\\d\\d|\\d\{2\}|\[0-9\]\[0-9\]|\[0-9\]\{2\})\$?")
_NUMBER: Final = re.compile(r"\^?([1-5]\d\d)\$?")
_COUNTING: Final = ("rate", "increase", "irate")


class CannotTakeError(ValueError):
    """Why something can't be said as an objective; ``hint`` is what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Events:
    """Spans that a query counts: conditions that all hold, and how long they take at most (0: however long)."""

    conditions: tuple[str, ...]
    latency_s: float = 0.0

    def beyond(self, others: Events) -> str:
        """The conditions that others have not, as a filter."""
        return " and ".join(one for one in self.conditions if one not in others.conditions)

    @property
    def filter(self) -> str:
        """All conditions as a filter."""
        return " and ".join(self.conditions)


def of_promql(text: str) -> Events:
    """Return what a query such as ``sum(rate(http_requests_total{job="shop"}[5m]))`` counts; CannotTakeError."""
    try:
        found = list(_selectors(parse(text)))
    except PromqlError as error:
        raise CannotTakeError(f"it is no PromQL: {error.message}") from error
    if len(found) != 1:
        raise CannotTakeError(
            "it is no sum of one counter's rate", 'such as sum(rate(http_requests_total{job="shop"}[5m]))'
        )
    selector = found[0]
    requests = next((spans for pattern, spans in _REQUESTS if pattern.fullmatch(selector.name)), ())
    if not requests or selector.any_of:
        message = f"objectives count spans and checks, and {selector.name or 'its metric'} tells of neither"
        raise CannotTakeError(message, "write the objective by hand: spans, and what makes them good")
    if selector.offset or selector.at is not None:
        raise CannotTakeError(
            "it asks about another time, with offset or @", "objectives count what is of their window"
        )
    latency_s, conditions = 0.0, [*requests]
    for matcher in selector.matchers:
        if matcher.name == "le" and matcher.operator == "=" and selector.name.endswith("_bucket"):
            latency_s = _bound(matcher.value, "milliseconds" in selector.name)
        elif matcher.name != "__name__":
            conditions += _conditions(matcher)
    return Events(tuple(conditions), latency_s)


def _selectors(node: nodes.Expr) -> Iterator[nodes.VectorSelector]:
    """The selector below sums of rates; nothing where there is anything else."""
    if isinstance(node, nodes.Paren) or (isinstance(node, nodes.Aggregate) and node.op == "sum"):
        yield from _selectors(node.expr)
    elif isinstance(node, nodes.Call) and node.function in _COUNTING and isinstance(node.args[0], nodes.MatrixSelector):
        yield node.args[0].selector
    elif isinstance(node, nodes.VectorSelector):
        yield node


def _bound(text: str, is_milliseconds: bool) -> float:  # noqa: FBT001 - one of two units
    try:
        bound = float(text)
    except ValueError:
        raise CannotTakeError(f"le={text!r} is no number") from None
    if bound == float("inf"):
        return 0.0
    if not bound > 0:  # as no request takes; 0 would be none at all
        raise CannotTakeError(f"le={text!r} is no bound of durations", "give a number of more than 0, or +Inf")
    return bound / 1000 if is_milliseconds else bound


def _conditions(matcher: Matcher) -> list[str]:
    """What a label asks of spans; a job is a service, or a namespace and a service."""
    namespace, _, name = matcher.value.rpartition("/")
    if matcher.name != "job" or not (namespace and name):
        return [_condition(matcher)]
    if matcher.operator.endswith("~"):
        message = f"job{matcher.operator}{matcher.value!r} is of namespaces and services together"
        raise CannotTakeError(message, 'write job="namespace/service", or ask for the label service_name')
    both = [f"service.namespace = {_quoted(namespace)}", f"service.name = {_quoted(name)}"]
    return [f"not ({' and '.join(both)})"] if matcher.operator == "!=" else both


def _condition(matcher: Matcher) -> str:
    attribute = _LABELS.get(matcher.name)
    if attribute is None:
        known = ", ".join(sorted(set(_LABELS)))
        raise CannotTakeError(f"the label {matcher.name} is not known as an attribute of spans", f"known are {known}")
    is_negated, is_regex = matcher.operator.startswith("!"), matcher.operator.endswith("~")
    value = matcher.value
    if attribute == _CODE:
        codes = _codes(value.removeprefix("(").removesuffix(")").split("|") if is_regex else [value])
        return f"not ({codes})" if is_negated else codes
    if is_regex:
        return f"{attribute} {'!~' if is_negated else '~'} {_quoted(f'^(?:{value})$')}"
    return f"{attribute} {'!=' if is_negated else '='} {_quoted(value)}"


def _codes(texts: Sequence[str]) -> str:
    """Status codes such as ``5..`` and ``404`` as a filter."""
    found = []
    for text in texts:
        if (whole := _CLASS.fullmatch(text)) is not None:
            first = int(whole[1]) * 100
            found.append(f"{_CODE} >= {first} and {_CODE} < {first + 100}")
        elif (code := _NUMBER.fullmatch(text)) is not None:
            found.append(f"{_CODE} = {code[1]}")
        else:
            raise CannotTakeError(f"{text!r} is no status code and no class of them", "such as 404 or 5..")
    return found[0] if len(found) == 1 else f"({' or '.join(found)})"  # "and" binds more tightly


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
