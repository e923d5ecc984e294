"""The page of the server itself: whether it takes records, what it turned away and why, and what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from spanglass_server.pages.rendering import format as fmt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Signals as the API names them, what their records are called, and their retention setting.
SIGNALS = (("spans", "spans", "traces"), ("logs", "log records", "logs"), ("metrics", "data points", "metrics"))

TRANSPORTS = {"http": "HTTP", "grpc": "gRPC", "scrape": "scraping"}

#: What senders get wrong, by reason of refusal, and what to do about it.
ADVICE = {
    "malformed": "The sender does not write OTLP, or something between alters it: check its exporter and any proxy.",
    "too_large": "Send smaller batches, or raise ingest.max_body_bytes (HTTP) or ingest.max_grpc_message_bytes.",
    "overloaded": "More comes than the disk can take: send from fewer places at once, or raise "
    "ingest.max_inflight_bytes. Senders come back by themselves.",
    "unavailable": "See the top of this page. Senders come back by themselves.",
    "slow": "The network to the sender is slow: send smaller batches, or raise ingest.body_timeout.",
    "unauthenticated": "Give the sender the ingest token: OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20<token>.",
    "unsupported": "Set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, and compression to gzip or none.",
    "method": "Something opens the OTLP address that is no exporter, a browser or a probe for example.",
    "disconnected": "The sender gave up or was stopped: look at its timeout (OTEL_EXPORTER_OTLP_TIMEOUT).",
    "internal": "The server's own log says what happened.",
}


class Answer(NamedTuple):
    """What the page opens with: a sentence, what is behind it, and how bad it is (``err``, ``warn`` or nothing)."""

    level: str
    title: str
    text: str


async def show(visit: Visit) -> Response:
    """``/server``."""
    status = await visit.api("status")
    counters = Counters(status["counters"])
    return visit.page(
        "server.html", ranged=False, server=status, answer=_answer(status, counters),
        received=[_received(signal, name, counters, status["uptime_s"]) for signal, name, _ in SIGNALS],
        turned_away=_turned_away(counters), changed=_changed(counters), rejections=status["rejections"],
        stored=[_stored(signal, name, kept, status) for signal, name, kept in SIGNALS], counters=counters,
        queries=_queries(counters), transports=TRANSPORTS,
        targets=sorted(status["targets"], key=lambda target: target["health"] != "down"),
    )  # fmt: skip


class Counters:
    """The server's figures by name and labels."""

    def __init__(self, counters: Mapping[str, Any]) -> None:
        self._counters = counters

    def series(self, name: str) -> Iterable[tuple[dict[str, str], Any]]:
        """Return the labels and the figures of each series."""
        return [(entry["labels"], entry) for entry in self._counters[name]["series"]]

    def total(self, name: str, **labels: str) -> float:
        """Add up the series that have these labels."""
        wanted = labels.items()
        return float(sum(entry["value"] for have, entry in self.series(name) if wanted <= have.items()))


def _answer(status: Mapping[str, Any], counters: Counters) -> Answer:
    stored, left_out = int(counters.total("received_records")), int(counters.total("rejected_records"))
    refused, failed = int(counters.total("refused_requests")), int(counters.total("storage_errors"))
    if not status["ready"]:
        text = f"{_count(refused, 'request')} refused since the start." if refused else "No request was refused yet."
        return Answer("err", "The server takes no records now.", text)
    if status["health"]:
        return Answer("err", "Taking records, but something is wrong with the server.", f"{status['health']}.")
    troubles = [
        *([f"{_count(left_out, 'record')} left out"] if left_out else []),
        *([f"{_count(refused, 'request')} refused"] if refused else []),
        *([f"{_count(failed, 'write')} to disk failed"] if failed else []),
    ]
    if troubles:
        latest = status["rejections"][0] if status["rejections"] else None
        text = f"The latest reason: {latest['message']}" if latest else ""
        return Answer("warn", f"Taking records, but {' and '.join(troubles)} since the start.", text)
    if not stored:
        return Answer("", "Ready. Nothing has come in since the start.", "")
    return Answer("", f"All is well: {_count(stored, 'record')} stored since the start, none turned away.", "")


def _count(number: int, noun: str) -> str:
    return f"{fmt.grouped(number)} {noun}{'' if number == 1 else 's'}"


def _received(signal: str, name: str, counters: Counters, uptime_s: float) -> dict[str, Any]:
    records = counters.total("received_records", signal=signal)
    return {
        "name": name,
        "records": int(records),
        "rate_per_s": records / uptime_s if uptime_s else 0.0,
        "requests": int(counters.total("received_requests", signal=signal)),
        "http": int(counters.total("received_requests", signal=signal, transport="http")),
        "grpc": int(counters.total("received_requests", signal=signal, transport="grpc")),
        "bytes": int(counters.total("received_bytes", signal=signal)),
        "resent": int(counters.total("duplicate_requests", signal=signal)),
    }


def _turned_away(counters: Counters) -> Sequence[dict[str, Any]]:
    """Records left out and requests refused, one row a reason with what they were; most first."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for what, name in (("records", "rejected_records"), ("requests", "refused_requests")):
        for labels, entry in counters.series(name):
            reason = labels["reason"]
            new = {"what": what, "reason": reason, "advice": ADVICE.get(reason, ""), "count": 0, "parts": []}
            row = rows.setdefault((what, reason), new)
            row["count"] += int(entry["value"])
            row["parts"].append((" over ".join([labels["signal"], *_transport(labels)]), int(entry["value"])))
    for row in rows.values():
        row["parts"].sort(key=lambda part: -part[1])
    return sorted(rows.values(), key=lambda row: -row["count"])


def _transport(labels: Mapping[str, str]) -> Sequence[str]:
    return [TRANSPORTS[labels["transport"]]] if "transport" in labels else []


def _changed(counters: Counters) -> Sequence[tuple[str, int, str]]:
    """What was stored otherwise than it came: how it is called, how often, and the settings behind it."""
    rows = (
        ("values cut", int(counters.total("cut_values")), "longer than storage.max_value_bytes"),
        (
            "attributes kept without a column",
            int(counters.total("overflowed_attributes")),
            "past storage.max_attributes of a record or storage.max_columns; filters find them, more slowly",
        ),
    )
    return [row for row in rows if row[1]]


def _stored(signal: str, name: str, kept: str, status: Mapping[str, Any]) -> dict[str, Any]:
    storage = status["storage"]
    rows, size = storage["rows"][signal], storage["bytes"][signal]
    return {
        "name": name,
        "rows": rows,
        "buffer": storage["buffer_rows"][signal],
        "segments": storage["segments"][signal],
        "bytes": size,
        "bytes_per_record": size / rows if rows else None,
        "oldest_time": storage["oldest_time"].get(signal),
        "kept_ns": status["retention"][f"{kept}_ns"],
        "setting": f"retention.{kept}",
    }


def _queries(counters: Counters) -> Sequence[dict[str, Any]]:
    """Times by route, those that took most in all first."""
    rows = [
        {
            "route": labels["route"],
            "count": entry["count"],
            "mean_ns": entry["sum_s"] / entry["count"] * 1e9,
            "p95_ns": None if entry["p95_at_most_s"] is None else entry["p95_at_most_s"] * 1e9,
            "total_s": entry["sum_s"],
            "failed": int(counters.total("query_failures", route=labels["route"])),
        }
        for labels, entry in counters.series("query_seconds")
    ]
    return sorted(rows, key=lambda row: -row["total_s"])
