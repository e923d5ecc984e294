"""The ``spanglass`` command: find the sub-command, run it, and turn every end into an exit code."""

from __future__ import annotations

import difflib
import os
import sys
from importlib import import_module
from importlib.metadata import entry_points, version
from io import TextIOWrapper
from typing import TYPE_CHECKING

from spanglass.cli.errors import CliError, Exit, missing
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Command = Callable[[Sequence[str]], int]

_ENTRY_POINTS = "spanglass.commands"

#: Commands that come with this package: the module that has ``command(argv)``, and a line of help.
BUILT_IN = {
    "run": ("spanglass.cli.run", "run a program with its traces, metrics and logs on"),
    "doctor": ("spanglass.cli.doctor", "say what is instrumented, what is not and why"),
    "bootstrap": ("spanglass.cli.bootstrap", "install the instrumentations that are missing"),
    "traces": ("spanglass.cli.queries.traces", "search traces"),
    "trace": ("spanglass.cli.queries.trace", "show one trace as a tree"),
    "differences": ("spanglass.cli.analysis.differences", "say what sets some spans apart from others"),
    "self-time": ("spanglass.cli.analysis.self_time", "say where the time of spans goes"),
    "profiles": ("spanglass.cli.analysis.profiles", "say which functions threads were in"),
    "findings": ("spanglass.cli.analysis.findings", "list what makes requests slow, show, dismiss it"),
    "logs": ("spanglass.cli.queries.logs", "search log records, or follow them"),
    "metrics": ("spanglass.cli.queries.metrics", "list metrics, or query one"),
    "query": ("spanglass.cli.queries.query", "evaluate PromQL over metrics, spans and logs"),
    "issues": ("spanglass.cli.issues.issues", "list issues: errors, grouped"),
    "issue": ("spanglass.cli.issues.issue", "show an issue, or resolve, ignore, assign, merge it"),
    "releases": ("spanglass.cli.issues.releases", "list releases with their issues"),
    "dashboards": ("spanglass.cli.dashboards.dashboards", "list, check, export and import dashboards"),
    "rules": ("spanglass.cli.alerting.rules", "list, check, test, backtest and export alert rules"),
    "alerts": ("spanglass.cli.alerting.alerts", "list alerts, show, acknowledge, resolve, dismiss them"),
    "incidents": ("spanglass.cli.alerting.incidents", "list incidents, show, open, acknowledge, resolve them; report"),
    "routes": ("spanglass.cli.notifications.routes", "say who hears of an alert, and check files of routes"),
    "channels": ("spanglass.cli.notifications.channels", "list channels, send test messages, preview messages"),
    "silences": ("spanglass.cli.notifications.silences", "list silences, make and end them"),
    "oncall": ("spanglass.cli.notifications.oncall", "say who is on call, and what escalates"),
    "deliveries": ("spanglass.cli.notifications.deliveries", "list what was told over which channel, try again"),
    "checks": ("spanglass.cli.health.checks", "list health checks, show and run them, say how everything is"),
    "slo": ("spanglass.cli.slo.slo", "list objectives and their error budgets, show, keep, delete them"),
    "views": ("spanglass.cli.saved.views", "list saved views of pages, save, change, delete them"),
    "pins": ("spanglass.cli.saved.pins", "list pinned traces, pin and unpin them"),
    "services": ("spanglass.cli.analysis.services", "list services with rate, errors and latency"),
    "users": ("spanglass.cli.analysis.users", "list users with sessions, errors, show what one did; features, paths"),
    "tasks": ("spanglass.cli.analysis.tasks", "list background tasks, and queues"),
    "coverage": ("spanglass.cli.analysis.coverage", "list telemetry that services and hosts should send and do not"),
    "costs": ("spanglass.cli.analysis.costs", "list what telemetry takes on disk and costs, and what to drop"),
    "retention": ("spanglass.cli.saved.retention", "show which traces stay how long, preview and change that"),
    "report": ("spanglass.cli.analysis.report", "have a report made, as PDF, HTML, CSV or text; list, delete them"),
    "anomalies": ("spanglass.cli.anomalies.anomalies", "list what is unusual for its time, say what is fine"),
    "trends": ("spanglass.cli.trends.trends", "list what rises, falls or jumped"),
    "capacity": ("spanglass.cli.trends.capacity", "list what is used up, and when"),
    "forecast": ("spanglass.cli.trends.forecast", "forecast a measure or PromQL"),
    "sql": ("spanglass.cli.queries.sql", "run a read-only SQL statement"),
    "export": ("spanglass.cli.transfer.export", "export everything of a range as files, or as one database"),
    "import": ("spanglass.cli.transfer.importing", "post exports, OTLP/JSON and Jaeger's JSON to a server"),
    "send": ("spanglass.cli.send", "post OTLP/JSON files"),
    "status": ("spanglass.cli.queries.status", "show the server's health and counters"),
}

#: Commands that an extra brings: its name, and a line of help.
FROM_EXTRAS = {"serve": ("server", "run the server")}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (see ``Exit``)."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what the terminal's encoding lacks is escaped, not an error
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(words)
        sys.stdout.flush()
    except CliError as error:
        return _report(error, words)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's last flush complains
        return Exit.OK
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return code


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in {"-h", "--help", "help"}:
        print(_usage())
        return Exit.OK if words else Exit.USAGE
    if words[0] in {"-V", "--version"}:
        print(f"spanglass {version('spanglass')}")
        return Exit.OK
    return _find(words[0])(words[1:])


def _find(name: str) -> Command:
    if name in BUILT_IN:
        command: Command = import_module(BUILT_IN[name][0]).command
        return command
    found = entry_points(group=_ENTRY_POINTS, name=name)
    if not found and name not in FROM_EXTRAS:
        known = ", ".join([*BUILT_IN, *FROM_EXTRAS])
        close = difflib.get_close_matches(name, [*BUILT_IN, *FROM_EXTRAS], 1)
        meant = (f"did you mean {close[0]}?",) if close else ()
        raise CliError(f"unknown command {terminal_text(name)!r}", *meant, f"the commands are {known}", code=Exit.USAGE)
    try:
        loaded: Command = next(iter(found)).load()
    except (StopIteration, ModuleNotFoundError) as error:
        extra = FROM_EXTRAS.get(name, ("server", ""))[0]
        raise missing(f"the command {name!r} needs the extra [{extra}]{_cause(error)}", extra) from None
    return loaded


def _cause(error: Exception) -> str:
    return f" (there is no module {error.name})" if isinstance(error, ModuleNotFoundError) else ""


def _usage() -> str:
    rows = {name: help_text for name, (_, help_text) in (FROM_EXTRAS | BUILT_IN).items()}
    for entry in entry_points(group=_ENTRY_POINTS):
        rows.setdefault(entry.name, f"from {entry.value.partition(':')[0]}")
    listing = "\n".join(f"  {name:<11} {help_text}" for name, help_text in rows.items())
    return (
        "usage: spanglass COMMAND [OPTIONS]\n\n"
        "Traces, metrics and logs: send them, search them, read them.\n\n"
        f"{listing}\n\n"
        "spanglass COMMAND --help shows a command's options, with examples."
    )


def _report(error: CliError, words: list[str]) -> int:
    """Write an error to stderr: one line, and below it where the mistake is and what to do."""
    name = f"spanglass {words[0]}" if words and words[0] in BUILT_IN else "spanglass"
    print(f"{name}: {error}", *(f"  {line}" for line in error.details), sep="\n", file=sys.stderr)
    return error.code


if __name__ == "__main__":
    sys.exit(main())
