"""Targets of panels as queries: PromQL and Grafana's own expressions; other sources can't be asked here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from spanglass_server.dashboards.grafana.source import at, items, text
from spanglass_server.dashboards.names import query_id

if TYPE_CHECKING:
    from spanglass_server.dashboards.grafana.source import Told

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXPRESSION_SOURCES = frozenset({"__expr__", "-100"})
_NAMED = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_OURS = frozenset({"", "prometheus", "grafana-amazonprometheus-datasource", "datasource", "mixed"})


def queries_of(panel: Any, told: Told) -> list[dict[str, Any]]:
    """The queries of a panel that can be asked here."""
    found = []
    for place, target in enumerate(items(panel, "targets")):
        query = _query(panel, target, told)
        if query is not None:
            own = text(target, "refId")
            found.append({"id": own if _ID.fullmatch(own) else query_id(place), **query})
    if len({query["id"] for query in found}) < len(found):
        found = [{**query, "id": query_id(place)} for place, query in enumerate(found)]
    return found


def source_of(panel: Any, target: Any) -> str:
    """The kind of data source of a target: its own, else the panel's; "" for the default one, or a variable."""
    for holder in (target, panel):
        source = at(holder, "datasource")
        if isinstance(source, dict) and (text(source, "type") or text(source, "uid")):
            uid = text(source, "uid")
            return "__expr__" if uid in _EXPRESSION_SOURCES else text(source, "type")
    return ""


def _query(panel: Any, target: Any, told: Told) -> dict[str, Any] | None:
    name = text(target, "refId") or "A"
    source = source_of(panel, target)
    more: dict[str, Any] = {"hidden": True} if at(target, "hide") is True else {}
    if source == "__expr__":
        return _expression(target, name, more, told)
    if source not in _OURS:
        told.say(f"query {name}: its source is {source}")
        return None
    expression = text(target, "expr")
    if not expression.strip():
        if text(target, "rawSql") or text(target, "query"):
            told.say(f"query {name}: it is no PromQL")
        return None
    legend = text(target, "legendFormat")
    if legend and legend != "__auto":
        more["legend"] = legend
    return {"promql": expression, **more}


def _expression(target: Any, name: str, more: dict[str, Any], told: Told) -> dict[str, Any] | None:
    """Math is a formula; the others have no counterpart."""
    if text(target, "type") != "math" or not text(target, "expression"):
        told.say(f"query {name}: an expression of the type {text(target, 'type') or 'unknown'}")
        return None
    return {"formula": _NAMED.sub(r"\1", text(target, "expression")), **more}
