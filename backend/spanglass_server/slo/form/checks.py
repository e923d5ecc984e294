"""What may be left out of an objective, and what must hold between its values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_server.forms.names import follows, uid_of
from spanglass_server.forms.nodes import Entry, Node

if TYPE_CHECKING:
    from spanglass_server.forms.problems import Report
    from spanglass_server.slo.model import Objective

_CALENDAR = ("week", "month")


def unfold_objective(node: Node, report: Report) -> Node:
    """The uid follows from the name."""
    name = node.named("name")
    if node.sort != "mapping" or name is None or node.named("uid") is not None:
        return node
    text = uid_of(name.text, "slo", stands=report.stands)
    uid = Node("text", f"{node.path}.uid".removeprefix("."), name.line, name.column, text=text)
    return replace(node, entries=(*node.entries, Entry("uid", name.line, name.column, uid)))


def fold_objective(written: dict[str, Any]) -> dict[str, Any]:
    """Leave out a uid that follows from the name."""
    return {key: value for key, value in written.items() if key != "uid" or not follows(value, written["name"], "slo")}


def check_objective(objective: Objective, node: Node, report: Report) -> None:
    """Either spans, with what makes them good, or a check; a time zone only where days begin by it."""
    if bool(objective.spans) == bool(objective.check):
        what = "it has both spans and check" if objective.check else "it does not say what is counted"
        report.add(_at(node, "check"), what, "give spans, a filter such as service:shop kind:server, or check")
        return
    if objective.spans and not (objective.good or objective.latency_ns):
        hint = "give good, a filter such as status != error, or latency, such as 300ms, or both"
        report.add(_at(node, "spans"), "it does not say which spans are good", hint)
    if objective.check and (objective.good or objective.latency_ns):
        key = "good" if objective.good else "latency"
        report.add(_at(node, key), f"{key} is about spans", "leave it out: a check is up or down")
    if objective.time_zone != "UTC" and objective.window not in _CALENDAR:
        report.add(_at(node, "time_zone"), "a rolling window has no time zone", "leave it out, or say window: month")


def _at(node: Node, *keys: str) -> Node:
    return next((at for key in keys if (at := node.named(key)) is not None), node)
