"""The functions of templates: Prometheus' and those of Go's templates, a row each."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode

from spanglass_core.units import UnitError, parse_duration_ns
from spanglass_server.alerting.rules.templates import numbers
from spanglass_server.alerting.rules.templates.nodes import TemplateError
from spanglass_server.alerting.rules.templates.printf import MAX_LENGTH, sprintf, text_of
from spanglass_server.alerting.rules.templates.regexes import matches, replaced
from spanglass_server.alerting.rules.templates.values import Filling, Sample, field_of, is_true, number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ANY = -1
_COMPARED = (bool, int, float, str, type(None))
_MOST_ARGUMENTS = 100


@dataclass(frozen=True, slots=True)
class Function:
    """A function and how many arguments it takes; ``most`` is -1 for any number."""

    call: Callable[..., Any]
    least: int
    most: int


def called(name: str, arguments: Sequence[Any], filling: Filling) -> Any:
    """The value of a function. Raises ``TemplateError``."""
    function = FUNCTIONS[name]
    most = _MOST_ARGUMENTS if function.most == _ANY else function.most
    if not function.least <= len(arguments) <= most:
        raise TemplateError(f"{name} takes {_how_many(function)}, not {len(arguments)}")
    try:
        value = _ASKING[name](filling, *arguments) if name in _ASKING else function.call(*arguments)
        return value[:MAX_LENGTH] if isinstance(value, str) else value
    except TemplateError:
        raise
    except (TypeError, ValueError, OverflowError) as error:  # a value of another kind than the function takes
        raise TemplateError(f"{name}: {error}") from None


def _how_many(function: Function) -> str:
    if function.most == function.least:
        return f"{function.least} arguments" if function.least != 1 else "1 argument"
    return f"{function.least} to {_MOST_ARGUMENTS if function.most == _ANY else function.most} arguments"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TemplateError(f"expected a text, not {text_of(value)}")
    return value


def _samples(value: Any) -> list[Sample]:
    if not isinstance(value, list):
        raise TemplateError("expected the samples of a query", hint='such as query "up" | first')
    return value


def _sample(value: Any) -> Sample:
    if not isinstance(value, Sample):
        raise TemplateError("expected a sample", hint='such as query "up" | first | value')
    return value


def _first(value: Any) -> Sample:
    if not _samples(value):
        raise TemplateError("first: the query found nothing", hint="put it in a with or a range")
    return _samples(value)[0]


def _by_label(label: Any, value: Any) -> list[Sample]:
    return sorted(_samples(value), key=lambda sample: sample.labels.get(_text(label), ""))


def _strip_port(address: Any) -> str:
    host, colon, port = _text(address).rpartition(":")
    if not colon or not port.isdigit() or (":" in host and not host.endswith("]")):
        return str(address)
    return host.strip("[]")


def _strip_domain(address: Any) -> str:
    host = _strip_port(address)
    port = _text(address)[len(host) :]
    if re.fullmatch(r"[\d.]+|\[?[\da-fA-F:]*:[\da-fA-F:]*\]?", host):
        return str(address)
    return host.partition(".")[0] + port


def _seconds(text: Any) -> float:
    try:
        return parse_duration_ns(_text(text)) / 1e9
    except UnitError as error:
        raise TemplateError(str(error)) from None


def _graph_link(path: str) -> Callable[[Any], str]:
    def link(expr: Any) -> str:
        return f"/graph?{urlencode({'g0.expr': _text(expr), 'g0.tab': path})}"

    return link


def _path_prefix(filling: Filling) -> str:
    address = filling.external_url.partition("://")[2]
    return address[address.find("/") :].partition("?")[0] if "/" in address else ""


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, list | tuple | str):
            place = key if isinstance(key, int) else -1
            if not 0 <= place < len(value):
                raise TemplateError(f"there is no item {text_of(key)}")
            value = value[place]
        else:
            value = field_of(value, _text(key))
    return value


def _slice(value: Any, *places: int) -> Any:
    begin, end = (*places, *(0, len(value))[len(places) :])[:2]
    if not 0 <= begin <= end <= len(value):
        raise TemplateError(f"there is nothing from {begin} to {end}")
    return value[begin:end]


def _print(*values: Any) -> str:
    """Go puts a space between two values of which neither is a text."""
    text = ""
    for place, value in enumerate(values):
        if place and not isinstance(value, str) and not isinstance(values[place - 1], str):
            text += " "
        text += text_of(value)
    return text


def _html(text: str) -> str:
    return html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")


def _equal(first: Any, *others: Any) -> bool:
    return any(_comparable(first, other) and first == other for other in others)


def _comparable(one: Any, other: Any) -> bool:
    kinds = [bool if isinstance(value, bool) else type(value) for value in (one, other)]
    if kinds[0] not in _COMPARED:
        raise TemplateError(f"{text_of(one)} can't be compared")
    if kinds[0] is not kinds[1]:
        raise TemplateError(f"{text_of(one)} and {text_of(other)} are of two types, and can't be compared")
    return True


def _comparing(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(one: Any, other: Any) -> bool:
        if not isinstance(one, int | float | str):
            raise TemplateError(f"{text_of(one)} can't be compared")
        return _comparable(one, other) and compare(one, other)

    return compared


def _and(*values: Any) -> Any:
    return next((value for value in values if not is_true(value)), values[-1])


def _or(*values: Any) -> Any:
    return next((value for value in values if is_true(value)), values[-1])


def _on_number(write: Callable[[float], str]) -> Function:
    return Function(lambda value: write(number_of(value)), 1, 1)


def _on_text(change: Callable[[str], Any]) -> Function:
    return Function(lambda value: change(_text(value)), 1, 1)


def _needs_filling(*_: Any) -> Any:
    raise AssertionError("called with its filling")


_ASKING: dict[str, Callable[..., Any]] = {
    "query": lambda filling, promql: list(filling.query(_text(promql))),
    "externalURL": lambda filling: filling.external_url,
    "pathPrefix": _path_prefix,
}

FUNCTIONS: dict[str, Function] = {
    "query": Function(_needs_filling, 1, 1),
    "externalURL": Function(_needs_filling, 0, 0),
    "pathPrefix": Function(_needs_filling, 0, 0),
    "first": Function(_first, 1, 1),
    "label": Function(lambda label, sample: _sample(sample).labels.get(_text(label), ""), 2, 2),
    "value": Function(lambda sample: _sample(sample).value, 1, 1),
    "strvalue": Function(lambda sample: _sample(sample).labels.get("__value__", ""), 1, 1),
    "sortByLabel": Function(_by_label, 2, 2),
    "args": Function(lambda *values: {f"arg{place}": value for place, value in enumerate(values)}, 0, _ANY),
    "humanize": _on_number(numbers.humanize),
    "humanize1024": _on_number(numbers.humanize_1024),
    "humanizeDuration": _on_number(numbers.humanize_duration),
    "humanizePercentage": _on_number(numbers.humanize_percentage),
    "humanizeTimestamp": _on_number(numbers.humanize_timestamp),
    "parseDuration": Function(_seconds, 1, 1),
    "title": _on_text(lambda text: re.sub(r"(?<!\w)\w", lambda found: found[0].upper(), text)),
    "toUpper": _on_text(str.upper),
    "toLower": _on_text(str.lower),
    "match": Function(lambda pattern, text: matches(_text(pattern), _text(text)), 2, 2),
    "reReplaceAll": Function(lambda *texts: replaced(*map(_text, texts)), 3, 3),
    "stripPort": Function(_strip_port, 1, 1),
    "stripDomain": Function(_strip_domain, 1, 1),
    "graphLink": Function(_graph_link("0"), 1, 1),
    "tableLink": Function(_graph_link("1"), 1, 1),
    "safeHtml": _on_text(str),
    "urlQueryEscape": _on_text(quote_plus),
    "and": Function(_and, 1, _ANY),
    "or": Function(_or, 1, _ANY),
    "not": Function(lambda value: not is_true(value), 1, 1),
    "eq": Function(_equal, 2, _ANY),
    "ne": Function(lambda one, other: not _equal(one, other), 2, 2),
    "lt": Function(_comparing(lambda one, other: one < other), 2, 2),
    "le": Function(_comparing(lambda one, other: one <= other), 2, 2),
    "gt": Function(_comparing(lambda one, other: one > other), 2, 2),
    "ge": Function(_comparing(lambda one, other: one >= other), 2, 2),
    "len": Function(len, 1, 1),
    "index": Function(_index, 1, _ANY),
    "slice": Function(_slice, 1, 3),
    "print": Function(_print, 0, _ANY),
    "println": Function(lambda *values: f"{' '.join(map(text_of, values))}\n", 0, _ANY),
    "printf": Function(lambda template, *values: sprintf(_text(template), values), 1, _ANY),
    "html": Function(lambda *values: _html(_print(*values)), 1, _ANY),
    "js": Function(lambda *values: json.dumps(_print(*values))[1:-1], 1, _ANY),
    "urlquery": Function(lambda *values: quote_plus(_print(*values)), 1, _ANY),
}
