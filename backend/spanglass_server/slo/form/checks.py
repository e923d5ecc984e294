"""What must hold between the values of an objective."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report
    from spanglass_server.slo.model import Objective

_CALENDAR = ("week", "month")


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
