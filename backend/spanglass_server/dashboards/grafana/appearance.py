"""How panels look: units, thresholds, axes, legends, places on the grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.dashboards.grafana.source import at, items, number, text
from spanglass_server.dashboards.model import GRID_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.dashboards.grafana.source import Told

#: Grafana's ids of units that mean ours; those of which ours says the same are their own.
UNITS = {
    **dict.fromkeys(("", "none", "short", "string", "locale", "sishort", "bool", "bool_yes_no", "bool_on_off"), ""),
    **dict.fromkeys(("s", "dtdurations", "clocks"), "s"),
    **dict.fromkeys(("ms", "dtdurationms", "clockms"), "ms"),
    **dict.fromkeys(("µs", "us"), "us"),
    "ns": "ns",
    **dict.fromkeys(("bytes", "decbytes"), "bytes"),
    **dict.fromkeys(("Bps", "binBps"), "bytes/s"),
    **dict.fromkeys(("bits", "decbits"), "bit"),
    **dict.fromkeys(("bps", "binbps"), "bit/s"),
    "percent": "percent",
    "percentunit": "ratio",
    **dict.fromkeys(("reqps", "ops", "rps", "wps", "cps", "iops", "eps", "mps", "recps", "rowsps", "pps"), "/s"),
    **dict.fromkeys(("reqpm", "opm", "rpm", "wpm", "cpm"), "/min"),
    "hertz": "Hz",
    "celsius": "°C",
    "m": "min",
    "h": "h",
    "d": "d",
}
_MAX_UNIT = 40
_LEVELS = {"green": "ok", "blue": "ok", "yellow": "warning", "orange": "warning", "red": "critical", "purple": "error"}
_CALCULATIONS = {
    **dict.fromkeys(("last", "lastNotNull", "current"), "last"),
    **dict.fromkeys(("first", "firstNotNull"), "first"),
    **dict.fromkeys(("mean", "avg"), "mean"),
    **dict.fromkeys(("sum", "total"), "sum"),
    **dict.fromkeys(("delta", "diff", "range"), "delta"),
    **{name: name for name in ("min", "max", "count")},
}
_PERCENT = 100
_MAX_DECIMALS = 12


def unit_of(panel: Any, told: Told) -> str:
    """Our word for a panel's unit, in its new place or the old ones."""
    places = [text(panel, "fieldConfig", "defaults", "unit"), text(panel, "format")]
    axes = items(panel, "yaxes") or [{}]
    found = next((unit for unit in (*places, text(axes[0], "format")) if unit), "")
    if found in UNITS:
        return UNITS[found]
    word = found.removeprefix("suffix:").removeprefix("prefix:").strip()[:_MAX_UNIT]
    told.say(f"the unit {found!r} is shown as the word {word!r}")
    return word


def thresholds_of(panel: Any, told: Told) -> list[dict[str, Any]]:
    """Thresholds that Grafana shows; a series over time has them too, and shows them only if it is told to."""
    defaults = at(panel, "fieldConfig", "defaults")
    steps = items(defaults, "thresholds", "steps")
    shown = text(defaults, "custom", "thresholdsStyle", "mode")
    if text(panel, "type") == "timeseries" and shown in {"", "off"}:
        return []
    if not steps:
        return _old_thresholds(panel)
    scale, start = 1.0, 0.0
    if text(defaults, "thresholds", "mode") == "percentage":
        low, high = number(defaults, "min"), number(defaults, "max")
        if low is None or high is None:
            told.say("thresholds in percent of a range that is not given")
            return []
        scale, start = (high - low) / _PERCENT, low
    return [
        {"value": start + value * scale, "level": level_of(text(step, "color"))}
        for step in steps
        if (value := number(step, "value")) is not None
    ]


def _old_thresholds(panel: Any) -> list[dict[str, Any]]:
    """Those of panels before Grafana 7: objects of graphs, texts of single figures."""
    if text(panel, "thresholds"):
        values = [number({"": part.strip()}, "") for part in text(panel, "thresholds").split(",")]
        levels = ("warning", "critical")
        return [
            {"value": value, "level": level} for value, level in zip(values, levels, strict=False) if value is not None
        ]
    found = items(panel, "thresholds")
    words = {"critical": "critical", "warning": "warning", "ok": "ok"}
    return [
        {"value": value, "level": words.get(text(entry, "colorMode"), "warning")}
        for entry in found
        if (value := number(entry, "value")) is not None
    ]


