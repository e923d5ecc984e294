"""What a user must see of the metrics that real senders send: the captures of tests/data/senders."""

from __future__ import annotations

import math
from collections import defaultdict

import pytest

LARGEST_EXACT = 2**53 - 1
#: Several send metrics of one name: how the points of a capture are told from those of others.
OF = {
    "java-agent": "service:orders", "node": "service:checkout", "go": "service:gateway", "rust": "service:warehouse",
    "micrometer": "service:till-cumulative", "micrometer-delta": "service:till-delta",
    "python": "service:mailer temporality:cumulative", "python-delta": "service:mailer temporality:delta",
    "collector-prometheus": "service:bakery", "collector-hostmetrics": "metric ~ ^system",
}  # fmt: skip


def answer(cases_server, sent, name, metric, **parameters):
    """Ask for a metric over all that a capture has of it, from half a minute before, in steps of a second."""
    window = sent(name).window
    window["start"] -= 30 * 10**9
    asked = {"name": metric, "step": "1s", "filter": OF[name], **window, **parameters}
    return cases_server.get("/metrics/query", **asked)


def totals(found, key=""):
    """Add up each group's points."""
    summed = defaultdict(float)
    for series in found["series"]:
        summed[str(series["by"].get(key, ""))] += sum(point["value"] for point in series["points"])
    return {group: round(value, 6) for group, value in summed.items()}


#: Sender, metric, what is asked, the key of the groups, and the increase of each over the whole capture. Java's, Rust's
#: and Prometheus's series each have a start of their own; Prometheus's target was gone for a while, and began anew.
INCREASES = [
    ("java-agent", "http.server.request.duration", "increase", "http.response.status_code", {"200": 20, "500": 2}),
    ("java-agent", "jvm.gc.duration", "increase", "", {"": 4}),
    ("java-agent", "jvm.cpu.time", "increase", "", {"": 12.15}),
    ("java-agent", "otlp.exporter.exported", "increase", "point.type", {"span": 59, "log": 14, "metric": 120}),
    ("micrometer", "till.sales", "increase", "kind", {"sale": 16, "refund": 4}),
    ("micrometer", "till.basket", "count", "", {"": 20}),
    ("micrometer", "till.basket", "sum", "", {"": 190}),
    ("micrometer", "till.scan", "count", "", {"": 20}),
    ("micrometer", "till.change", "count", "", {"": 20}),
    ("micrometer", "till.payment", "increase", "", {"": 20}),
    ("micrometer-delta", "till.basket", "count", "", {"": 20}),
    ("micrometer-delta", "till.scan", "sum", "", {"": 1730}),
    ("node", "checkout.orders", "increase", "order.kind", {"web": 3}),
    ("node", "checkout.total", "sum", "", {"": 10.5}),
    ("node", "http.server.request.duration", "increase", "http.response.status_code", {"200": 3, "500": 1}),
    ("go", "gateway.served", "increase", "sku", {"tea": 2, "bad": 1}),
    ("go", "http.client.request.duration", "count", "http.response.status_code", {"200": 3, "404": 1, "None": 1}),
    ("rust", "stock.reserved", "increase", "sku", {"tea": 4}),
    ("rust", "stock.reserve.duration", "count", "", {"": 4}),
    ("python", "mail.size", "count", "mail.kind", {"receipt": 5}),
    ("python", "mail.size", "sum", "mail.kind", {"receipt": 3400}),
    ("collector-prometheus", "bakery_breads_total", "increase", "kind", {"spelt": 12, "rye": 23}),
    ("collector-prometheus", "bakery_bake_seconds", "count", "", {"": 35}),
    ("collector-prometheus", "bakery_bread_weight_grams", "count", "", {"": 35}),
    ("collector-prometheus", "bakery_bread_weight_grams", "increase", "", {"": 35}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "metric", "aggregate", "by", "expected"), INCREASES)
def test_everything_that_was_counted_is_counted(cases_server, sent, name, metric, aggregate, by, expected):
    """The increases of all steps are what the sender counted: from zero at each start, once, across restarts."""
    parameters = {"aggregate": aggregate, **({"by": by} if by else {})}
    assert totals(answer(cases_server, sent, name, metric, **parameters), by) == expected


