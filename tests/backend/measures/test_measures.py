"""Measures: what each name computes, from what old and new senders send; how it is written, and mistakes told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spanglass_server.measures.grammar import AGGREGATES, LABELS, MeasureError, parse_measure
from spanglass_server.measures.table import MEASURES
from spanglass_server.promql.engine import instant
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.notation import read_series
from spanglass_server.promql.parsing.parse import parse

DOCS = Path(__file__).parents[3] / "docs" / "measures.md"
MINUTE = 60_000


def values(series, text, window="5m"):
    """What a measure is after ten minutes: a value for each set of labels."""
    quoted = [(re.sub(r"^([a-z._]*\.[a-z._]*)\{", r'{"\1", ', name), points) for name, points in series.items()]
    source = SeriesInMemory(read_series(quoted, MINUTE))
    found = instant(source, parse_measure(text).promql(window), 10 * MINUTE).value
    rows = [tuple(labels.values()) for labels in found.labels.rows()]
    return dict(zip(rows, [round(value, 6) for value in found.values[:, -1].tolist()], strict=True))


# a histogram of a service: each minute 60 requests of 0.2 s and 30 of 0.8 s
def histogram(name, labels, scale=1.0):
    """Classic buckets as they grow."""
    lines = {f'{name}_bucket{{{labels}, le="{le:g}"}}': f"0+{n}x10" for le, n in ((0.5 * scale, 60), (scale, 90))}
    return lines | {
        f'{name}_bucket{{{labels}, le="+Inf"}}': "0+90x10",
        f"{name}_count{{{labels}}}": "0+90x10",
        f"{name}_sum{{{labels}}}": f"0+{36 * scale:g}x10",
    }


SPANS = {
    'spans_total{service_name="a", span_kind="server", status_code="unset"}': "0+54x10",
    'spans_total{service_name="a", span_kind="server", status_code="error"}': "0+6x10",
    'spans_total{service_name="a", span_kind="client", status_code="error"}': "0+600x10",
}
HTTP_B = {
    'http_server_request_duration_seconds_count{service_name="b", http_response_status_code="200"}': "0+60x10",
    'http_server_request_duration_seconds_count{service_name="b", http_response_status_code="503"}': "0+60x10",
}
OLD_C = {'http_server_duration_milliseconds_count{service_name="c", http_status_code="200"}': "0+60x10"}
#: Of a service that sends spans, spans count, whatever else it sends.
BOTH_A = {'http_server_request_duration_seconds_count{service_name="a", http_response_status_code="500"}': "0+999x10"}

CPU_NEW = {'system.cpu.utilization{host_name="x", cpu_mode="idle"}': "0.25x10"}
CPU_OLD = {f'system.cpu.utilization{{host_name="y", cpu="{cpu}", state="idle"}}': "0.5x10" for cpu in (0, 1)}

CASES = [
    (SPANS | HTTP_B | OLD_C | BOTH_A, "sum(request_rate) by (service)", {("a",): 1.0, ("b",): 2.0, ("c",): 1.0}),
    (SPANS | HTTP_B | OLD_C | BOTH_A, "request_rate", {(): 4.0}),
    (SPANS | HTTP_B | OLD_C, "error_rate", {(): 0.275}),
    (SPANS | HTTP_B | OLD_C, "avg(error_rate) by (service)", {("a",): 0.1, ("b",): 0.5, ("c",): 0.0}),
    (SPANS | HTTP_B | OLD_C, "max(error_rate)", {(): 0.5}),
    (SPANS | HTTP_B | OLD_C, 'error_rate{service="c"}', {(): 0.0}),
    (SPANS | HTTP_B, 'error_rate{service=~"a|z"} offset 1m', {(): 0.1}),
    (histogram("http_server_request_duration_seconds", 'service_name="b"'), "avg(response_time)", {(): 0.4}),
    (histogram("http_server_request_duration_seconds", 'service_name="b"'), "avg_response_time", {(): 0.4}),
    (histogram("http_server_request_duration_seconds", 'service_name="b"'), "p50(response_time)", {(): 0.375}),
    (histogram("http_server_request_duration_seconds", 'service_name="b"'), "count(response_time)", {(): 1.5}),
    (histogram("http_server_duration_milliseconds", 'service_name="c"', 1000), "max(response_time)", {(): 1.0}),
    (
        histogram("span_duration_seconds", 'service_name="a", span_kind="server"')
        | histogram("http_server_duration_milliseconds", 'service_name="c"', 1000),
        "avg by (service) (response_time)",
        {("a",): 0.4, ("c",): 0.4},
    ),
    (CPU_NEW | CPU_OLD, "cpu_usage", {(): 0.625}),
    (CPU_NEW | CPU_OLD, "max(cpu_usage) by (host)", {("x",): 0.75, ("y",): 0.5}),
    (
        {
            'system.filesystem.utilization{host_name="x", system_filesystem_state="used"}': "0.9x10",
            'system.filesystem.utilization{host_name="x", system_filesystem_state="free"}': "0.1x10",
            'system.filesystem.utilization{host_name="y", mountpoint="/"}': "0.7x10",
        },
        "disk_usage",
        {(): 0.9},
    ),
    (
        {
            'db.client.connection.count{service_name="a", db_client_connection_state="used"}': "3x10",
            'db.client.connection.count{service_name="a", db_client_connection_state="idle"}': "5x10",
            'db.client.connections.usage{service_name="b", state="used"}': "4x10",
        },
        "active_connections",
        {(): 7.0},
    ),
    ({'spanglass.cache.hits{service_name="a"}': "0+60x10"}, "cache_hit_rate", {(): 1.0}),
    ({'spanglass.cache.misses{service_name="a"}': "0+60x10"}, "cache_hit_rate", {(): 0.0}),
    (
        {f'spans_total{{service_name="a", span_kind="server", user_id="{user}"}}': "0+1x10" for user in ("ann", "ben")},
        "user_count",
        {(): 2.0},
    ),
    (
        {
            'log_records_total{service_name="a", severity="error"}': "0+60x10",
            'log_records_total{service_name="b", severity="info"}': "0+60x10",
        },
        "sum(log_errors) by (service)",
        {("a",): 1.0, ("b",): 0.0},
    ),
    ({'spanglass.task.count{service_name="a", spanglass_task_outcome="success"}': "0+1x10"}, "task_count", {(): 5.0}),
    (
        {
            'spans_total{service_name="a", span_kind="consumer", status_code="error"}': "0+1x10",
            'spans_total{service_name="a", span_kind="consumer", status_code="unset"}': "0+3x10",
        },
        "task_error_rate",
        {(): 0.25},
    ),
    # hostmetrics of the Collector, as it is by default: sizes, no shares; a package's image is always full
    (
        {f'system.memory.usage{{host_name="x", state="{s}"}}': f"{n}x10" for s, n in (("used", 6), ("free", 2))},
        "memory_usage",
        {(): 0.75},
    ),
    (
        {
            f'system.filesystem.usage{{host_name="x", mountpoint="{at}", state="{s}", type="{kind}"}}': f"{n}x10"
            for at, kind, sizes in (
                ("/", "ext4", {"used": 90, "free": 10, "reserved": 50}),
                ("/a", "ext4", {"used": 1, "free": 9}),
                ("/snap", "squashfs", {"used": 9, "free": 0}),
            )
            for s, n in sizes.items()
        },
        "disk_usage",
        {(): 0.9},
    ),
    (
        {f'rabbitmq.message.current{{service_name="a", state="{s}"}}': "7x10" for s in ("ready", "unacknowledged")},
        "queue_size",
        {(): 7.0},
    ),
    ({'kafka.consumer_group.lag{service_name="a"}': "7x10"}, "queue_size", {(): 7.0}),
    *(
        (
            {
                f'spanglass.queue.length{{service_name="a", messaging_destination_name="{q}", pod="{at}"}}': f"{n}x10"
                for q, n in (("mails", 100), ("orders", 20))
                for at in (1, 2, 3)
            }
            | {f'kafka.consumer_group.lag{{service_name="b", partition="{n}"}}': "7x10" for n in (1, 2)},
            text,
            expected,
        )
        for text, expected in (
            ("queue_size", {(): 134.0}),
            ("max(queue_size) by (queue)", {("mails",): 100.0, ("orders",): 20.0, (): 7.0}),
        )
    ),
    ({'postgresql.db_size{service_name="a"}': "7x10"}, "database_size", {(): 7.0}),
    ({'postgresql.deadlocks{service_name="a"}': "0+60x10"}, "lock_failures", {(): 1.0}),
]


@pytest.mark.parametrize(("series", "text", "expected"), CASES, ids=[text for _, text, _ in CASES])
def test_a_measure_is_computed_from_what_is_sent(series, text, expected):
    """Each measure has the value worked out by hand, from new names and old ones."""
    assert values(series, text) == expected


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_is_promql_with_every_aggregation(name):
    """All measures can be aggregated, grouped, restricted and moved in time, and without data they are empty."""
    empty = SeriesInMemory(read_series([], MINUTE))
    for word in (*AGGREGATES, "p95"):
        for text in (f"{word}({name})", f'{word} by (service) ({name}{{service="x"}}) offset 1d', f"{word}_{name}"):
            parse(parse_measure(text).promql("2m"))
    assert not instant(empty, parse_measure(name).promql("2m"), 0).value.labels.size


WRONG = [
    ("eror_rate", 1, "there is no measure eror_rate", "did you mean 'error_rate'?"),
    ("avg(respnse_time)", 5, "there is no measure respnse_time", "did you mean 'response_time'?"),
    ("med(error_rate)", 1, "med is no aggregation", "there are: avg, min, max, sum, count, and quantiles such as p95"),
    ("p95(avg_response_time)", 1, "p95 of avg is not possible", "leave one of them out"),
    ("avg(error_rate", 15, "the measure ends too early", None),
    ("error_rate > 3", 12, "this can't stand here", None),
    ("error_rate{service=x}", 20, "this can't stand here", None),
    ("", 1, "the measure ends too early", None),
]


@pytest.mark.parametrize(("text", "column", "message", "hint"), WRONG, ids=[text for text, *_ in WRONG])
def test_what_is_no_measure_is_told_with_its_place(text, column, message, hint):
    """A mistake is told with its column and what was probably meant."""
    with pytest.raises(MeasureError) as caught:
        parse_measure(text)

    assert (str(caught.value), caught.value.column) == (message, column)
    assert hint is None or caught.value.hint == hint


def test_the_docs_have_the_table():
    """docs/measures.md lists all measures with their units and what they are computed from, and all words."""
    text = DOCS.read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (service|host|objective) \| (.*?) \|$", text, re.MULTILINE)

    assert rows == [(row.name, row.unit, row.per, row.help) for row in MEASURES.values()]
    assert re.findall(r"^\| `(\w+)` \| `(\w+)` \|$", text, re.MULTILINE) == list(LABELS.items())


def test_what_several_services_tell_of_a_host_counts_once():
    """Figures of a host that each of its services sends are those of the host, not their sum."""
    sent = {
        f'system.network.io{{host_name="x", job="{job}", instance="1", network_io_direction="{way}"}}': "0+60x10"
        for job in ("a", "b")
        for way in ("receive", "transmit")
    }
    assert values(sent, "network_io") == {(): 2.0}

    of_host = {
        f'system.network.connection.count{{host_name="x", job="{job}", network_connection_state="established"}}': "7x10"
        for job in ("a", "b")
    }
    assert values(of_host, "active_connections") == {(): 7.0}
    pool = {'db.client.connection.count{service_name="a", db_client_connection_state="used"}': "3x10"}
    assert values(of_host | pool, "active_connections") == {(): 3.0}
