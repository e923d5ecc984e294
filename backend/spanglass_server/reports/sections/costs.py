"""What telemetry costs, by signal, service and attribute, and what to drop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.reports import blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.reports.asking import Questions
    from spanglass_server.reports.model import Block, Unit

_MOST: Final = 15
_KINDS: Final = {"debug_logs": "log records of DEBUG and TRACE", "health_checks": "spans of health checks"}


async def build(questions: Questions) -> list[Block]:
    """Figures at the pace of the range, what to drop, and tables by signal, service and attribute."""
    costs = await questions.now("costs", limit=_MOST)
    if not costs["stored_bytes"]:
        return []
    figures = [blocks.figure("A day", "bytes", costs["bytes_a_day"])]
    if costs["priced"]:
        figures.append(blocks.figure(f"A month, {costs['currency']}", "count", costs["price"]))
    found: list[Block] = [blocks.figures(*figures)]
    for name, key in (("By signal", "signals"), ("By service", "services"), ("By attribute", "attributes")):
        left_out = costs.get(f"{key}_total", 0) - len(costs[key])
        rows = [
            blocks.row(_name(each), each["bytes_a_day"], each["share"], *_price(costs, each)) for each in costs[key]
        ]
        found.append(blocks.table(name, _columns(costs, "A day"), rows, left_out))
    if costs["savings"]:
        rows = [
            blocks.row(_dropped(each), each["bytes_a_month"], each["share"], *_price(costs, each), each["remedy"])
            for each in costs["savings"]
        ]
        columns = [*_columns(costs, "Bytes a month"), ("A line that drops it", "text")]
        found.insert(1, blocks.table("What to drop", columns, rows))
    return found


def _columns(costs: Mapping[str, Any], size: str) -> list[tuple[str, Unit]]:
    columns: list[tuple[str, Unit]] = [("Name", "text"), (size, "bytes"), ("Share", "ratio")]
    return [*columns, (f"A month, {costs['currency']}", "count")] if costs["priced"] else columns


def _price(costs: Mapping[str, Any], each: Mapping[str, Any]) -> list[float | None]:
    return [each["price"]] if costs["priced"] else []


def _name(each: Mapping[str, Any]) -> str:
    if "key" not in each:
        return str(each.get("service") or each["signal"])
    name = each["key"] if each["position"] is None else f"{each['position']}.{each['key']}"
    return f"{name} of {each['signal']}"


def _dropped(each: Mapping[str, Any]) -> str:
    if each["key"] is not None:
        return _name(each)
    return f"{_KINDS[each['kind']]} of {', '.join(sender['service'] for sender in each['services'])}"
