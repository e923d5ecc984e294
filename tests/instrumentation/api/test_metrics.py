"""Metrics by hand."""

from __future__ import annotations

import logging
import threading
from decimal import Decimal

import pytest

from spanglass.api import metrics
from spanglass.api.metric_rules import SECONDS_BUCKETS
from spanglass.errors import CollectionError, MetricError
from spanglass.sdk import published


def test_each_kind_sends_its_points(sent):
    """Counters add, gauges keep the last, histograms count; unit and description arrive."""
    orders = metrics.counter("orders", unit="{order}", description="Orders taken")
    orders.add(plan="pro")
    orders.add(2, plan="pro")
    orders.add(5, {"http.route": "/"}, plan="free")
    metrics.up_down_counter("open").add(3)
    metrics.up_down_counter("open").add(-1)
    metrics.gauge("temperature", "Cel").set(20.5, room="a")
    metrics.gauge("temperature").set(21, room="a")
    metrics.histogram("size", "By").record(Decimal("1.5"))
    metrics.histogram("size", "By").record(2)

    assert sent.points("orders") == [({"plan": "pro"}, 3), ({"http.route": "/", "plan": "free"}, 5)]
    assert (sent.metrics["orders"].unit, sent.metrics["orders"].description) == ("{order}", "Orders taken")
    assert sent.points("open") == [({}, 2)]
    assert sent.points("temperature") == [({"room": "a"}, 21)]
    assert sent.points("size") == [({}, (2, 3.5))]


def test_buckets(sent):
    """Given buckets are used; seconds have those for seconds; other units have the SDK's."""
    metrics.histogram("a", buckets=(1, 2)).record(1)
    metrics.histogram("b", "s").record(1)
    metrics.histogram("c", "By").record(1)

    found = sent.metrics
    bounds = {name: tuple(found[name].data.data_points[0].explicit_bounds) for name in "abc"}
    assert (bounds["a"], bounds["b"], bounds["c"][-1]) == ((1, 2), SECONDS_BUCKETS, 10_000)


def test_one_name_is_one_metric():
    """A later call finds the first metric, also written in other case, and whatever it leaves out."""
    made = metrics.histogram("Size", "By", "How large", buckets=(1, 2))

    assert metrics.histogram("size") is made
    assert metrics.histogram("SIZE", "By", buckets=[1, 2]) is made
    assert (made.name, made.unit, repr(made)) == ("Size", "By", "<Histogram 'Size' 'By'>")


@pytest.mark.parametrize(
    ("again", "problem"),
    [
        (
            lambda: metrics.histogram("amount", "USD"),
            r"metric 'amount' is a histogram in 'EUR' already, and cannot be a histogram in 'USD' too: give one of",
        ),
        (
            lambda: metrics.counter("amount", "EUR"),
            r"metric 'amount' is a histogram in 'EUR' already, and cannot be a counter in 'EUR' too",
        ),
        (lambda: metrics.histogram("amount", buckets=(5,)), r"or have other buckets: give one of the two another name"),
    ],
)
def test_a_metric_cannot_be_two_things(again, problem):
    """Another kind, unit or buckets under the same name are refused, naming the metric and both meanings."""
    metrics.histogram("amount", "EUR", buckets=(1, 2))

    with pytest.raises(MetricError, match=problem):
        again()


@pytest.mark.parametrize(
    ("define", "problem"),
    [
        (lambda: metrics.counter(""), r"metric '': a metric needs a name"),
        (lambda: metrics.counter(3), r"metric 3: a metric needs a name"),
        (lambda: metrics.counter("1st"), r"metric '1st': a name begins with a letter from a to z"),
        (lambda: metrics.counter("étage"), r"a name begins with a letter from a to z"),
        (lambda: metrics.counter("a b"), r"metric 'a b': ' ' cannot be in a name; letters, digits and _ . - / can"),
        (lambda: metrics.counter("a" * 256), r"a name has at most 255 characters, this one has 256"),
        (lambda: metrics.gauge("a", "°C"), r"metric 'a': the unit '°C' is not ASCII text of at most 63 characters"),
        (lambda: metrics.gauge("a", None), r"metric 'a': the unit None is not ASCII text"),
        (lambda: metrics.histogram("a", buckets=(2, 1)), r"metric 'a': buckets go from the smallest to the largest"),
        (lambda: metrics.histogram("a", buckets=(1, 1)), r"buckets go from the smallest to the largest, each once"),
        (lambda: metrics.histogram("a", buckets=(1, float("inf"))), r"buckets are finite numbers"),
    ],
)
def test_a_wrong_definition_is_refused(define, problem):
    """The error names the metric and the rule that it breaks."""
    with pytest.raises(CollectionError, match=problem):
        define()


@pytest.mark.parametrize("value", ["many", None, True, float("nan"), float("inf"), Decimal("sNaN")])
def test_what_is_no_number_is_left_out(sent, failures, value):
    """A wrong value never raises: it is counted, and other values arrive."""
    made = metrics.gauge("g")
    made.set(1)
    made.set(value)

    expected = {} if value is True else {"measure g": 1}
    assert failures == expected
    assert sent.points("g") == [({}, 1)]


def test_a_counter_only_grows(sent, failures, caplog):
    """A negative value is left out, and said once what to do instead, however often it happens."""
    made = metrics.counter("orders")
    with caplog.at_level(logging.WARNING, "spanglass"):
        made.add(-1)
        made.add(-2)
    made.add(3)

    assert sent.points("orders") == [({}, 3)]
    assert failures == {"measure orders": 2}
    assert [str(record.exc_info[1]) for record in caplog.records] == [
        "-1 is negative, and a counter only grows: use up_down_counter"
    ]


def test_metrics_follow_the_providers(sent):
    """A metric made before there are providers, or under others, sends to those that are there when it measures."""
    made = metrics.counter("orders")
    published.take_back(sent.providers)
    made.add(1)
    published.publish(sent.providers)
    made.add(2)

    assert sent.points("orders") == [({}, 2)]


def test_names_made_from_data_end(sent, failures, monkeypatch):
    """Beyond the most names that are kept a metric takes values and sends none; what was there goes on."""
    monkeypatch.setattr(metrics, "MAX_METRICS", 3)
    for i in range(5):
        metrics.counter(f"user_{i}").add()
    metrics.counter("user_0").add()

    assert {name: sent.points(name) for name in sent.metrics} == {
        "user_0": [({}, 2)],
        "user_1": [({}, 1)],
        "user_2": [({}, 1)],
    }
    assert failures == {"define one more metric": 2}


def test_threads_make_one_metric(sent):
    """Many threads that define and add at once lose nothing."""

    def work():
        for _ in range(100):
            metrics.counter("orders").add()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sent.points("orders") == [({}, 800)]