@pytest.mark.parametrize("metric", ["mail.sent", "mail.duration", "mail.size"])
@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_delta_and_cumulative_say_the_same(cases_server, sent, metric, temporality):
    """One program with a reader of each: five mails either way, when the filter says which."""
    names = {"cumulative": "python", "delta": "python-delta"}
    for name in names.values():
        sent(name)
    assert totals(answer(cases_server, sent, names[temporality], metric, aggregate="increase")) == {"": 5}


@pytest.mark.parametrize("q", [0, 0.1, 0.5, 0.99, 1])
@pytest.mark.parametrize(
    ("name", "metric", "least", "most"),
    [
        ("python", "mail.size", 200, 1200),
        ("rust", "stock.reserve.duration", 0.00497, 0.4037),
        ("node", "checkout.total", 3.5, 3.5),
        ("java-agent", "http.server.request.duration", 0.000375, 0.437),
    ],
)
def test_a_quantile_was_possible(cases_server, sent, name, metric, least, most, q):
    """No estimate is below the least or above the greatest value that the sender says it measured."""
    found = answer(cases_server, sent, name, metric, aggregate="quantile", q=q, step="1h")
    values = [point["value"] for series in found["series"] for point in series["points"]]
    assert values
    assert all(least <= value <= most for value in values), values


def raw(cases_server, sent, name, metric, **parameters):
    """Return the values of the only series of a metric as they were sent, with their times in whole seconds."""
    (series,) = answer(cases_server, sent, name, metric, aggregate="raw", **parameters)["series"]
    return [point["value"] for point in series["points"]], [math.floor(point["t"]) for point in series["points"]]


def test_a_target_that_vanished_leaves_a_gap(cases_server, sent):
    """Stale markers, whose start is past the year 2262, end the line: no rate until the target is there again."""
    values, seconds = raw(cases_server, sent, "collector-prometheus", "up")
    assert values == [1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0]
    last_seen, seen_again, gone = seconds[1], seconds[5], seconds[9]
    (rate,) = answer(cases_server, sent, "collector-prometheus", "bakery_breads_total", aggregate="rate")["series"]
    drawn = {point["t"] for point in rate["points"]}
    assert {last_seen, seen_again, gone} <= drawn
    assert not [t for t in drawn if last_seen < t < seen_again - 1 or t > gone]
    oven, at = raw(cases_server, sent, "collector-prometheus", "bakery_oven_celsius")
    assert (oven, at) == ([203, 204, 200.25, 201.25, 202.25, 203.25, 204.25], seconds[:2] + seconds[5:10])


def test_a_summary_has_an_average(cases_server, sent):
    """Count and sum of a summary say what the average was; breads have 500 grams and one more each."""
    metric, asked = "bakery_bread_weight_grams", {"aggregate": "avg", "step": "1h"}
    (average,) = answer(cases_server, sent, "collector-prometheus", metric, **asked)["series"]
    assert all(500 <= point["value"] <= 518 for point in average["points"])


def test_counters_that_began_with_the_host_count_what_is_seen(cases_server, sent):
    """The host started long before: the first point adds nothing, the others what came since."""
    network = answer(
        cases_server, sent, "collector-hostmetrics", "system.network.io", aggregate="increase", by="device"
    )
    assert totals(network, "device") == {"eth0": 242_247_972, "lo": 257_266, "ifb0": 0, "ifb1": 0}
    processor = answer(cases_server, sent, "collector-hostmetrics", "system.cpu.time", aggregate="increase", by="cpu")
    assert totals(processor, "cpu") == {"cpu0": 11.89, "cpu1": 11.99}


def test_a_level_is_its_last_value(cases_server, sent):
    """Up-down counters: what waits at the end, and a ledger of 2^53 - 1 to the unit."""
    waiting, _ = raw(cases_server, sent, "python", "mail.waiting")
    assert waiting == [3, 1, 0]
    ledger, _ = raw(cases_server, sent, "node", "checkout.ledger")
    assert ledger == [LARGEST_EXACT] * 3
    (summed,) = answer(cases_server, sent, "node", "checkout.ledger", aggregate="sum")["series"]
    assert {point["value"] for point in summed["points"]} == {LARGEST_EXACT}
