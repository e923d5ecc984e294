"""What must hold between the values of a dashboard, each of which is fine by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spanglass_server.dashboards.model import GRID_COLUMNS, RECORD_TYPES
from spanglass_server.forms.kinds import is_link
from spanglass_server.forms.problems import meant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanglass_server.dashboards.model import (
        Annotation,
        Dashboard,
        Link,
        Options,
        Panel,
        Position,
        Query,
        Variable,
    )
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report

_TEXTS = ("query", "promql", "measure", "sql", "formula")
_WITHOUT_QUERY = frozenset({"text"})


def check_query(query: Query, node: Node, report: Report) -> None:
    """One kind only, and what goes with filters goes with them."""
    given = [kind for kind in _TEXTS if getattr(query, kind)]
    if len(given) > 1:
        report.add(node, f"{' and '.join(given)} are both given", "a query has one of them")
    filters = [key for key in ("signal", "filter", "by") if getattr(query, key)]
    if given and filters and not (given == ["query"] and "signal" not in filters):
        hint = "leave one of them out, or write filter: and signal: for a query of its own"
        report.add(node, f"{filters[0]} does not go with {given[0]}", hint)
    if not given and not filters:
        report.add(node, "nothing is asked", "give query, promql, measure, filter, sql or formula")
    if query.filter and not query.signal and not given:
        report.add(node, "signal is missing", "say signal: spans or signal: logs")


def check_link(link: Link, node: Node, report: Report) -> None:
    """Only addresses that a page may lead to."""
    if not is_link(link.url):
        report.add(node, f"{link.url!r} can't be a link", "begin it with / or https://")


def check_position(position: Position, node: Node, report: Report) -> None:
    """Within the grid."""
    if (position.x is None) != (position.y is None):
        report.add(node, "x and y go together", "give both, or none for a panel that flows")
    if position.x is not None and position.w is not None and position.x + position.w > GRID_COLUMNS:
        report.add(node, f"x + w is more than {GRID_COLUMNS} columns", "make the panel narrower")


def check_options(options: Options, node: Node, report: Report) -> None:
    """A range that is one."""
    if options.min is not None and options.max is not None and options.min >= options.max:
        report.add(node, "min is not less than max")


def check_panel(panel: Panel, node: Node, report: Report) -> None:
    """Queries where the type needs them, with ids of their own, and formulas over queries that there are."""
    if panel.type in _WITHOUT_QUERY:
        if panel.queries:
            report.add(node, f"a panel of type {panel.type} has no query", "write its text as options: text:")
        return
    if not panel.queries:
        report.add(node, "query is missing", f"say what the {panel.type} panel shows, such as query: error_rate")
    ids = [query.id for query in panel.queries]
    for twice in _twice(ids):
        report.add(node, f"two queries have the id {twice!r}", "give each its own")
    for query in panel.queries:
        for name in sorted(names_in(query.formula) - set(ids)):
            report.add(node, f"the formula {query.formula!r} names {name!r}, which no query has", meant(name, ids))
        if query.formula and query.id in names_in(query.formula):
            report.add(node, f"the formula {query.formula!r} names itself", "name other queries")
    if panel.type in RECORD_TYPES and len(panel.queries) > 1:
        report.add(node, f"a panel of type {panel.type} has one query", "make a panel for each")


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?!\s*\()(?![A-Za-z0-9_])")


def names_in(formula: str) -> set[str]:
    """The ids that a formula names; functions are none."""
    # 1e3 is a number, not the name e3
    return set(_NAME.findall(re.sub(r"\b\d[\d.]*([eE][+-]?\d+)?", " ", formula)))


def check_variable(variable: Variable, node: Node, report: Report) -> None:
    """One source, values that may be chosen, a pattern that is one."""
    given = [name for name in ("query", "sql", "key", "values") if getattr(variable, name)]
    if len(given) > 1:
        report.add(node, f"{' and '.join(given)} are both given", "a variable has one source")
    if variable.filter and "key" not in given:
        report.add(node, "filter goes with key only", "name the key whose values are meant")
    if len(variable.default) > 1 and not variable.multi:
        report.add(node, "default has several values", "say multi: true")
    if variable.regex:
        try:
            re.compile(variable.regex)
        except re.error as error:
            report.add(node, f"regex is no regular expression: {error}")


def check_annotation(annotation: Annotation, node: Node, report: Report) -> None:
    """Asked where there is something to ask."""
    asks = annotation.source in {"promql", "spans", "logs"}
    if asks and not annotation.query:
        report.add(node, "query is missing", f"say which {annotation.source} are marked")


def check_dashboard(dashboard: Dashboard, node: Node, report: Report) -> None:
    """Ids and names that are given once."""
    for what, names in (
        ("panels have the id", [panel.id for panel in dashboard.panels]),
        ("variables have the name", [variable.name for variable in dashboard.variables]),
        ("annotations have the name", [annotation.name for annotation in dashboard.annotations]),
    ):
        for name in _twice(names):
            report.add(node, f"two {what} {name!r}", "give each its own")


def _twice(names: Sequence[str]) -> Iterable[str]:
    return sorted({name for name in names if names.count(name) > 1})
