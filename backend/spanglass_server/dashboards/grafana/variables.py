"""Variables and annotations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from spanglass_server.dashboards.grafana.source import at, items, text, texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.dashboards.grafana.source import Told

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REGEX = re.compile(r"/(.*)/[a-z]*", re.DOTALL)
_ALL = "$__all"
_HIDDEN = 2
_PAIR = re.compile(r"(?:^|.*[^\\])\s:\s")


def variables_of(dashboard: Any, told: Told) -> list[dict[str, Any]]:
    """Variables that have a counterpart."""
    found = []
    for entry in items(dashboard, "templating", "list"):
        name, kind = text(entry, "name"), text(entry, "type")
        if not _WORD.fullmatch(name):
            told.say(f"the variable {name!r}: its name is not possible")
            continue
        read = _KINDS.get(kind)
        own = read(entry, told) if read is not None else None
        if own is None:
            told.say(f"the variable {name}: {_WHY.get(kind, f'its type is {kind}')}")
            continue
        found.append({"name": name, **own, **_common(entry, own, told)})
    return found


_WHY = {
    "datasource": "there is one source here",
    "adhoc": "filters are written into queries",
    "groupby": "grouping is written into queries",
    "query": "its query is no label_values, label_names, metrics or query_result",
}


def _common(entry: Any, own: dict[str, Any], told: Told) -> dict[str, Any]:
    common: dict[str, Any] = {}
    if text(entry, "label"):
        common["label"] = text(entry, "label")
    for key, ours in (("multi", "multi"), ("includeAll", "all")):
        if at(entry, key) is True:
            common[ours] = True
    if text(entry, "allValue") not in {"", ".*", ".+"}:
        told.say(f"the variable {text(entry, 'name')}: its own text for all values")
    if at(entry, "hide") == _HIDDEN or text(entry, "type") == "constant":
        common["hidden"] = True
    current = [value for value in texts(at(entry, "current", "value")) if value and value != _ALL]
    if current and "default" not in own:
        common["default"] = current if common.get("multi") else current[:1]
    return common


def _query(entry: Any, told: Told) -> dict[str, Any] | None:
    query = text(entry, "query") or text(entry, "query", "query") or text(entry, "definition")
    if not re.match(r"\s*(label_values|label_names|metrics|query_result)\s*\(", query):
        return None
    regex = text(entry, "regex")
    pattern = _REGEX.fullmatch(regex)
    regex = pattern[1] if pattern else regex
    try:
        re.compile(regex.replace("(?<", "(?P<"))
    except re.error:
        told.say(f"the variable {text(entry, 'name')}: its pattern {regex!r}")
        regex = ""
    return {"query": query} | ({"regex": regex.replace("(?<", "(?P<")} if regex else {})


def _custom(entry: Any, _: Told) -> dict[str, Any] | None:
    """``a, b`` or ``text : value, ...``; a comma within a value has a backslash before it."""
    parts = re.split(r"(?<!\\),", text(entry, "query"))
    values = [_PAIR.sub("", part.replace("\\,", ",")).strip() for part in parts]
    values = [value for value in values if value]
    return {"values": values} if values else None


def _interval(entry: Any, told: Told) -> dict[str, Any] | None:
    if at(entry, "auto") is True:
        told.say(f"the variable {text(entry, 'name')}: the choice auto; $__rate_interval follows the range")
    found = _custom(entry, told)
    current = [value for value in texts(at(entry, "current", "value")) if not value.startswith("$__auto")]
    return found | {"default": current[:1] or found["values"][:1]} if found else None


def _textbox(entry: Any, _: Told) -> dict[str, Any]:
    value = text(entry, "query") or next(iter(texts(at(entry, "current", "value"))), "")
    return {"default": [value]} if value else {}


_KINDS: dict[str, Callable[[Any, Told], dict[str, Any] | None]] = {
    "query": _query,
    "custom": _custom,
    "constant": lambda entry, _: {"values": [text(entry, "query")]} if text(entry, "query") else None,
    "interval": _interval,
    "textbox": _textbox,
}


def annotations_of(dashboard: Any, told: Told) -> list[dict[str, Any]]:
    """Annotations from PromQL; Grafana's own notes stay where they are."""
    found: list[dict[str, Any]] = []
    for entry in items(dashboard, "annotations", "list"):
        name, query = text(entry, "name"), text(entry, "expr") or text(entry, "target", "expr")
        if at(entry, "builtIn") in (1, True):
            continue
        if not query or text(entry, "datasource", "type") not in {"", "prometheus"}:
            told.say(f"the annotation {name!r}: it does not come from PromQL")
            continue
        if any(name == other["name"] for other in found) or not name.strip():
            told.say(f"the annotation {name!r}: its name")
            continue
        label = text(entry, "titleFormat") or text(entry, "textFormat")
        found.append({"name": name, "source": "promql", "query": query} | ({"label": label} if label else {}))
    return found
