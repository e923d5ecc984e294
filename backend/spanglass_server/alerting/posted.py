"""Alerts that clients of Alertmanager, such as Prometheus, post again and again while they fire, and at their end.

An alert is raised by the first post, and is over by one with an end that has passed, or when its end passes and nobody
posts it any longer. What a person resolved meanwhile stays so until then. The ends are kept in memory: after a restart
every open one has the time that one without an end has.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from spanglass_core.alerting.fingerprints import fingerprint_of_labels
from spanglass_core.alerting.lifecycle import OPEN
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import NewAlert
from spanglass_server.alerting.ports import AlertFilter
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from spanglass_server.alerting.desk import Desk

#: The source of these alerts.
SOURCE: Final = "alertmanager"
#: How long an alert without an end lasts after it was posted last; Alertmanager's default.
RESOLVE_TIMEOUT_NS: Final = 300 * 10**9
#: More open alerts than this of clients are refused: a label that never is the same twice would fill the disk.
MOST_OPEN: Final = 100_000
#: A title of labels has no more of them, and no more characters.
_MOST_LABELS, _MOST_TITLE = 4, 120
#: Other words for severities that rules of Prometheus use; those that are not known are warnings.
_SEVERITIES: Final = {
    **{severity.value: severity for severity in Severity},
    "page": Severity.CRITICAL,
    "emergency": Severity.CRITICAL,
    "fatal": Severity.CRITICAL,
    "high": Severity.ERROR,
    "major": Severity.ERROR,
    "minor": Severity.WARNING,
    "warn": Severity.WARNING,
    "low": Severity.INFO,
    "none": Severity.INFO,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """An alert as a client posts it; times in nanoseconds since 1970, 0 where it gives none."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    starts_ns: int = 0
    ends_ns: int = 0
    generator_url: str = ""

    @property
    def fingerprint(self) -> str:
        """Alerts with the same labels are the same."""
        return fingerprint_of_labels(SOURCE, "", self.labels)


@dataclass(slots=True)
class _Open:
    """An alert that clients post, and until when it lasts unless they post it again."""

    alert_id: str
    ends_ns: int


class TooManyAlertsError(Exception):
    """Clients of Alertmanager have more alerts open than are kept."""

    def __init__(self) -> None:
        super().__init__(f"more than {MOST_OPEN} alerts of clients are open: is there a label that is always another?")


class PostedAlerts:
    """Takes posts; safe for any thread. Raises ``OSError`` when the disk can't be used: what is posted comes again."""

    def __init__(self, desk: Desk, clock_ns: Callable[[], int]) -> None:
        self._desk = desk
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        wanted = AlertFilter(source=SOURCE, statuses=tuple(OPEN))
        ends_ns = clock_ns() + RESOLVE_TIMEOUT_NS
        self._open = {
            alert.fingerprint: _Open(alert.id, ends_ns)
            for alert in desk.store.alerts(wanted, limit=MOST_OPEN)
            if "posted" in alert.evidence  # another one may only be called so
        }

    def post(self, posted: Iterable[Posted]) -> None:
        """Take what a client posts; ``TooManyAlertsError`` where too many would be open: none is begun then."""
        with self._lock:
            now_ns = self._clock_ns()
            over: list[str] = []
            new: dict[str, Posted] = {}
            for each in posted:
                fingerprint = each.fingerprint
                if each.ends_ns and each.ends_ns <= now_ns:
                    over.append(fingerprint)
                elif fingerprint in self._open:
                    self._open[fingerprint].ends_ns = each.ends_ns or now_ns + RESOLVE_TIMEOUT_NS
                else:
                    new[fingerprint] = each
            self._end(over, "its client says that it is over")
            if len(self._open) + len(new) > MOST_OPEN:
                raise TooManyAlertsError
            self._begin(new, now_ns)

    def ends_ns(self, fingerprint: str) -> int:
        """Until when an alert lasts unless it is posted again; 0 for one that is not known."""
        with self._lock:
            known = self._open.get(fingerprint)
            return known.ends_ns if known is not None else 0

    def has_open(self) -> bool:
        """Whether ``step`` has anything to look at."""
        return bool(self._open)

    def step(self) -> None:
        """Resolve those that nobody posts any longer."""
        with self._lock:
            now_ns = self._clock_ns()
            self._end(
                [key for key, known in self._open.items() if known.ends_ns <= now_ns], "its client no longer sends it"
            )

    def _begin(self, new: Mapping[str, Posted], now_ns: int) -> None:
        if not new:
            return
        made = self._desk.create_all([_new_alert(each, now_ns) for each in new.values()], SOURCE)
        for alert, each in zip(made, new.values(), strict=True):
            self._open[alert.fingerprint] = _Open(alert.id, each.ends_ns or now_ns + RESOLVE_TIMEOUT_NS)

    def _end(self, fingerprints: Iterable[str], reason: str) -> None:
        """End some; what a person deleted, or said to be over, stays as it is."""
        known = {key: self._open[key].alert_id for key in fingerprints if key in self._open}
        if known:
            self._desk.resolve_all(list(known.values()), SOURCE, reason)
        for key in known:
            del self._open[key]


def _title(labels: Mapping[str, str]) -> str:
    """What an alert without a name is called: the labels that set it apart, such as ``host=db-1, service=shop``."""
    said = [f"{name}={value}" for name, value in sorted(labels.items()) if name != "severity"]
    title = " ".join(", ".join(said[:_MOST_LABELS]).split()) or "Alert"
    return title if len(title) <= _MOST_TITLE else f"{title[: _MOST_TITLE - 1]}…"


def _new_alert(posted: Posted, now_ns: int) -> NewAlert:
    labels, notes = posted.labels, posted.annotations
    name = labels.get("alertname", "")
    severity = _SEVERITIES.get(labels.get("severity", "").lower(), Severity.WARNING)
    return NewAlert(
        title=notes.get("summary", "") or notes.get("title", "") or name or _title(labels),
        description=notes.get("description", "") or notes.get("message", ""),
        severity=severity,
        source=SOURCE,
        labels=labels,
        fingerprint=posted.fingerprint,
        runbook=notes.get("runbook_url", "") or notes.get("runbook", ""),
        owner=labels.get("owner", ""),
        evidence={
            "posted": {
                "annotations": dict(notes),
                "generator_url": posted.generator_url,
                "starts_at": format_time(posted.starts_ns or now_ns),
            }
        },
    )
