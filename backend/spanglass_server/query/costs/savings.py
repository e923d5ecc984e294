"""What could be dropped, what it would save, and the line that drops it.

Attributes that the server's own pages read are never among them, nor those of metrics: without one, series of several
senders would become one. docs/costs.md says the same.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from spanglass_server.query.costs.pricing import MONTH
from spanglass_server.query.costs.sampling import PROBES
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass_server.query.costs.answers import AttributeCost, Saving
    from spanglass_server.query.costs.costs import Weighing

#: What is less of all bytes is not worth a change.
_LEAST: Final = 0.01
#: Of attributes whose values repeat.
_LEAST_REPEATED: Final = 0.05
_MOST: Final = 20
_DROPPED: Final = {"spans": ("span", "resource"), "logs": ("log", "resource")}
#: Beginnings of keys that pages, findings, issues and questions are made of.
_NEEDED: Final = (
    *("service.", "exception.", "error.", "spanglass.", "telemetry.", "host.name", "user.id", "enduser.id"),
    *("session.id", "http.route", "http.request.method", "http.response.status_code", "url.path", "url.full"),
    *("db.", "rpc.", "messaging.", "code.", "gen_ai.", "server.", "http.target", "http.method", "http.status_code"),
)


def find_savings(found: Weighing, attributes: Sequence[AttributeCost]) -> list[Saving]:
    """List what could be dropped, the dearest first, then the largest."""
    savings = [*_of_attributes(found, attributes), *_of_records(found)]
    return sorted(savings, key=lambda each: (-(each["price"] or 0.0), -each["bytes"], each["remedy"]))[:_MOST]


def _of_attributes(found: Weighing, attributes: Sequence[AttributeCost]) -> Iterator[Saving]:
    for each in attributes:
        position, key, values = each["position"], each["key"], each["values"]
        if position not in _DROPPED.get(each["signal"], ()) or key.startswith(_NEEDED) or values is None:
            continue
        if each["share"] < (_LEAST_REPEATED if values == "repeated" else _LEAST):
            continue
        yield {
            "kind": "attribute",
            "signal": each["signal"],
            "position": position,
            "key": key,
            "values": values,
            "services": each["services"],
            "bytes": each["bytes"],
            "share": each["share"],
            "bytes_a_month": each["bytes"] / found.days * MONTH,
            "price": each["price"],
            "place": "collector",
            "remedy": _without(position, key),
        }


def _without(position: str | None, key: str) -> str:
    """A processor of the Collector that deletes an attribute."""
    action = f"[{{key: {json.dumps(key)}, action: delete}}]"
    return f"resource/costs: {{attributes: {action}}}" if position == "resource" else (
        f"attributes/costs: {{actions: {action}}}"
    )  # fmt: skip


def _of_records(found: Weighing) -> Iterator[Saving]:
    for weighed in found.signals:
        seen = found.samples.get(weighed.signal)
        if seen is None or not seen.records:
            continue
        for service, marked in seen.marked.items():
            part = marked / seen.records
            size = weighed.bytes * part
            if found.share(size) < _LEAST:
                continue
            is_log = weighed.signal is Signal.LOGS
            yield {
                "kind": "debug_logs" if is_log else "health_checks",
                "signal": weighed.signal.value,
                "position": None,
                "key": None,
                "values": None,
                "services": found.senders({service: 1.0}, size),
                "bytes": size,
                "share": found.share(size),
                "bytes_a_month": size / found.days * MONTH,
                "price": found.prices[weighed.signal].part(part, part),
                "place": "application",
                "remedy": "SPANGLASS_LOGGER_LEVEL=info" if is_log else f"OTEL_PYTHON_EXCLUDED_URLS='{PROBES}'",
            }
