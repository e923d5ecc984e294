"""The server, asked as the application would: one empty request a signal, and the date of its clock.

A request without records is stored by nobody, and the answer is that to a full one: reached, known, taken.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import requests

from spanglass.cli.diagnosis.findings import Finding, Severity
from spanglass.clock import NS_PER_S
from spanglass.delivery.signals import SIGNALS
from spanglass.delivery.transport.answers import Answer, Verdict
from spanglass.delivery.transport.http_sender import HttpSender
from spanglass.delivery.transport.targets import Target, find_target
from spanglass.settings.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spanglass.settings.table import Settings

_AREA = "server"
_MAX_WAIT_S = 5.0
_USER_AGENT = "spanglass-doctor"
_REMEDIES = {  # by the kind of answer
    "401": "export SPANGLASS_TOKEN=... with the server's ingest token",
    "403": "export SPANGLASS_TOKEN=... with the server's ingest token",
    "404": "export SPANGLASS_ENDPOINT=http://HOST:4318, without /v1/traces",
    "405": "export SPANGLASS_ENDPOINT=http://HOST:4318, without /v1/traces",
    "ConnectionRefusedError": "start a server with `spanglass serve`, or name another: export SPANGLASS_ENDPOINT=...",
    "UNAVAILABLE": "start a server with `spanglass serve`, or name another: export SPANGLASS_ENDPOINT=...",
    "UNAUTHENTICATED": "export SPANGLASS_TOKEN=... with the server's ingest token",
    "SSLCertVerificationError": "export OTEL_EXPORTER_OTLP_CERTIFICATE=... with the authority's certificate",
    "gaierror": "check the host's name in SPANGLASS_ENDPOINT",
}
_OTHER_REMEDY = "check SPANGLASS_ENDPOINT and SPANGLASS_PROTOCOL"
_DATE_S = 1.0  # what a Date header tells a time to
_CLOCK_LIMIT_S = 5.0  # a span that seems to end before it began on another machine is an hour's riddle


@dataclass(frozen=True, slots=True)
class Probe:
    """What became of one signal's empty request. ``latency_ns`` counts only when something answered."""

    signal: str
    url: str
    answer: Answer
    latency_ns: int

    @property
    def reached(self) -> bool:
        """Whether the server itself answered."""
        return self.answer.verdict is Verdict.TAKEN or self.answer.status is not None

    def shown(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "signal": self.signal,
            "url": self.url,
            "accepted": self.answer.verdict is Verdict.TAKEN,
            "reached": self.reached,
            "status": self.answer.status,
            "message": self.answer.reason or self.answer.message,
            "latency_ms": round(self.latency_ns / 1e6, 1),
        }


def probe(settings: Settings, environ: Mapping[str, str]) -> list[Probe]:
    """Send each signal that is on an empty request, all at once. Raises ``SettingsError`` for a wrong variable."""
    wanted = [name for name in SIGNALS if getattr(settings, name)]
    targets = [find_target(SIGNALS[name], settings, environ) for name in wanted]
    with ThreadPoolExecutor(max_workers=max(1, len(wanted))) as pool:
        return list(pool.map(_ask, wanted, targets))


def findings(probes: Sequence[Probe]) -> Iterator[Finding]:
    """Return what the server answered: once if all signals fared alike, else for each."""
    groups: dict[tuple[Verdict, str], list[Probe]] = {}
    for each in probes:
        groups.setdefault((each.answer.verdict, each.answer.reason), []).append(each)
    for (verdict, reason), alike in groups.items():
        names = ", ".join(each.signal for each in alike)
        where = alike[0].url.removesuffix(f"/{SIGNALS[alike[0].signal].path}")
        if verdict is Verdict.TAKEN:
            slowest = max(each.latency_ns for each in alike) / 1e6
            text = f"{where} takes {names} ({slowest:.0f} ms{'' if len(alike) == 1 else ' at most'})"
            yield Finding(_AREA, Severity.OK, text)
        else:
            yield Finding(_AREA, Severity.PROBLEM, f"{where} does not take {names}: {reason}", _remedy(alike[0].answer))


def unreadable(error: SettingsError) -> Finding:
    """Make the finding for a target that can't be put together."""
    return Finding(_AREA, Severity.PROBLEM, str(error), "mend or unset that variable")


def clock_difference_s(url: str, timeout_s: float = _MAX_WAIT_S) -> float | None:
    """Return how far the server's clock is ahead of ours, to a second; None if it can't be told.

    The Date header has whole seconds, so half of one is added, and half of the time under way is taken off.
    """
    sent = time.time()
    try:
        answer = requests.head(url, timeout=timeout_s, allow_redirects=False)
        date = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (requests.RequestException, KeyError, ValueError, TypeError):
        return None
    arrived = time.time()
    return date + _DATE_S / 2 - (sent + arrived) / 2


def clock_finding(difference_s: float) -> Finding:
    """Return whether the clocks agree."""
    if abs(difference_s) <= _CLOCK_LIMIT_S:
        return Finding(_AREA, Severity.OK, "its clock agrees with this machine's (its Date header tells whole seconds)")
    ahead = "ahead of" if difference_s > 0 else "behind"
    text = f"its clock is about {abs(difference_s):.0f} s {ahead} this machine's, so times do not fit together"
    return Finding(_AREA, Severity.WARNING, text, "set both clocks by NTP: timedatectl set-ntp true")


def _ask(name: str, target: Target) -> Probe:
    timeout_s = min(_MAX_WAIT_S, target.timeout_ns / NS_PER_S)
    try:
        sender = _sender(name, target)
    except ModuleNotFoundError:
        reason = "protocol is grpc, and grpcio is not installed; pip install 'spanglass[grpc]'"
        return Probe(name, target.shown, Answer(Verdict.REFUSED, reason, "grpc"), 0)
    except SettingsError as error:
        return Probe(name, target.shown, Answer(Verdict.REFUSED, str(error), "settings"), 0)
    begun = time.perf_counter_ns()
    try:
        answer = sender.send(b"", timeout_s)
        return Probe(name, target.shown, answer, time.perf_counter_ns() - begun)
    finally:
        sender.close()


def _sender(name: str, target: Target) -> Any:
    if target.transport == "grpc":
        from spanglass.delivery.transport.grpc_sender import GrpcSender  # noqa: PLC0415 - grpc is an extra

        return GrpcSender(SIGNALS[name], target, _USER_AGENT)
    return HttpSender(target, _USER_AGENT)


def _remedy(answer: Answer) -> str:
    return _REMEDIES.get(answer.kind, "pip install 'spanglass[grpc]'" if answer.kind == "grpc" else _OTHER_REMEDY)
