"""Which incidents a request means: the parameters of the list, read into an ``IncidentFilter``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.alerting.severity import Severity
from spanglass_server.api.alerting.filters import range_of, words_of
from spanglass_server.api.params import Param
from spanglass_server.incidents.lifecycle import LIVE, Status
from spanglass_server.incidents.ports import IncidentFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.api.params import Params

#: Words for several statuses.
_GROUPS = {
    "live": tuple(status for status in Status if status in LIVE),
    "over": tuple(status for status in Status if status not in LIVE),
    "all": tuple(Status),
}

PARAMETERS = (
    Param(
        "status", "keys", help=f"{', '.join(Status)}, comma-separated; live (the first three), over, or all (default)."
    ),
    Param("severity", "keys", help=f"{', '.join(Severity)}, comma-separated."),
    Param("service", "text", help="Only incidents about this service."),
    Param("rule", "text", help="Only those with an alert of the rule with this uid."),
    Param("alert", "text", help="Only the one that has this alert."),
    Param("text", "text", help="Only those whose id, title, summary, cause, resolution, services or people hold this."),
    Param("start", "time", help="Only those opened from here on: RFC 3339, Unix time, or relative like now-15m."),
    Param("end", "time", help="And before here; now unless said."),
    Param("last", "time", help="Instead of start: a duration before the end, like 7d. Without any: of all time."),
)


def filter_of(params: Params) -> IncidentFilter:
    """Read the parameters; ApiError naming the one at fault."""
    start_ns, end_ns = range_of(params)
    return IncidentFilter(
        statuses=_statuses(params["status"] or ()),
        severities=words_of("severity", params["severity"] or (), Severity),
        service=params["service"] or "",
        rule_uid=params["rule"] or "",
        alert_id=params["alert"] or "",
        text=(params["text"] or "").strip(),
        start_ns=start_ns,
        end_ns=end_ns,
    )


def _statuses(words: Sequence[str]) -> tuple[Status, ...]:
    found: dict[Status, None] = {}
    for word in words:
        group = _GROUPS.get(word.lower())
        found |= dict.fromkeys(group or words_of("status", [word], Status, *_GROUPS))
    return tuple(found)
