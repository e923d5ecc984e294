"""The keys of a configuration file of Alertmanager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.alerting.rules.prometheus.kinds import PrometheusDuration
from spanglass_server.forms.kinds import Flag, Many, Nullable, Text, Texts
from spanglass_server.forms.shapes import Shape
from spanglass_server.notifications.config.routes import INTERVAL, MATCHERS
from spanglass_server.notifications.importing.model import (
    TheirConfiguration,
    TheirInhibition,
    TheirIntervals,
    TheirRoute,
)
from spanglass_server.notifications.routing.matchers import MatcherError, check_pattern
from spanglass_server.notifications.routing.resolving import ALL_LABELS

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report

_NAMED = Text(may_be_empty=False)
_NAMES = Many(_NAMED)
_LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"
_LABELS = Texts(Text(), _LABEL, "it is no name of a label")
_DURATION = Nullable(PrometheusDuration())
_MAX_ROUTES = 5000


class _Tree:
    """A value that is looked at later."""

    schema: Final[dict[str, Any]] = {}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        del report
        return None if node.sort == "null" else node

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return value


class _Routes:
    """The routes below a route."""

    schema: Final[dict[str, Any]] = {"type": "array"}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        return Many(ROUTE, most=_MAX_ROUTES).read(node, report)

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        return [ROUTE.write(route, full=full) for route in value]


def _check_route(route: Any, node: Node, report: Report) -> None:
    at = node.named("group_by") or node
    if ALL_LABELS in route.group_by and len(route.group_by) > 1:
        report.add(at, "... is all labels, and stands alone")
    if len(set(route.group_by)) < len(route.group_by):
        report.add(at, "group_by names a label twice")
    for key in ("group_interval", "repeat_interval"):
        if getattr(route, f"{key}_ns") == 0:
            report.add(node.named(key) or node, f"{key} can't be 0")
    _check_patterns("match_re", route.match_re, node, report)


def _check_inhibition(rule: Any, node: Node, report: Report) -> None:
    for key in ("source_match_re", "target_match_re"):
        _check_patterns(key, getattr(rule, key), node, report)


def _check_patterns(key: str, patterns: dict[str, str], node: Node, report: Report) -> None:
    for name, pattern in patterns.items():
        try:
            check_pattern(pattern)
        except MatcherError as error:
            texts = node.named(key) or node
            report.add(texts.named(name) or texts, error.message, error.hint)


def _check_file(configuration: Any, node: Node, report: Report) -> None:
    root, at = configuration.route, node.named("route") or node
    if not root.receiver:
        report.add(at, "the first route has no receiver")
    if root.matchers or root.match or root.match_re:
        report.add(at, "the first route takes every alert, and has no matchers")
    if root.continue_:
        report.add(at, "the first route has no continue")
    if root.mute_time_intervals or root.active_time_intervals:
        report.add(at, "the first route has no time intervals")


ROUTE: Final = Shape(
    TheirRoute,
    {
        "receiver": Text(),
        "group_by": _NAMES,
        "group_wait": _DURATION,
        "group_interval": _DURATION,
        "repeat_interval": _DURATION,
        "match": _LABELS,
        "match_re": _LABELS,
        "matchers": MATCHERS,
        "continue": Flag(),
        "mute_time_intervals": _NAMES,
        "active_time_intervals": _NAMES,
        "routes": _Routes(),
    },
    check=_check_route,
)
_INHIBITION = Shape(
    TheirInhibition,
    {
        "name": Text(),
        "source_match": _LABELS,
        "source_match_re": _LABELS,
        "source_matchers": MATCHERS,
        "target_match": _LABELS,
        "target_match_re": _LABELS,
        "target_matchers": MATCHERS,
        "equal": _NAMES,
    },
    check=_check_inhibition,
)
_INTERVALS = Shape(TheirIntervals, {"name": _NAMED, "time_intervals": Many(INTERVAL)})
FILE: Final = Shape(
    TheirConfiguration,
    {
        "route": ROUTE,
        "receivers": _Tree(),
        "global": _Tree(),
        "inhibit_rules": Many(_INHIBITION),
        "mute_time_intervals": Many(_INTERVALS),
        "time_intervals": Many(_INTERVALS),
        "templates": _NAMES,
        "tracing": _Tree(),
    },
    check=_check_file,
)
