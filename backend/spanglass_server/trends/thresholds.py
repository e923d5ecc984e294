"""Durations that operations shall not reach: those of objectives, and of alert rules that name a service."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from spanglass_core.alerting.conditions.nodes import Comparison, Number, Quantity, walk
from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_core.alerting.conditions.problems import ConditionError
from spanglass_server.measures.grammar import LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spanglass_core.alerting.rule import Rule

_NS_PER_S: Final = 1e9
_VALUE: Final = r'\s*[:=]\s*(?:"([^"]*)"|([^\s()",=<>!~*]+))'
_SERVICE: Final = re.compile(rf"(?<![\w.-])service(?:\.name)?{_VALUE}")
_OPERATION: Final = re.compile(rf"(?<![\w.-])(?:name|operation){_VALUE}")
_KIND: Final = re.compile(rf"(?<![\w.-])kind{_VALUE}")
#: What may be left of a filter that asks for a service, and perhaps an operation and a kind, only.
_JOINED: Final = re.compile(r"[\s()]|\band\b", re.IGNORECASE)
_MATCHER: Final = re.compile(r'([\w.]+)="((?:\\.|[^"\\])*)"')


class Objective(Protocol):
    """What is read of an objective: see ``slo.model``."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def enabled(self) -> bool:
        """Whether it counts."""

    @property
    def spans(self) -> str:
        """The filter of its events."""

    @property
    def latency_ns(self) -> int:
        """How long good ones take at most; 0: however long."""

    @property
    def of_service(self) -> str:
        """The service that it is of; "" for none."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """How long requests of a service may take, in seconds; of all its operations with ``operation`` "".

    ``of`` says whose it is: "objective Shop is quick".
    """

    service: str
    operation: str
    value: float
    of: str


def thresholds_of(objectives: Iterable[Objective], rules: Iterable[Rule]) -> list[Threshold]:
    """Return those of enabled objectives and rules. Where several hold for an operation the first of them counts.

    So those of an operation come before those of a service, objectives before rules, and short ones before long ones.
    """
    found = [
        *(one for each in objectives if each.enabled for one in _of_objective(each)),
        *(one for each in rules if each.enabled for one in _of_rule(each)),
    ]
    return sorted(found, key=lambda one: (not one.operation, one.of.startswith("rule"), one.value))


def _of_objective(objective: Objective) -> Iterator[Threshold]:
    """That of an objective about durations, unless its filter asks for more than a service and an operation."""
    left, services = _SERVICE.subn("", objective.spans)
    left, operations = _OPERATION.subn("", left)
    left = _JOINED.sub("", _KIND.sub("", left))
    if not objective.latency_ns or left or services > 1 or operations > 1 or not objective.of_service:
        return
    named = _OPERATION.search(objective.spans)
    operation = (named[1] or named[2] or "") if named else ""
    yield Threshold(objective.of_service, operation, objective.latency_ns / _NS_PER_S, f"objective {objective.name}")


def _of_rule(rule: Rule) -> Iterator[Threshold]:
    """Those of a condition that compares the p95 of a service's or an operation's response time with a number."""
    try:
        nodes = list(walk(parse_condition(rule.condition)))
    except ConditionError:  # the rule says so itself
        return
    for node in nodes:
        match node:
            case Comparison(
                ">" | ">=",
                Quantity(kind="measure_or_metric", text="response_time", aggregate="p95") as asked,
                Number(value=value),
            ):
                matched = [_MATCHER.fullmatch(each) for each in asked.conditions]
                named = {LABELS.get(each[1], each[1]): _plain(each[2]) for each in matched if each}
                if len(named) == len(matched) and "service_name" in named and not named.keys() - _NAMES:
                    yield Threshold(named["service_name"], named.get("span_name", ""), value, f"rule {rule.name}")


_NAMES: Final = {"service_name", "span_name"}


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
