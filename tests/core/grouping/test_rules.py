"""Grouping rules: what they match and what they do."""

from __future__ import annotations

from typing import Any

import pytest

from spanglass_core.grouping.exception import ExceptionReport
from spanglass_core.grouping.fingerprint import Input, fingerprint
from spanglass_core.grouping.rules import NO_RULES, Rule, Rules

_STACK = """Traceback (most recent call last):
  File "/app/shop/orders.py", line 12, in place
    http.call(url)
  File "/app/shop/http.py", line 31, in call
    raise Unreachable(url)
shop.http.Unreachable: no answer
"""
_REPORT = ExceptionReport("checkout", "shop.http.Unreachable", "no answer", _STACK, attributes={"tenant.id": "acme"})


def _rules(*actions: tuple[dict[str, Any], dict[str, Any]], service: str = "") -> Rules:
    return Rules(
        tuple(
            Rule.read({"id": str(number), "service": service, "match": match, "action": action})
            for number, (match, action) in enumerate(actions)
        )
    )


def _inputs(rules: Rules, report: ExceptionReport = _REPORT) -> list[tuple[str, str]]:
    return [(one.kind, one.value) for one in fingerprint(1, report, rules).inputs[1:]]


_PLAIN = [("type", "shop.http.Unreachable"), ("frame", "http.call")]


def test_a_rule_joins_what_it_matches() -> None:
    """All that matches is one issue of that name, before the application's own fingerprint."""
    rules = _rules(({"type": "*.Unreachable"}, {"join": "network"}))
    assert _inputs(rules) == [("rule", "network")]
    custom = ExceptionReport("checkout", "x.Unreachable", "", "", ("mine",))
    assert fingerprint(1, custom, rules).key == fingerprint(1, _REPORT, rules).key
    assert fingerprint(1, custom, NO_RULES).inputs[1] == Input("custom", "mine")


def test_a_rule_splits_by_attributes() -> None:
    """The values of the attributes are added to what decides."""
    rules = _rules(({"message": "no*"}, {"split_by": ["tenant.id", "region"]}))
    assert _inputs(rules) == [*_PLAIN, ("rule", "tenant.id = acme"), ("rule", "region = ")]


def test_a_rule_marks_frames() -> None:
    """A helper that is no longer the application's lets its callers decide."""
    rules = _rules(({"path": "*/http.py"}, {"in_app": False}))
    assert _inputs(rules) == [_PLAIN[0], ("frame", "orders.place")]
    assert fingerprint(1, _REPORT, rules).culprit == "orders.place"


def test_the_last_mark_decides() -> None:
    """Of several rules that mark a frame, the last one counts."""
    rules = _rules(({"path": "*"}, {"in_app": False}), ({"function": "place"}, {"in_app": True}))
    assert _inputs(rules) == [_PLAIN[0], ("frame", "orders.place")]


@pytest.mark.parametrize(
    "match",
    [
        {"type": "ValueError"},
        {"message": "other*"},
        {"function": "nowhere"},
        {"path": "*/nowhere.py"},
        {"module": "nowhere"},
        {"attributes": {"tenant.id": "other"}},
        {"type": "*.Unreachable", "function": "nowhere"},
        {"type": "*.Unreachable", "attributes": {"absent": "?*"}},
    ],
)
def test_a_rule_that_does_not_match_does_nothing(match: dict[str, Any]) -> None:
    """All patterns of a rule must fit."""
    assert _inputs(_rules((match, {"join": "x"}))) == _PLAIN


def test_a_rule_of_another_service_does_nothing() -> None:
    """A rule with a service is only for that."""
    assert _inputs(_rules(({"type": "*"}, {"join": "x"}), service="stock")) == _PLAIN


def test_rules_say_which_attributes_they_need() -> None:
    """What is matched and what is split by."""
    rules = _rules(
        ({"attributes": {"a": "*"}}, {"join": "x"}),
        ({"type": "*"}, {"split_by": ["b"]}),
    )
    assert rules.attribute_keys == {"a", "b"}


@pytest.mark.parametrize(
    "given",
    [
        {"id": "1", "service": "s", "match": {"type": "*", "attributes": {"a": "b"}}, "action": {"join": "x"}},
        {"id": "1", "service": "", "match": {"message": "*"}, "action": {"split_by": ["a"]}},
        {"id": "1", "service": "", "match": {"path": "*"}, "action": {"in_app": False}},
    ],
)
def test_a_rule_reads_what_it_writes(given: dict[str, Any]) -> None:
    """The JSON form of a rule is kept whole."""
    assert Rule.read(given).as_json() == given


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, "match: pass patterns"),
        ({"match": {"typ": "x"}, "action": {"join": "x"}}, "match.typ: unknown"),
        ({"match": {"type": 3}, "action": {"join": "x"}}, "match.type: pass a pattern"),
        ({"match": {"attributes": [1]}, "action": {"join": "x"}}, "match.attributes: pass an object"),
        ({"match": {"type": "x"}}, "action: pass exactly one"),
        ({"match": {"type": "x"}, "action": {"join": " "}}, "action.join"),
        ({"match": {"type": "x"}, "action": {"split_by": []}}, "action.split_by"),
        ({"match": {"type": "x"}, "action": {"in_app": True}}, "match: an in_app rule needs"),
        ({"match": {"type": "x"}, "action": {"join": "x"}, "service": 1}, "service: pass a text"),
    ],
)
def test_a_wrong_rule_names_the_field(given: dict[str, Any], error: str) -> None:
    """What is wrong is named, with what it takes."""
    with pytest.raises(ValueError, match=error):
        Rule.read(given)
