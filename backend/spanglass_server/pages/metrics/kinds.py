"""Which tab a metric belongs to, by its name: of the system, of the application's libraries, or the user's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Hosts, containers, processes and runtimes: how their metrics' names begin, in OpenTelemetry and in Prometheus.
SYSTEM = re.compile(
    r"(?:system|process|host|hw|container|k8s|cpu|v8js|nodejs|jvm|go|dotnet|cpython|python|runtime|node|otelcol|disk"
    r"|windows|vcs|scrape|up$|promhttp|spanglass[._](?:gc|python|asyncio|container|network|server|process))(?:[._]|$)"
)
#: What libraries and frameworks send of an application's work.
APPLICATION = re.compile(
    r"(?:http|rpc|grpc|db|messaging|gen_ai|faas|graphql|dns|signalr|aspnetcore|kestrel|tls|otel|celery|redis|spanglass"
    r"|traces?|spans?|logs?|cicd|feature_flag)(?:[._]|$)"
)
#: Tabs: value in the URL, and name.
TABS = (("all", "All"), ("system", "System"), ("application", "Application"), ("custom", "Custom"),
        ("historical", "Historical"))  # fmt: skip
#: A metric of which nothing came in the range's newest minutes has stopped: longer than the usual intervals, 60 s.
STOPPED_NS = 600 * 1_000_000_000


def kind_of(name: str) -> str:
    """Return ``system``, ``application`` or ``custom``."""
    return "system" if SYSTEM.match(name) else "application" if APPLICATION.match(name) else "custom"


def is_in(tab: str, row: Mapping[str, Any]) -> bool:
    """Whether a metric stands under a tab."""
    if tab == "historical":
        return bool(row["stopped"])
    return tab == "all" or row["kind"] == tab
