"""The template environment: autoescaped, undefined names fail, formatting from one place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from spanglass_server.pages.alerts import words as alert_words
from spanglass_server.pages.issues import words
from spanglass_server.pages.log_lines.around import path_of as path_of_log
from spanglass_server.pages.log_lines.columns import fields as fields_of
from spanglass_server.pages.rendering import exceptions, terms
from spanglass_server.pages.rendering import format as fmt
from spanglass_server.pages.window import PRESETS

if TYPE_CHECKING:
    from spanglass_server.pages.rendering.assets import Assets

TEMPLATES = Path(__file__).parents[1] / "templates"
LINKABLE = ("http://", "https://")

#: Navigation: path, name, icon.
SECTIONS = (
    ("/", "Overview", "overview"), ("/services", "Services", "services"), ("/traces", "Traces", "traces"),
    ("/issues", "Errors", "errors"), ("/alerts", "Alerts", "alerts"), ("/logs", "Logs", "logs"),
    ("/metrics", "Metrics", "metrics"), ("/dashboards", "Dashboards", "dashboards"), ("/health", "Health", "health"),
    ("/hosts", "Hosts", "hosts"), ("/server", "Server", "server"),
)  # fmt: skip
#: Pages that belong to a section whose path is not the beginning of theirs.
ALSO = {
    "/map": "/services",
    "/releases": "/issues",
    "/processes": "/hosts",
    "/differences": "/traces",
    "/pinned": "/traces",
    "/findings": "/services",
    "/slos": "/services",
    "/coverage": "/services",
    "/tasks": "/services",
    "/anomalies": "/services",
    "/self-time": "/services",
    "/profiles": "/services",
    "/trends": "/metrics",
    "/capacity": "/metrics",
    "/forecast": "/metrics",
    "/users": "/services",
    "/sessions": "/services",
    "/reports": "/dashboards",
    "/costs": "/server",
    "/retention": "/server",
} | dict.fromkeys(("/incidents", "/rules", "/silences", "/routes", "/channels", "/on-call", "/deliveries"), "/alerts")

#: Where ``g`` and a letter go: the letter, path and name.
JUMPS = (
    ("o", "/", "overview"), ("s", "/services", "services"), ("t", "/traces", "traces"), ("e", "/issues", "errors"),
    ("a", "/alerts", "alerts"), ("l", "/logs", "logs"), ("m", "/metrics", "metrics"),
    ("d", "/dashboards", "dashboards"), ("h", "/health", "health"), ("n", "/hosts", "hosts"),
    ("r", "/server", "server"), ("c", "/map", "service map"),
    ("f", "/findings", "findings"), ("i", "/incidents", "incidents"), ("p", "/pinned", "pinned traces"),
    ("u", "/users", "users"), ("b", "/tasks", "background tasks"), ("x", "/profiles", "profiles"),
    ("v", "/views", "saved views"), ("w", "/reports", "reports"), ("q", "/slos", "objectives"),
    ("y", "/trends", "trends"), ("z", "/anomalies", "anomalies"),
)  # fmt: skip

#: Pages by the names that may be typed into the box of the top: those of sections and of jumps, and all others.
NAMED_PAGES = {name.lower(): path for path, name, _ in SECTIONS} | {name: path for _, path, name in JUMPS} | {
    path[1:].replace("-", " "): path for path in (*ALSO, "/slos", "/views", "/profiles", "/pinned", "/tasks", "/map")
}  # fmt: skip

#: What the filter box of a signal shows while it is empty.
EXAMPLES = {
    "spans": 'service.name = "checkout" and duration > 500ms', "logs": 'severity >= warn and "time-out"',
    "metrics": 'service.name = "checkout"',
    "occurrences": 'service = "checkout" and release = "2.14.0"',
}  # fmt: skip

#: Class of a log line and its three letters by the API's severity.
SEVERITIES = {
    "fatal": ("error", "FTL"), "error": ("error", "ERR"), "warn": ("warning", "WRN"), "info": ("info", "INF"),
    "debug": ("debug", "DBG"), "trace": ("debug", "TRC"), "unset": ("", "\u2013"),
}  # fmt: skip


def make_environment(assets: Assets, version: str) -> Environment:
    """Templates of this package; ``version`` is the server's, shown in the footer."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    environment.filters.update(
        dur=fmt.duration_html, durtext=fmt.duration_text, num=fmt.grouped, plain=fmt.plain, time_ns=fmt.parse_time_ns,
        pct=lambda ratio: fmt.with_unit(fmt.percent_parts(ratio)),
        pcttext=lambda ratio: fmt.THIN.join(fmt.percent_parts(ratio)),
        rate=lambda rate: fmt.with_unit(fmt.rate_parts(rate)), size=fmt.size_html, span=fmt.span_html,
        linkable=linkable, short=short, ago=fmt.ago_text,
    )  # fmt: skip
    environment.tests["contains"] = lambda values, value: value in values
    environment.tests["exception_event"] = exceptions.is_exception
    environment.globals.update(
        static=assets.url, imported=assets.modules("js/main.js"), version=version, sections=SECTIONS, jumps=JUMPS,
        presets=PRESETS, severities=SEVERITIES,
        sprite=Markup(assets.files["icons.svg"].decode()),  # noqa: S704 - our own file, not text from outside
        split_duration=fmt.duration_parts, split_rate=fmt.rate_parts, times=fmt.digits, money=fmt.money,
        examples=EXAMPLES, exceptions=exceptions, path_of_log=path_of_log, fields_of=fields_of,
        service_filter=lambda name: terms.term(terms.SERVICE, name),
        issue_words=words, alert_words=alert_words, iso=fmt.rfc3339, is_section=is_section,
    )  # fmt: skip
    return environment


def is_section(path: str, page: str) -> bool:
    """Whether a page belongs to a section of the navigation."""
    first = "/" + page.split("/")[1]
    return ALSO.get(first, first) == path


def linkable(value: object) -> bool:
    """Whether a value of telemetry may become a link: only whole http and https addresses, never ``javascript:``."""
    return isinstance(value, str) and value.lower().startswith(LINKABLE) and not set(value) & set(' \t\r\n"<>')


def short(trace_id: str) -> str:
    """Return an id by its two ends: ``4f1c…a90e``."""
    return trace_id if len(trace_id) <= 12 else f"{trace_id[:4]}…{trace_id[-4:]}"  # noqa: PLR2004 - nothing to gain below
