"""``monitoring:`` of the settings file: its keys that are settings by another name, and parts read elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Parts that are no settings. Each is read, and checked, where it belongs.
PARTS: Final = ("dashboards", "alert_rules", "channels", "notifications", "checks", "incidents", "slos")


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a part.

    ``setting`` is the setting that it stands for, its value followed by ``unit``. A key without one may only have a
    value of ``fixed``, which is what the server does anyway; ``instead`` says where another one is to be given.
    """

    setting: str = ""
    unit: str = ""
    fixed: tuple[str, ...] = ()
    instead: str = ""


_ON = ("true", "yes", "on")
_SAMPLING = "applications sample, not the server: set SPANGLASS_SAMPLE_RATIO there"
_COLLECTING = "set SPANGLASS_METRIC_INTERVAL in applications, or PUT /api/monitoring/collectors/{collector}/"

#: The keys of each part that holds settings.
SETTINGS: Final[dict[str, dict[str, Key]]] = {
    "performance": {
        "enabled": Key(fixed=_ON, instead="set SPANGLASS_TRACES=false in applications"),
        "sampling_rate": Key(fixed=("1", "1.0", "100%"), instead=_SAMPLING),
        "retention_days": Key("retention.traces", "d"),
    },
    "health": {
        "enabled": Key("health.enabled"),
        "check_interval": Key("health.check_interval"),
        "timeout": Key("health.timeout"),
    },
    "metrics": {
        "enabled": Key(fixed=_ON, instead="set SPANGLASS_METRICS=false in applications"),
        "collection_interval": Key(instead=_COLLECTING),
        "retention_days": Key("retention.metrics", "d"),
    },
    "alerting": {"enabled": Key("alerting.enabled"), "channels": Key("alerting.channels")},
}
