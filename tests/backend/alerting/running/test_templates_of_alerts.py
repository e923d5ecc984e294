"""What alerts say, from the templates of their rules, and without any."""

from __future__ import annotations

import pytest
from worlds import S, rule

from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.running.templates import TemplateTexts
from spanglass_server.alerting.running.texts import PlainTexts, Told
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.notation import read_series


def told(value=0.25, unit="ratio", reason="", **fields):
    """Return what happened to a key."""
    return Told(
        rule=rule(**fields),
        key=(("host_name", ""), ("job", "shop"), ("service_name", "shop")),
        severity=Severity.ERROR,
        value=value,
        unit=unit,
        reason=reason,
        time_ns=60 * S,
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (told(), "errors > 10: 25 %"),
        (told(0.99996), "errors > 10: 99.996 %"),
        (told(1.5, "s", for_ns=300 * S), "errors > 10 for 5m: 1.5s"),
        (told(3 * 2**30, "bytes"), "errors > 10: 3GiB"),
        (told(45_200_000, "bytes"), "errors > 10: 43.11MiB"),
        (told(-2048.0, "bytes"), "errors > 10: -2KiB"),
        (told(float("inf"), "s"), "errors > 10: inf"),
        (told(12.3456789, "/s"), "errors > 10: 12.3457/s"),
        (told(None), "errors > 10"),
        (told(None, reason="no data"), "errors > 10: no data"),
    ],
)
def test_plain_texts(given, said):
    """Condition, duration and value in its unit; the title has the name and what of the key has a value, once."""
    assert (TemplateTexts().description(given), PlainTexts().title(given)) == (said, "errors: shop")


def test_templates():
    """Labels, title and description are filled in with labels of the key and value; queries see what is stored."""
    source = SeriesInMemory(read_series([('up{service_name="shop"}', "1x10")], 10_000))
    fields = {
        "labels": {
            "team": "{{ $labels.service_name }}-team",
            "gone": "",
            "service_name": "{{ .Labels.service_name }}!",
        },
        "title": "{{ $value | humanizePercentage }}\nof {{ $labels.service_name }}",
        "annotations": {"description": 'up: {{ query "up" | first | value }}', "summary": "not this"},
    }
    texts = TemplateTexts(source)
    assert texts.labels(told(**fields)) == {"job": "shop", "service_name": "shop!", "team": "shop-team"}
    assert texts.title(told(**fields)) == "25% of shop"
    assert texts.description(told(**fields)) == "up: 1"
    fields["annotations"] = {"message": "{{ $labels.service_name }} is {{ nope }}"}
    assert texts.description(told(**fields)).startswith("<error expanding template: ")

    assert TemplateTexts().title(told(annotations={"summary": '{{ query "up" }}'})).startswith("<error expanding")
