"""What may be written shorter: one query as a text, thresholds as numbers, names that follow from others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_server.dashboards.names import panel_ids, query_id
from spanglass_server.forms.names import uid_of, without_uid
from spanglass_server.forms.nodes import Entry, Node

if TYPE_CHECKING:
    from spanglass_server.dashboards.model import Dashboard, Panel
    from spanglass_server.forms.problems import Report


def unfold_query(node: Node, _: Report) -> Node:
    """A text is the query of a query."""
    return _as_entry(node, "query") if node.sort == "text" else node


def unfold_threshold(node: Node, _: Report) -> Node:
    """A number is the value of a threshold."""
    return _as_entry(node, "value") if node.sort == "number" else node


def unfold_panel(node: Node, report: Report) -> Node:
    """``query`` is the only one of the ``queries``."""
    if node.sort != "mapping":
        return node
    single = next((entry for entry in node.entries if entry.key == "query"), None)
    if single is None:
        return node
    place = (single.line, single.column)
    if node.named("queries") is not None:
        report.add_at(single.value.path, place, "query and queries are both given", "move it into the list")
        return replace(node, entries=tuple(entry for entry in node.entries if entry is not single))
    value = single.value
    if value.sort == "list":
        report.add(value, "query is one query", "write queries: for a list of them")
        return replace(node, entries=tuple(entry for entry in node.entries if entry is not single))
    queries = Node("list", value.path, value.line, value.column, items=(value,))
    unfolded = Entry("queries", *place, queries)
    return replace(node, entries=tuple(unfolded if entry is single else entry for entry in node.entries))


def _as_entry(node: Node, key: str) -> Node:
    return Node("mapping", node.path, node.line, node.column, entries=(Entry(key, node.line, node.column, node),))


def finish_panel(panel: Panel) -> Panel:
    """Give the queries their letters."""
    queries = (replace(query, id=query.id or query_id(place)) for place, query in enumerate(panel.queries))
    return replace(panel, queries=tuple(queries))


def finish_dashboard(dashboard: Dashboard) -> Dashboard:
    """Give the dashboard its uid, and the panels their ids."""
    ids = panel_ids([(panel.id, panel.title) for panel in dashboard.panels])
    panels = tuple(replace(panel, id=own) for panel, own in zip(dashboard.panels, ids, strict=True))
    return replace(dashboard, uid=dashboard.uid or uid_of(dashboard.name, "dashboard"), panels=panels)


def fold_panel(written: dict[str, Any]) -> dict[str, Any]:
    """Leave out letters that follow from the place; write a single query as ``query``, a text if it is no more."""
    queries = [_without_letter(query, place) for place, query in enumerate(written.get("queries", ()))]
    folded: dict[str, Any] = {}
    for key, value in written.items():
        if key != "queries":
            folded[key] = value
        elif len(queries) == 1:
            folded["query"] = _alone(queries[0])
        else:
            folded["queries"] = queries
    return {key: folded[key] for key in sorted(folded, key=_PANEL_ORDER.index)}


#: title, type and query come first: they are what people look for
_PANEL_ORDER = (
    *("title", "type", "id", "description", "query", "queries", "legend", "unit"),
    *("thresholds", "options", "position", "links"),
)


def _without_letter(query: dict[str, Any], place: int) -> dict[str, Any]:
    return {key: value for key, value in query.items() if key != "id" or value != query_id(place)}


def _alone(query: dict[str, Any]) -> Any:
    return query["query"] if set(query) == {"query"} else query


def fold_variable(written: dict[str, Any]) -> dict[str, Any]:
    """Write a single default as a text."""
    default = written.get("default", ())
    return written | {"default": default[0]} if len(default) == 1 else written


def fold_dashboard(written: dict[str, Any]) -> dict[str, Any]:
    """Leave out the uid and the ids of panels where they follow from names and titles."""
    panels = written.get("panels", [])
    folded = without_uid(written, "dashboard")
    if panels:
        folded["panels"] = _without_ids(panels)
    return folded


def _without_ids(panels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = [panel.get("id", "") for panel in panels]
    titles = [panel.get("title", "") for panel in panels]
    derived = panel_ids([("", title) for title in titles])
    kept = ["" if own == made else own for own, made in zip(ids, derived, strict=True)]
    if panel_ids(list(zip(kept, titles, strict=True))) != ids:
        kept = ids
    return [
        {key: value for key, value in panel.items() if key != "id" or own}
        for panel, own in zip(panels, kept, strict=True)
    ]
