"""What must hold between the values of a check, each of which is fine by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from spanglass_server.health.check import KINDS

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report
    from spanglass_server.health.check import Check, Command, Heartbeat, Http, Tls

_BODILESS = frozenset({"GET", "HEAD"})


def check_check(check: Check, node: Node, report: Report) -> None:
    """Exactly one kind, and no longer timeout than interval."""
    given = [kind for kind in KINDS if getattr(check, kind) is not None]
    if len(given) != 1:
        kinds = ", ".join(KINDS)
        what = f"it has {' and '.join(given)}" if given else "it does not say what to look at"
        report.add(_at(node, *given[1:2]), what, f"give one of {kinds}")
        return
    if check.heartbeat is not None and (check.interval_ns or check.timeout_ns):
        key = "interval" if check.interval_ns else "timeout"
        report.add(_at(node, key), f"a heartbeat has no {key}", "say every or cron, and grace")
    if check.interval_ns and check.timeout_ns > check.interval_ns:
        report.add(_at(node, "timeout"), "timeout is longer than interval", "make it shorter")


def check_http(http: Http, node: Node, report: Report) -> None:
    """What a request can hold, and an answer can say."""
    if urlsplit(http.url).username is not None:
        report.add(_at(node, "url"), "the URL holds a user", "give it as user, with password: {env: NAME}")
    if http.body and http.method in _BODILESS:
        report.add(_at(node, "body"), f"{http.method} sends no body", "say method: POST")
    if http.redirects_to and not any(code.startswith("3") for code in http.status) and http.status != ("2xx",):
        report.add(_at(node, "status"), "a redirect has a status from 300 to 399", "leave status out")
    if bool(http.user) != (http.password is not None):
        missing = "password" if http.user else "user"
        report.add(_at(node, "user", "password"), f"{missing} is missing", "give both or none")
    if not http.verify and http.ca_file:
        report.add(_at(node, "ca_file"), "nothing is verified", "leave out ca_file, or verify")


def check_tls(tls: Tls, node: Node, report: Report) -> None:
    """The warning comes first."""
    if tls.warning_ns < tls.critical_ns:
        report.add(_at(node, "critical", "warning"), "critical is reached before warning", "exchange them")
    if not tls.verify and tls.ca_file:
        report.add(_at(node, "ca_file"), "nothing is verified", "leave out ca_file, or verify")


def check_heartbeat(heartbeat: Heartbeat, node: Node, report: Report) -> None:
    """Either way to say when it is due."""
    if bool(heartbeat.every_ns) == bool(heartbeat.cron):
        what = "both every and cron are given" if heartbeat.cron else "it does not say when a call is due"
        report.add(_at(node, "cron"), what, "say every: 1h, or cron: '0 3 * * *'")


def check_command(command: Command, node: Node, report: Report) -> None:
    """A program by its path, so that it is the one that was meant."""
    if not command.command:
        report.add(_at(node, "command"), "there is no program", "write [/usr/local/bin/program, argument]")
    elif not command.command[0].startswith("/"):
        hint = "write its whole path, with arguments as further items: no shell is used"
        report.add(_at(node, "command"), f"{command.command[0]!r} is no path of a program", hint)


def _at(node: Node, *keys: str) -> Node:
    return next((at for key in keys if (at := node.named(key)) is not None), node)
