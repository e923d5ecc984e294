"""Policies as people write them, in YAML and JSON, with every problem at its place."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spanglass_core.units import UnitError, parse_duration_ns
from spanglass_server.forms.dumping import dump
from spanglass_server.forms.kinds import FAILED, Choice, Duration, Many, Nullable, Number, Text
from spanglass_server.forms.nodes import TreeError, json_tree, yaml_tree
from spanglass_server.forms.problems import Problem, Report
from spanglass_server.forms.shapes import Shape
from spanglass_server.query.language.filter_kind import Filter
from spanglass_server.retention.model import MOST_POLICIES, P99, Policies, PoliciesError, Policy, Thinning
from spanglass_server.store.keeping.rows import MOST_ONE_IN

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node

_HOUR_NS: Final = 3600 * 10**9
_NAMED: Final = Text(may_be_empty=False, most=200)
#: The key below which a settings file has them.
SETTINGS_KEY: Final = "policies"


def _bound(policy: Policy) -> Policy:
    """Take the bound of slow traces as a duration."""
    try:
        return replace(policy, bound_ns=parse_duration_ns(policy.slower_than))
    except UnitError:
        return policy


def _check(policy: Policy, node: Node, report: Report) -> None:
    slower = node.named("slower_than") or node
    if policy.keep == "slow" and policy.slower_than != P99 and policy.bound_ns <= 0:
        report.add(slower, "slow traces need slower_than", f"write {P99}, or a duration such as 2s")
    if policy.keep != "slow" and policy.slower_than:
        report.add(slower, f"slower_than is of keep: slow, not of keep: {policy.keep}", "leave it out")
    if policy.keep == "matching" and not (policy.filter or policy.services):
        report.add(node, "matching traces need a filter or services", "such as filter: 'http.route = \"/pay\"'")
    if policy.keep == "exemplars" and (policy.filter or policy.services):
        place = node.named("filter") or node.named("services") or node
        report.add(place, "traces of exemplars are kept whatever they are", "leave filter and services out")


_POLICY: Final = Shape(
    Policy,
    {
        "name": _NAMED,
        "keep": Choice("errors", "slow", "exemplars", "matching"),
        "services": Many(_NAMED, most=100, alone=True),
        "filter": Filter(),
        "slower_than": Text(),
        "age": Duration(_HOUR_NS, may_be_off=True, none="0"),
    },
    finish=_bound,
    check=_check,
)
_THINNING: Final = Shape(Thinning, {"after": Duration(_HOUR_NS), "keep_one_in": Number(2, MOST_ONE_IN, whole=True)})


def _check_all(policies: Policies, node: Node, report: Report) -> None:
    names = [policy.name for policy in policies.policies]
    listed = node.named("policies")
    for place, name in enumerate(names):
        if name in names[:place] and listed is not None:
            report.add(listed.items[place], f"two policies are called {name!r}", "give one of them another name")


POLICIES: Final = Shape(
    Policies,
    {"policies": Many(_POLICY, most=MOST_POLICIES), "ordinary": Nullable(_THINNING)},
    check=_check_all,
)


def read_yaml(text: str, file: str = "") -> Policies:
    """Read a file of policies; ``PoliciesError``. An empty one has none."""
    try:
        root = yaml_tree(text)
    except TreeError as error:
        raise PoliciesError([Problem(str(error), "", error.line, error.column, file=file)]) from None
    return Policies() if root is None else _read(root, Report(file))


def read_json(value: Any) -> Policies:
    """Read policies as the API takes them; ``PoliciesError``."""
    try:
        return _read(json_tree(value), Report())
    except TreeError as error:
        raise PoliciesError([Problem(str(error))]) from None


def _read(root: Node, report: Report) -> Policies:
    found = POLICIES.read(root, report)
    if found is FAILED or not isinstance(found, Policies):
        raise PoliciesError(report.problems)
    return found


def to_json(policies: Policies) -> dict[str, Any]:
    """Write policies as JSON, with all defaults."""
    written: dict[str, Any] = POLICIES.write(policies, full=True)
    return written


def to_yaml(policies: Policies) -> str:
    """Write policies as a file has them."""
    return dump(POLICIES.write(policies, full=False))


def digest_of(policies: Policies) -> str:
    """Tell policies apart from others."""
    return hashlib.blake2b(to_yaml(policies).encode(), digest_size=8).hexdigest()
