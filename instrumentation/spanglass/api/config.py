"""The part ``monitoring:`` of a configuration, as applications pass it to monitors: a mapping, or this class.

It is the form of the server's settings file, so that one file does for both; what only the server does (retention,
sampling, dashboards) is let through unread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from spanglass.clock import NS_PER_S
from spanglass.errors import MonitorError
from spanglass_core.units import UnitError, parse_duration_ns

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["MonitoringConfig", "seconds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringConfig:
    """What monitors need of it. Times in seconds; ``alert_rules`` as written, for ``AlertManager``."""

    performance_enabled: bool = True
    slow_query_s: float = 0.5
    thresholds: Mapping[str, Mapping[str, Any]] | None = None
    health_enabled: bool = True
    check_interval_s: float | None = None
    check_timeout_s: float = 10.0
    metrics_enabled: bool = True
    collection_interval_s: float = 60.0
    alerting_enabled: bool = True
    channels: tuple[str, ...] = ()
    url: str = ""
    token: str = ""
    delivery_timeout_s: float = 10.0
    source: str = ""
    alert_rules: tuple[Any, ...] = field(default=())

    @classmethod
    def of(cls, config: MonitoringConfig | Mapping[str, Any] | None) -> MonitoringConfig:
        """Read a mapping; ``MonitorError`` names the key that is wrong or not known."""
        if config is None:
            return cls()
        if isinstance(config, MonitoringConfig):
            return config
        given = _mapping("the configuration", config)
        if set(given) == {"monitoring"}:
            given = _mapping("monitoring", given["monitoring"])
        values: dict[str, Any] = {}
        for section, content in given.items():
            if section == "alert_rules":
                values["alert_rules"] = _rules(content)
            elif section in _SECTIONS:
                values |= _section(section, content)
            elif section not in _UNREAD:
                raise _unknown(section, (*_SECTIONS, "alert_rules"))
        return cls(**values)


def _section(section: str, content: Any) -> dict[str, Any]:
    values = {}
    keys = _SECTIONS[section]
    for key, value in _mapping(section, content).items():
        if key not in keys:
            raise _unknown(f"{section}.{key}", [f"{section}.{each}" for each in keys])
        name, read = keys[key]
        if name:
            values[name] = read(f"{section}.{key}", value)
    return values


def seconds(name: str, value: Any) -> float:
    """Read seconds, as a number or as a text such as ``30s``; ``MonitorError`` naming the key."""
    if isinstance(value, str):
        try:
            return parse_duration_ns(value) / NS_PER_S
        except UnitError as error:
            raise MonitorError(f"{name}: {error}") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise MonitorError(f"{name} is {value!r}, and must be seconds, or a text such as '30s'")
    return float(value)


def _more_than_none(name: str, value: Any) -> float:
    read = seconds(name, value)
    if not read:
        raise MonitorError(f"{name} must be more than 0")
    return read


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise MonitorError(f"{name} is {value!r}, and must be true or false")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise MonitorError(f"{name} is {value!r}, and must be a text")
    return value


def _names(name: str, value: Any) -> tuple[str, ...]:
    """Names of channels: a list, or the mapping that configures them."""
    if isinstance(value, str) or not isinstance(value, list | tuple | Mapping):
        raise MonitorError(f"{name} is {value!r}, and must be a list of names, or a mapping of them")
    return tuple(_text(name, each) for each in value)


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MonitorError(f"{name} is {value!r}, and must be a mapping")
    return value


def _rules(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, list | tuple):
        raise MonitorError("alert_rules must be a list of rules, each with name and condition")
    return tuple(value)


def _unread(_name: str, value: Any) -> Any:
    return value


#: What the server alone reads.
_UNREAD = ("dashboards",)
_SECTIONS: dict[str, dict[str, tuple[str, Callable[[str, Any], Any]]]] = {
    "performance": {
        "enabled": ("performance_enabled", _flag),
        "slow_query": ("slow_query_s", _more_than_none),
        "thresholds": ("thresholds", _mapping),
        "sampling_rate": ("", _unread),
        "retention_days": ("", _unread),
    },
    "health": {
        "enabled": ("health_enabled", _flag),
        "check_interval": ("check_interval_s", _more_than_none),
        "timeout": ("check_timeout_s", _more_than_none),
    },
    "metrics": {
        "enabled": ("metrics_enabled", _flag),
        "collection_interval": ("collection_interval_s", _more_than_none),
        "retention_days": ("", _unread),
    },
    "alerting": {
        "enabled": ("alerting_enabled", _flag),
        "channels": ("channels", _names),
        "url": ("url", _text),
        "token": ("token", _text),
        "timeout": ("delivery_timeout_s", _more_than_none),
        "source": ("source", _text),
    },
}


def _unknown(name: str, known: Any) -> MonitorError:
    close = get_close_matches(name, list(known), n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
    return MonitorError(f"{name} is no key of the configuration; {hint}")
