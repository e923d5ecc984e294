"""``GET /api/v1/status``: the server about itself, for the page ``/server`` and the command line."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from spanglass_server.api.alerting.rule_answers import AlerterJson
from spanglass_server.api.alerting.standing import alerter_json
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.answers import Time
from spanglass_server.self_metrics.exposition import status_counters
from spanglass_server.self_metrics.registry import JOURNAL_BYTES, UPTIME_SECONDS
from spanglass_server.signals import Signal
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from pathlib import Path

    from spanglass_server.alerting.desk import Desk
    from spanglass_server.api.prometheus.status import Targets
    from spanglass_server.dashboards.library import Library
    from spanglass_server.process.storage_node import StorageNode
    from spanglass_server.receive.rejections import Rejections, Repeated
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.settings.settings import Settings

Numbers = dict[str, int]


class Rejected(TypedDict):
    """A request that was refused, or records that were left out of one; how often it happened alike."""

    time: Time
    first_time: Time
    times: int
    signal: str
    transport: str
    reason: str
    message: str
    records: int
    retryable: bool
    sender: str
    address: str


class StorageFigures(TypedDict):
    """What is stored, by signal."""

    segments: Numbers
    rows: Numbers
    bytes: Numbers
    buffer_rows: Numbers
    oldest_time: dict[str, Time]


class StorageStatus(StorageFigures):
    """What is stored, and what waits in the journal."""

    journal_bytes: float


class DiskSpace(TypedDict):
    """The file system that holds the data; null where it can't be asked."""

    directory: str
    free_bytes: int | None
    total_bytes: int | None


class DiskStatus(DiskSpace):
    """The file system, and the free space below which nothing more is taken."""

    min_free_bytes: int


class ScrapeTarget(TypedDict):
    """A target that is scraped: ``up``, ``down``, or ``unknown`` until its first scrape; ``error`` says why."""

    job: str
    instance: str
    url: str
    health: str
    error: str
    last_scrape: str
    duration_s: float


class AlertingStatus(AlerterJson):
    """How the evaluation of alert rules goes; ``firing`` and ``pending`` count keys of rules."""

    enabled: bool
    rules: int
    firing: int
    pending: int
    rule_problems: list[str]


class Status(TypedDict):
    """The answer of ``GET /api/v1/status``."""

    version: str
    ready: bool
    health: str | None
    uptime_s: float
    counters: dict[str, Any]
    rejections: list[Rejected]
    storage: StorageStatus
    disk: DiskStatus
    retention: dict[str, Any]
    targets: list[ScrapeTarget]
    dashboard_problems: list[str]
    alerting: AlertingStatus


@dataclass(frozen=True, slots=True)
class Configured:
    """What is read from files besides the settings: targets of scraping, dashboards, and alert rules."""

    targets: Targets
    dashboards: Library
    alerting: Desk


def status_route(
    node: StorageNode,
    telemetry: Telemetry,
    rejections: Rejections,
    settings: Settings,
    version: str,
    configured: Configured,
) -> Route:
    """Make the route; it reads counters and a directory's free space, and runs no query."""

    def status(_: object) -> Status:
        counters = status_counters(telemetry.snapshot())
        return {
            "version": version,
            "ready": node.ingest.health is None,
            "health": "; ".join(node.problems) or None,
            "uptime_s": counters[UPTIME_SECONDS.name]["total"],
            "counters": counters,
            "rejections": [_rejection(entry) for entry in rejections.newest()],
            "storage": {**_storage(node), "journal_bytes": counters[JOURNAL_BYTES.name]["total"]},
            "disk": {
                **_disk(node.store.data_dir),
                "min_free_bytes": settings.storage.min_free_disk_bytes,
            },
            "retention": asdict(settings.retention),
            "targets": [_target(target) for target in configured.targets()],
            "dashboard_problems": [str(problem) for problem in configured.dashboards.shelf().problems],
            "alerting": _alerting(configured.alerting, is_enabled=settings.alerting.enabled),
        }

    return Route(
        path="/status",
        summary="The server's health, counters, latest rejections and storage.",
        response=schema_of(Status),
        reply=status,
    )


def _alerting(desk: Desk, *, is_enabled: bool) -> AlertingStatus:
    status = desk.status()
    return {
        **alerter_json(status),
        "enabled": is_enabled,
        "rules": sum(found.rule.enabled for found in desk.book.rules().values()),
        "firing": sum(rule.firing for rule in status.rules.values()),
        "pending": sum(rule.pending for rule in status.rules.values()),
        "rule_problems": list(desk.book.problems()),
    }


def _target(target: dict[str, Any]) -> ScrapeTarget:
    return {
        "job": target["labels"]["job"],
        "instance": target["labels"]["instance"],
        "url": target["scrapeUrl"],
        "health": target["health"],
        "error": target["lastError"],
        "last_scrape": target["lastScrape"],
        "duration_s": target["lastScrapeDuration"],
    }


def _storage(node: StorageNode) -> StorageFigures:
    snapshot = node.store.contents.snapshot
    held = {str(signal): snapshot.segments[signal] for signal in Signal}
    return {
        "segments": {signal: len(segments) for signal, segments in held.items()},
        "rows": {signal: sum(s.rows for s in segments) for signal, segments in held.items()},
        "bytes": {signal: sum(s.bytes for s in segments) for signal, segments in held.items()},
        "buffer_rows": {str(signal): rows for signal, rows in node.buffer_rows.items()},
        "oldest_time": {
            signal: format_time(min(s.min_time_ns for s in segments)) for signal, segments in held.items() if segments
        },
    }


def _disk(directory: Path) -> DiskSpace:
    """Space of the file system that holds the data; null when it can't be asked."""
    try:
        usage = shutil.disk_usage(directory)
    except OSError:
        return {"directory": str(directory), "free_bytes": None, "total_bytes": None}
    return {"directory": str(directory), "free_bytes": usage.free, "total_bytes": usage.total}


def _rejection(entry: Repeated) -> Rejected:
    rejection = entry.rejection
    return {
        "time": format_time(entry.last_ns),
        "first_time": format_time(entry.first_ns),
        "times": entry.times,
        "signal": str(rejection.signal),
        "transport": rejection.transport,
        "reason": rejection.reason,
        "message": rejection.message,
        "records": rejection.records,
        "retryable": rejection.retryable,
        "sender": rejection.sender.name,
        "address": rejection.sender.address,
    }
