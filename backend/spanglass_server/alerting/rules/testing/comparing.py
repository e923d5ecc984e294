"""What is expected of a test against what came of it, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.alerting.rules.testing.firing import FiringAlert
    from spanglass_server.alerting.rules.testing.model import AlertTest, ExpectedAlert

_CLOSE = 1e-9

Row = tuple["Mapping[str, str]", float]


def alerts_differ(test: AlertTest, got: list[FiringAlert]) -> str:
    """What is expected and does not fire, and what fires and is not expected; "" if nothing differs."""
    left = list(got)
    missing: list[ExpectedAlert] = []
    for expected in test.exp_alerts:
        found = next((alert for alert in left if _is_as(expected, alert, test.alertname)), None)
        if found is None:
            missing.append(expected)
        else:
            left.remove(found)
    if not missing and not left:
        return ""
    lines = [f"  expected: {_written(expected, test.alertname)}" for expected in missing]
    lines += [f"  got:      {_shown(alert, missing or test.exp_alerts)}" for alert in left]
    if not left and missing:
        lines.append("  got:      nothing more")
    return "\n".join(["other alerts fire:", *lines])


def _is_as(expected: ExpectedAlert, alert: FiringAlert, name: str) -> bool:
    labels = {key: value for key, value in expected.exp_labels.items() if value} | {"alertname": name}
    asked = (
        (expected.exp_severity, alert.severity),
        (expected.exp_title, alert.title),
        (expected.exp_description, alert.description),
    )
    return (
        labels == dict(alert.labels)
        and dict(expected.exp_annotations) == dict(alert.annotations)
        and all(wanted is None or wanted == own for wanted, own in asked)
        and (expected.exp_value is None or _are_close(expected.exp_value, alert.value))
    )


def _written(expected: ExpectedAlert, name: str) -> str:
    more = {
        "severity": expected.exp_severity,
        "title": expected.exp_title,
        "description": expected.exp_description,
        "value": expected.exp_value,
    }
    told = "".join(f" {key} {value!r}" for key, value in more.items() if value is not None)
    return _text({**expected.exp_labels, "alertname": name}) + _annotations(expected.exp_annotations) + told


def _shown(alert: FiringAlert, expected: Sequence[ExpectedAlert]) -> str:
    """With what is expected of any alert, so that the difference is seen."""
    more = {
        "severity": str(alert.severity),
        "title": alert.title,
        "description": alert.description,
        "value": alert.value,
    }
    wanted = {key for key in more for each in expected if getattr(each, f"exp_{key}") is not None}
    told = "".join(f" {key} {value!r}" for key, value in more.items() if key in wanted)
    return _text(alert.labels) + _annotations(alert.annotations) + told


def _annotations(annotations: Mapping[str, str]) -> str:
    return f" annotations {_text(annotations)}" if annotations else ""


def _text(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"


def samples_differ(wanted: Sequence[Row], got: Sequence[Row]) -> str:
    """The same of samples."""
    missing = [each for each in wanted if not any(_is_same(each, other) for other in got)]
    left = [each for each in got if not any(_is_same(each, other) for other in wanted)]
    if not missing and not left and len(got) == len(wanted):
        return ""
    lines = [f"  expected: {_text(labels)} {number:g}" for labels, number in missing]
    lines += [f"  got:      {_text(labels)} {number:g}" for labels, number in left]
    return "\n".join(["other samples come of it:", *(lines or ["  a sample is expected twice"])])


def _is_same(one: Row, other: Row) -> bool:
    return dict(one[0]) == dict(other[0]) and _are_close(one[1], other[1])


def _are_close(one: float, other: float) -> bool:
    return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=_CLOSE)
