"""Conditions over plain numbers, the thresholds of rules, and how urgent alerts are."""

from __future__ import annotations

import math

import pytest

from spanglass_core.alerting.compare import comparer, names_in
from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_core.alerting.conditions.problems import ConditionError
from spanglass_core.alerting.fingerprints import fingerprint, fingerprint_of_labels
from spanglass_core.alerting.levels import Levels, levels_of
from spanglass_core.alerting.priority import priority
from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.severity import SEVERITIES, Severity
from spanglass_core.alerting.states import Sample

DAY_NS = 86_400 * 10**9
NUMBERS = {
    "error_rate": 0.06,
    "p95_response_time": 1.5,
    "response_time": 0.4,
    "process.memory.usage": 2e9,
    "zero": 0.0,
    "none": None,
    "nan": math.nan,
}

HOLDS = {
    "error_rate > 0.05": True,
    "error_rate > 6%": False,
    "0.05 < error_rate": True,
    "p95(response_time) > 1s": True,
    "avg(response_time) > 1s": False,
    "process_memory_usage > 1GB and error_rate > 5%": True,
    "process.memory.usage > 1GB and error_rate > 10%": False,
    "process.memory.usage > 3GB or not error_rate > 10%": True,
    "response_time * 2 + 1 / 2 == 1.3": True,
    "response_time != 0.4": False,
    "absent(gone)": True,
    "absent(error_rate) or present(zero)": True,
    'error_rate{service="shop", host=~"w.+"} > 0': True,
    # no data, unless the rest decides
    'error_rate{service="cart"} > 0': None,
    "gone > 1": None,
    "nan > 1": None,
    "none > 1 and error_rate > 1": False,
    "none > 1 and error_rate > 0": None,
    "none > 1 or error_rate > 0": True,
    "not gone > 1": None,
    "error_rate / zero > 1": None,
}


def rule(condition: str, **more: object) -> Rule:
    return Rule(uid="a", name="A", condition=condition, **more)


@pytest.mark.parametrize("condition", HOLDS)
def test_conditions_over_plain_numbers(condition):
    """Measures and metrics are found by name, missing ones are no data and never a reason to fire."""
    found = comparer(rule(condition)).sample(NUMBERS, 7, {"service": "shop", "host": "w1"})

    assert found.time_ns == 7
    assert found.level is (Severity.WARNING if HOLDS[condition] else None)
    assert (found.value is None and found.level is None) == (HOLDS[condition] is None)


def test_levels_and_recovery_of_one_rule():
    """L2: warning, error, critical and recovery are four numbers of one value, each with hysteresis of its own."""
    four = comparer(rule("x > 90%", severity=Severity.ERROR, warning=0.8, critical=0.95, recovery=0.7))
    said = {value: four.sample({"x": value}, 0) for value in (0.69, 0.75, 0.81, 0.87, 0.92, 0.99)}

    assert said == {
        0.69: Sample(0, 0.69),
        0.75: Sample(0, 0.75, None, recovered=False, holding=Severity.WARNING),
        0.81: Sample(0, 0.81, Severity.WARNING, recovered=False, holding=Severity.WARNING),
        0.87: Sample(0, 0.87, Severity.WARNING, recovered=False, holding=Severity.ERROR),
        0.92: Sample(0, 0.92, Severity.ERROR, recovered=False, holding=Severity.CRITICAL),
        0.99: Sample(0, 0.99, Severity.CRITICAL, recovered=False, holding=Severity.CRITICAL),
    }
    assert levels_of(rule("5 > x"), "<", 5.0) == Levels("<", {2: 5.0}, {2: 5.25})
    assert [levels_of(rule("x < 1"), "<", bound).recoveries[2] for bound in (1.0, 0.99, 0.5)] == [1.0, 0.995, 0.525]
    assert levels_of(rule("x < 1s"), "<", 1.0, unit="s").recoveries == {2: 1.05}
    assert comparer(rule("up < 1")).sample({"up": 1.0}, 0) == Sample(0, 1.0)
    assert levels_of(rule("x > -5", hysteresis=0.1), ">", -5.0).recoveries == {2: -5.5}
    assert comparer(rule("5 > x and y > 1")).sample({"x": 5.1, "y": 1.5}, 0).recovered is False
    assert comparer(rule("5 > x and y > 1")).sample({"x": 4.0, "y": 0.97}, 0).recovered is True
    assert comparer(rule("x > y")).sample({"x": 9.6, "y": 10.0}, 0).recovered is False
    assert comparer(rule("x > y", recovery=9.7)).sample({"x": 9.6, "y": 10.0}, 0).recovered is True


