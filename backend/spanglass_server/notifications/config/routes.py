"""The tree of routes, inhibitions and time intervals as they are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.kinds import FAILED, Duration, Flag, Many, Nullable, Text, described
from spanglass_server.forms.shapes import Shape
from spanglass_server.notifications.config.channels import CHANNELS
from spanglass_server.notifications.config.layouts import ByName, Listed, Single
from spanglass_server.notifications.config.range_kinds import (
    DAY_RANGE,
    MONTH_RANGE,
    WEEKDAY_RANGE,
    YEAR_RANGE,
    TimesOfDay,
    TimeZone,
)
from spanglass_server.notifications.config.sections import Plain, Section, Use
from spanglass_server.notifications.model import Inhibition, Matcher
from spanglass_server.notifications.routing.intervals import TimeInterval
from spanglass_server.notifications.routing.matchers import MatcherError, matcher_text
from spanglass_server.notifications.routing.parsing import parse_matchers
from spanglass_server.notifications.routing.resolving import ALL_LABELS, WrittenRoute
from spanglass_server.notifications.routing.tree import NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report

ROUTES, INHIBITIONS, INTERVALS, ESCALATIONS = "routes", "inhibitions", "intervals", "escalations"
#: The name of the one tree of routes.
ROOT = "root"
_BELOW = ("monitoring", "notifications")
_MAX_ROUTES = 1000
_NAMED = Text(may_be_empty=False)
_NAMES = Many(_NAMED, most=50, alone=True)
_LASTING = Nullable(Duration(1))
_WAIT = Nullable(Duration(may_be_off=True, none="0s"))


class Matchers:
    """A list of matchers, or one, or labels with their values: all have to hold. A ``Kind``."""

    schema: Final = {"type": "array", "items": {"type": "string", "examples": ['team="db"']}}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if node.sort == "null":
            return ()
        if node.sort == "mapping":
            return self._of_labels(node, report)
        found: list[Matcher] = []
        before = len(report.problems)
        for item in node.items if node.sort == "list" else (node,):
            found.extend(self._of_text(item, report))
        return FAILED if len(report.problems) > before else tuple(found)

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return [matcher_text(matcher) for matcher in value]

    def _of_labels(self, node: Node, report: Report) -> Any:
        values = {entry.key: _LABEL.read(entry.value, report) for entry in node.entries}
        if any(value is FAILED for value in values.values()):
            return FAILED
        return tuple(Matcher(name, "=", value) for name, value in values.items())

    def _of_text(self, node: Node, report: Report) -> tuple[Matcher, ...]:
        if node.sort in {"list", "mapping", "null"}:
            report.add(node, f"expected a matcher, not {described(node)}", "put it in quotes: 'team=\"db\"'")
            return ()
        try:
            return parse_matchers(node.text)
        except MatcherError as error:
            if node.text_column and error.column:
                place = (node.line, node.text_column + error.column - 1)
                report.add_at(node.path, place, error.message, error.hint)
            else:
                report.add(node, error.message, error.hint)
            return ()


_LABEL = Text()
MATCHERS = Matchers()


class _Few(Many):
    """A list that has something in it where it is given."""

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if node.sort == "list" and not node.items:
            report.add(node, "an empty list is no time at all", "leave the key out, or give a range")
            return FAILED
        return super().read(node, report)


INTERVAL = Shape(
    TimeInterval,
    {
        "times": _Few(TimesOfDay(), alone=True),
        "weekdays": _Few(WEEKDAY_RANGE, alone=True),
        "days_of_month": _Few(DAY_RANGE, alone=True),
        "months": _Few(MONTH_RANGE, alone=True),
        "years": _Few(YEAR_RANGE, alone=True),
        "location": TimeZone(),
    },
)


def _check_route(route: WrittenRoute, node: Node, report: Report) -> None:
    at = node.named("group_by") or node
    if ALL_LABELS in route.group_by and len(route.group_by) > 1:
        report.add(at, "... is all labels, and stands alone", "write group_by: ['...']")
    if len(set(route.group_by)) < len(route.group_by):
        report.add(at, "group_by names a label twice")


class _Below:
    """The routes below a route."""

    @property
    def schema(self) -> dict[str, Any]:
        """See ``Kind``. Their own schema is that of the route above."""
        return {"type": "array", "items": {"type": "object"}}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        return Many(ROUTE, most=_MAX_ROUTES).read(node, report)

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        return [ROUTE.write(route, full=full) for route in value]


ROUTE = Shape(
    WrittenRoute,
    {
        "match": MATCHERS,
        "channels": _NAMES,
        "group_by": Many(_NAMED, most=100, alone=True),
        "group_wait": _WAIT,
        "group_interval": _LASTING,
        "repeat_interval": _LASTING,
        "continue": Flag(),
        "mute_during": _NAMES,
        "active_during": _NAMES,
        "escalation": Text(),
        "routes": _Below(),
    },
    check=_check_route,
)


class _Tree:
    """The form of the whole tree: its first route takes every alert."""

    schema = ROUTE.schema

    def read(self, _: str, node: Node, report: Report) -> Any:
        """See ``Form``."""
        root = ROUTE.read(node, report)
        if root is not FAILED and (root.match or root.continue_):
            key = "match" if root.match else "continue"
            hint = "put a route with it below routes:"
            report.add(node.named(key) or node, f"the first route takes every alert, and has no {key}", hint)
            return FAILED
        return root

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Form``."""
        return ROUTE.write(value, full=full)


@dataclass(frozen=True, slots=True)
class _NamedInhibition:
    """An inhibition as it stands in the list, with the name that it may have."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()
    name: str = ""


class _InhibitionForm:
    """The form of an inhibition."""

    _shape = Shape(
        _NamedInhibition,
        {"source": MATCHERS, "target": MATCHERS, "equal": Many(_NAMED, most=100, alone=True), "name": Text()},
    )
    schema = _shape.schema

    def read(self, _: str, node: Node, report: Report) -> Any:
        """See ``Form``."""
        read = self._shape.read(node, report)
        return read if read is FAILED else Inhibition(read.source, read.target, read.equal)

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Form``."""
        written = self._shape.write(_NamedInhibition(value.source, value.target, value.equal), full=full)
        return {key: item for key, item in written.items() if key != "name"}


def route_sections() -> tuple[Section, ...]:
    """The sections of the tree of routes, of inhibitions, and of time intervals."""
    return (
        Section(ROUTES, "tree of routes", (*_BELOW, "route"), _Tree(), Single(ROOT), uses=_names_of),
        Section(INHIBITIONS, "inhibition", (*_BELOW, INHIBITIONS), _InhibitionForm(), Listed("inhibition")),
        Section(INTERVALS, "interval", (*_BELOW, INTERVALS), Plain(_Few(INTERVAL, alone=True)), ByName()),
    )


def _names_of(route: WrittenRoute, path: str = "") -> Iterator[Use]:
    for key, section in (("channels", CHANNELS), ("mute_during", INTERVALS), ("active_during", INTERVALS)):
        for at, name in enumerate(getattr(route, key)):
            if name != NOBODY or key != "channels":
                yield Use(name, (section,), f"{path}{key}[{at}]")
    if route.escalation:
        yield Use(route.escalation, (ESCALATIONS,), f"{path}escalation")
    for at, below in enumerate(route.routes):
        yield from _names_of(below, f"{path}routes[{at}].")