def level_of(color: str) -> str:
    """The level that a colour means; shades of one colour are alike."""
    return next((level for name, level in _LEVELS.items() if name in color.lower()), "warning")


def options_of(panel: Any, told: Told) -> dict[str, Any]:
    """Our options, those that are as they would be anyway left out."""
    defaults = at(panel, "fieldConfig", "defaults")
    custom = at(defaults, "custom")
    axes = items(panel, "yaxes") or [{}]
    low = _first(number(defaults, "min"), number(axes[0], "min"), number(panel, "gauge", "minValue"))
    high = _first(number(defaults, "max"), number(axes[0], "max"), number(panel, "gauge", "maxValue"))
    if low is not None and high is not None and low >= high:
        low = high = None
    if text(custom, "stacking", "mode") == "percent":
        told.say("stacking in percent: it is stacked by value")
    found: dict[str, Any] = {
        "min": low,
        "max": high,
        "decimals": _decimals(_first(number(defaults, "decimals"), number(panel, "decimals"))),
        "calculation": _calculation(panel, told),
        "legend": _legend(panel),
        "stacked": text(custom, "stacking", "mode") in {"normal", "percent"} or at(panel, "stack") is True,
        "log_scale": text(custom, "scaleDistribution", "type") == "log",
        "connect_gaps": at(custom, "spanNulls") is True or text(panel, "nullPointMode") == "connected",
        "sparkline": text(panel, "options", "graphMode") != "none",
        "exemplars": any(at(target, "exemplar") is True for target in items(panel, "targets")),
    }
    return {name: value for name, value in found.items() if value is not None}


def _decimals(value: float | None) -> int | None:
    return int(value) if value is not None and 0 <= value <= _MAX_DECIMALS else None


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _calculation(panel: Any, told: Told) -> str:
    calculations = at(panel, "options", "reduceOptions", "calcs")
    name = calculations[0] if isinstance(calculations, list) and calculations else text(panel, "valueName") or "last"
    if name not in _CALCULATIONS:
        told.say(f"the calculation {name!r}: the last value is shown")
    return _CALCULATIONS.get(name, "last")


def _legend(panel: Any) -> str:
    legend = at(panel, "options", "legend")
    if at(legend, "showLegend") is False or text(legend, "displayMode") == "hidden":
        return "hidden"
    if at(panel, "legend", "show") is False:
        return "hidden"
    is_table = text(legend, "displayMode") == "table" or at(panel, "legend", "alignAsTable") is True
    return "table" if is_table else "list"


_GRAFANA_COLUMNS = 24
_MAX_ROWS = 1000


@dataclass(slots=True)
class Grid:
    """Places panels on our grid in the order of theirs: 24 narrow columns become 12, two low rows one."""

    _bottoms: list[int] = field(default_factory=lambda: [0] * GRID_COLUMNS)

    def place(self, position: Mapping[str, Any] | None, *, is_heading: bool = False) -> dict[str, int]:
        """The place of the next panel, below those above it."""
        x, y, w, h = (_whole(at(position, key)) for key in ("x", "y", "w", "h"))
        left = min(round(x / 2), GRID_COLUMNS - 1)
        right = min(max(left + 1, round((x + (w or _GRAFANA_COLUMNS)) / 2)), GRID_COLUMNS)
        height = 1 if is_heading else max(1, round((y + (h or 8)) / 2) - round(y / 2))
        top = max(round(y / 2), *self._bottoms[left:right])
        top = min(top, _MAX_ROWS)
        self._bottoms[left:right] = [top + height] * (right - left)
        return {"x": left, "y": top, "w": right - left, "h": height}


def _whole(value: Any) -> int:
    return min(max(int(value), 0), _MAX_ROWS) if isinstance(value, int | float) and value == value else 0  # noqa: PLR0124 - NaN
