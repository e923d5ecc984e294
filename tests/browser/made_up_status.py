"""A made-up ``GET /api/v1/status``: the figures of a server in different states."""

from __future__ import annotations

from made_up import HOSTILE, MS, NOW_NS, rfc

FULL_DISK = "the disk has 12 MiB free, less than the setting storage.min_free_disk_bytes (500 MiB)"
SENDER = "OTel-OTLP-Exporter-Python/1.45.1"
MIB = 1 << 20
DAY_NS = 86_400 * 1_000 * MS
#: The figures that the page reads, with the names of their labels; all begin without a series.
FIGURES = (
    *("received_requests", "received_bytes", "received_records", "refused_requests", "rejected_records"),
    *("duplicate_requests", "storage_errors", "cut_values", "overflowed_attributes", "deleted_rows", "query_seconds"),
    *("query_failures", "buffer_bytes", "resident_memory_bytes", "cpu_seconds", "open_fds", "inflight_bytes"),
)


def series(value, **labels):
    """Make one series of a counter."""
    return {"labels": labels, "value": value}


def empty_status(health=None):
    """Make the status of a server to which nothing has come."""
    nothing = {"spans": 0, "logs": 0, "metrics": 0}
    return {
        "version": "0.1.0",
        "ready": health is None,
        "health": health,
        "uptime_s": 7380.0,
        "counters": {name: {"series": []} for name in FIGURES},
        "rejections": [],
        "storage": {
            "segments": nothing,
            "rows": nothing,
            "bytes": nothing,
            "buffer_rows": nothing,
            "journal_bytes": 0,
            "oldest_time": {},
        },
        "disk": {
            "directory": "/var/lib/spanglass",
            "free_bytes": 74 * 1024 * MIB,
            "total_bytes": 256 * 1024 * MIB,
            "min_free_bytes": 500 * MIB,
        },
        "retention": {"traces_ns": 30 * DAY_NS, "logs_ns": 0, "metrics_ns": 90 * DAY_NS, "max_bytes": 0},
        "targets": [],
        "dashboard_problems": [],
    }


def target(job, health, error=""):
    """Make one scraped target."""
    return {
        "job": job,
        "instance": f"{job}.example:9100",
        "url": f"http://{job}.example:9100/metrics",
        "health": health,
        "error": error,
        "last_scrape": rfc(NOW_NS),
        "duration_s": 0.012,
    }


def rejection(number, message, **more):
    """Make one remembered rejection, ``number`` minutes ago."""
    return {
        "time": rfc(NOW_NS - number * 60_000 * MS),
        "first_time": rfc(NOW_NS - 3_600_000 * MS),
        "times": 1,
        "signal": "spans",
        "transport": "http",
        "reason": "malformed",
        "message": message,
        "records": 0,
        "retryable": False,
        "sender": SENDER,
        "address": "192.0.2.7",
        **more,
    }


def busy_status():
    """Make the status of a server that stored a lot and turned some away."""
    status = empty_status()
    status["targets"] = [
        target("up", "up"),
        target("new", "unknown"),
        target("gone", "down", f"the target answered 500 {HOSTILE}"),
    ]
    figures = {
        "received_requests": [
            series(7000, signal="spans", transport="http", encoding="protobuf"),
            series(123, signal="spans", transport="grpc", encoding="protobuf"),
        ],
        "received_bytes": [series(96 * MIB, signal="spans", transport="http", encoding="protobuf")],
        "received_records": [series(738_000, signal="spans")],
        "refused_requests": [
            series(7, signal="spans", transport="http", reason="unsupported"),
            series(2, signal="logs", transport="grpc", reason="unsupported"),
        ],
        "rejected_records": [series(5, signal="spans", reason="trace_id must have 16 bytes")],
        "cut_values": [series(3, signal="logs")],
        "query_seconds": [{"labels": {"route": "/traces"}, "count": 4, "sum_s": 0.4, "p95_at_most_s": 0.25}],
        "query_failures": [series(1, route="/traces", status="504")],
    }
    status["counters"] |= {name: {"series": found} for name, found in figures.items()}
    status["rejections"] = [
        rejection(0, "5 rejected: trace_id must have 16 bytes", reason="partial", records=5),
        rejection(1, "the server is busy; try later", reason="overloaded", retryable=True, transport="grpc"),
        rejection(2, "Content-Type 'text/plain' is not supported", reason="unsupported", times=7, sender="curl/8.5.0"),
    ]
    status["storage"] |= {
        "rows": {"spans": 738_000, "logs": 0, "metrics": 0},
        "bytes": {"spans": 15 * MIB, "logs": 0, "metrics": 0},
        "oldest_time": {"spans": rfc(NOW_NS - 7_380_000 * MS)},
    }
    return status


def hostile_status():
    """Make a status full of what hostile senders sent."""
    status = busy_status()
    status["counters"]["rejected_records"] = {"series": [series(1, signal="spans", reason=HOSTILE)]}
    status["rejections"] = [rejection(0, HOSTILE * 6, sender=HOSTILE, address=HOSTILE, reason=HOSTILE)]
    return status


def status_of(scenario):
    """Make the status of a scenario of ``FakeApi``."""
    makers = {"empty": empty_status, "hostile": hostile_status, "unwell": lambda: empty_status(FULL_DISK)}
    return makers.get(scenario, busy_status)()
