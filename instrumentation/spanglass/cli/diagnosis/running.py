"""What the running processes of this service said about themselves, as the server has it: losses and left-outs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from spanglass.cli.client import Client
from spanglass.cli.diagnosis.findings import Finding, Severity
from spanglass.cli.errors import CliError
from spanglass.cli.options import READ_TOKEN
from spanglass.delivery.signals import SIGNALS, Signal
from spanglass.instrumentors.metrics import PROBLEM
from spanglass.runtime_metrics.failures import FAILURES
from spanglass_core.attribute_names import FAILURE, INSTRUMENTATION_NAME, INSTRUMENTATION_REASON, INSTRUMENTATION_STATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spanglass.settings.table import Settings

_AREA = "running"
_LAST = "15m"
_REJECTED = "rejected"
_QUEUE_FULL = "queue_full"
_TROUBLE = (INSTRUMENTATION_NAME, INSTRUMENTATION_STATE, INSTRUMENTATION_REASON)


def client_for(settings: Settings, environ: Mapping[str, str]) -> Client | None:
    """Make a client of the API that belongs to the endpoint; None if only its gRPC port is known."""
    url = environ.get("SPANGLASS_URL", "")
    if not url:
        if settings.protocol == "grpc":
            return None
        parts = urlsplit(settings.endpoint)
        url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
    return Client(url, environ.get(READ_TOKEN, ""), READ_TOKEN)


def look(client: Client, service: str) -> tuple[dict[str, Any], list[Finding]]:
    """Ask for what processes of ``service`` (all services, if it is empty) sent in the last quarter of an hour."""
    try:
        metrics = {each["name"] for each in client.get("/metrics", _parameters(service, prefix=""))["metrics"]}
        losses = {name: _losses(client, service, each) for name, each in SIGNALS.items() if each.exported in metrics}
        troubles = _troubles(client, service) if PROBLEM in metrics else []
        failures = _failures(client, service) if FAILURES.name in metrics else {}
    except (CliError, KeyError, TypeError) as error:
        text = f"what the running processes said could not be read: {error}"
        return {}, [Finding(_AREA, Severity.NOTE, text, f"a server with read tokens needs one in {READ_TOKEN}")]
    facts = {"service": service, "last": _LAST, "seen": bool(metrics), "lost": losses, "instrumentations": troubles}
    facts["failures"] = failures
    return facts, list(_findings(facts))


def _parameters(service: str, **more: str) -> dict[str, Any]:
    return {"last": _LAST, "service": service or None, **more}


def _filter(service: str) -> str | None:
    escaped = service.replace("\\", "\\\\").replace('"', '\\"')
    return f'service.name = "{escaped}"' if service else None


def _losses(client: Client, service: str, signal: Signal) -> dict[str, int]:
    """Return how many records of a signal were given up, by cause."""
    lost: dict[str, int] = {}
    for name in filter(None, (signal.exported, signal.processed)):
        parameters = {"last": _LAST, "name": name, "by": "error.type", "aggregate": "increase", "step": _LAST}
        answer = client.get("/metrics/query", parameters | {"filter": _filter(service)})
        for series in answer["series"]:
            cause = series["by"].get("error.type")
            count = round(sum(point["value"] for point in series["points"]))
            if cause and count:
                lost[cause] = lost.get(cause, 0) + count
    return lost


def _troubles(client: Client, service: str) -> list[dict[str, str]]:
    parameters = {"last": _LAST, "name": PROBLEM, "filter": _filter(service)}
    found = {
        tuple(str(series["attributes"].get(key, "")) for key in _TROUBLE)
        for series in client.get("/metrics/series", parameters)["series"]
    }
    return [{"name": name, "state": state, "reason": reason} for name, state, reason in sorted(found)]


def _failures(client: Client, service: str) -> dict[str, int]:
    """Return how often code of ours failed since each process began, by what could not be done."""
    parameters = {"last": _LAST, "name": FAILURES.name, "filter": _filter(service), "aggregate": "raw"}
    failed: dict[str, int] = {}
    for series in client.get("/metrics/query", parameters)["series"]:
        doing = str(series["by"].get(FAILURE, ""))
        failed[doing] = failed.get(doing, 0) + round(series["points"][-1]["value"])
    return failed


def _findings(facts: Mapping[str, Any]) -> Iterator[Finding]:
    who = facts["service"] or "any service"
    if not facts["seen"]:
        yield Finding(_AREA, Severity.NOTE, f"the server got no metrics of {who} in the last {_LAST}")
        return
    lost = {name: causes for name, causes in facts["lost"].items() if causes}
    for name, causes in lost.items():
        listed = ", ".join(f"{count:,} {cause}" for cause, count in sorted(causes.items()))
        text = f"{who} lost {SIGNALS[name].nouns} in the last {_LAST}: {listed}"
        yield Finding(_AREA, Severity.WARNING, text, _remedy(name, causes))
    for each in facts["instrumentations"]:
        text = f"{who}: instrumentation {each['name']} is {each['state']}: {each['reason']}"
        yield Finding(_AREA, Severity.WARNING, text, "docs/app/doctor.md says what each state means")
    for doing, count in facts["failures"].items():
        text = f"{who}: Spanglass could not {doing}: {count:,} times; the application went on"
        yield Finding(_AREA, Severity.WARNING, text, "the application's log has the first one with its traceback")
    if not lost and not facts["instrumentations"] and not facts["failures"]:
        who = facts["service"] or "no service"
        lost_what = "nothing" if facts["service"] else "anything"
        text = f"{who} lost {lost_what} in the last {_LAST}, as far as its processes could say"
        yield Finding(_AREA, Severity.OK, text)


def _remedy(name: str, causes: Mapping[str, int]) -> str:
    if _QUEUE_FULL in causes:
        return f"raise SPANGLASS_MAX_QUEUE_{'LOGS' if name == 'logs' else 'SPANS'}, or sample: SPANGLASS_SAMPLE_RATIO"
    if _REJECTED in causes:
        return "spanglass status --format ndjson says what the server left out"
    return "keep what can't be sent: SPANGLASS_SPOOL_DIR=/var/lib/shop/spool"
