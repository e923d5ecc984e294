"""Everything that is found out, in the order in which it is printed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanglass.cli.diagnosis import configuration, libraries, processes, proxies, running, server, versions
from spanglass.cli.diagnosis.findings import Finding, Severity, worst
from spanglass.identity.service_name import service_name
from spanglass.settings.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass.instrumentors.status import InstrumentationStatus
    from spanglass.settings.table import Settings


@dataclass(slots=True)
class Report:
    """What was found. ``shown`` is the stable form of ``--json``."""

    versions: dict[str, str] = field(default_factory=dict)
    settings: list[dict[str, Any]] = field(default_factory=list)
    instrumentations: list[InstrumentationStatus] = field(default_factory=list)
    server: list[dict[str, Any]] = field(default_factory=list)
    clock_difference_s: float | None = None
    processes: dict[str, Any] = field(default_factory=dict)
    running: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def worst(self) -> Severity:
        """The worst finding's severity."""
        return worst(self.findings)

    def shown(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {"worst": self.worst, **dataclasses.asdict(self)}


def diagnose(environ: Mapping[str, str], command: Sequence[str] = (), *, ask_server: bool = True) -> Report:
    """Find everything out. ``command`` is what will be run, to say what it does to telemetry."""
    settings, sourced, found = configuration.read(environ)
    report = Report(versions=versions.versions(), settings=configuration.shown(sourced), processes=processes.facts())
    report.findings += versions.findings()
    report.findings += found
    report.instrumentations = libraries.table(settings)
    report.findings += libraries.findings(report.instrumentations)
    if ask_server and settings.enabled:
        _ask(report, settings, environ, command)
    report.findings += processes.findings(command, environ)
    return report


def _ask(report: Report, settings: Settings, environ: Mapping[str, str], command: Sequence[str]) -> None:
    try:
        probes = server.probe(settings, environ)
    except SettingsError as error:
        report.findings.append(server.unreadable(error))
        return
    report.server = [each.shown() for each in probes]
    report.findings += server.findings(probes)
    if settings.protocol != "grpc":
        report.findings += proxies.findings(settings.endpoint)
    if not any(each.reached for each in probes):
        return
    if settings.protocol != "grpc":
        report.clock_difference_s = server.clock_difference_s(settings.endpoint)
        if report.clock_difference_s is not None:
            report.findings.append(server.clock_finding(report.clock_difference_s))
    client = running.client_for(settings, environ)
    if client is not None:
        service = settings.service_name or (service_name(["python", *command], Path.cwd()) if command else "")
        report.running, found = running.look(client, service)
        report.findings += found