IMPOSSIBLE = {
    "x > 2 * baseline": "baseline needs a server",
    'count(spans "a") > 1': "spans needs a server",
    'promql("up") == 0': "promql needs a server",
    "max(x) by (route) > 1": "by needs a server",
    "x over 5m > 1": "over needs a server",
    "x > x offset 1d": "offset needs a server",
    "new_issue": "new_issue needs a server",
    "absent(x) over 5m": "over needs a server",
    'x{a=~"("} > 1': "no regular expression",
    "x >": "ends too early",
}


@pytest.mark.parametrize("condition", IMPOSSIBLE)
def test_what_numbers_can_not_tell_is_said_when_the_rule_is_made(condition):
    """A rule that needs history, spans or issues is refused with the place and the reason."""
    with pytest.raises(ConditionError, match=IMPOSSIBLE[condition]):
        comparer(rule(condition))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"critical": 0.01}, "critical at 0.01 comes before warning at 0.05"),
        ({"recovery": 0.06}, "recovery at 0.06 is on the bad side"),
    ],
)
def test_levels_in_an_order_that_can_not_be_meant_are_refused(more, said):
    """Thresholds rise with their severity, and recovery is on the good side of the lowest."""
    with pytest.raises(ValueError, match=said):
        comparer(rule("error_rate > 5%", **more))
    with pytest.raises(ValueError, match="one level only"):
        comparer(rule("error_rate == 5%", **more))
    with pytest.raises(ConditionError, match="compares with none"):
        comparer(rule("error_rate > response_time", critical=1.0))


def test_the_names_that_a_condition_asks_for():
    """What has to be collected for a rule: each name once."""
    assert names_in(parse_condition("a > b and max(c) > 1 or absent(a)")) == ("a", "b", "c")


def test_priority_orders_alerts_by_severity_then_by_time_count_and_keys():
    """No alert passes one of the next severity, and within one more time, firings or keys never make it less urgent."""
    least = [priority(severity, 1, 0) for severity in SEVERITIES]
    most = [priority(severity, 10**6, 90 * DAY_NS, keys=500) for severity in SEVERITIES]

    assert least == [5, 30, 55, 80]
    assert most == [25, 50, 75, 100]
    assert priority(Severity.INFO, 1, 0, is_acknowledged=True) == 0
    assert priority(Severity.ERROR, 4, 3600 * 10**9) == 55 + 7
    assert priority(Severity.ERROR, 8, 3600 * 10**9, keys=4) > priority(Severity.ERROR, 8, 3600 * 10**9)


def test_fingerprints_differ_by_rule_key_and_labels():
    """The same rule and key give the same fingerprint for ever, anything else another one."""
    key = (("host", "w1"), ("service", "shop"))
    several = {
        fingerprint("a", key),
        fingerprint("b", key),
        fingerprint("a", key[:1]),
        fingerprint_of_labels("api", "A", {"b": "c"}),
        fingerprint_of_labels("api", "A", {"b": "d"}),
    }

    assert len(several) == 5
    assert fingerprint("a", key) == "71bfcf5951c170e8140520cb89d7b913"
    assert fingerprint_of_labels("api", "A", {"a": "1", "b": "2"}) == fingerprint_of_labels(
        "api", "A", {"b": "2", "a": "1"}
    )
