"""The server's own figures: counting, and the two ways of showing them."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from spanglass_server.self_metrics import registry as own
from spanglass_server.self_metrics.exposition import prometheus_text, status_counters
from spanglass_server.self_metrics.measuring import watch_process
from spanglass_server.self_metrics.registry import METRICS, SECONDS, Kind, Telemetry

DOCS = Path(__file__).parents[3] / "docs" / "self-metrics.md"


@pytest.fixture
def telemetry():
    return Telemetry()


def lines(telemetry, name):
    return [line for line in prometheus_text(telemetry.snapshot()).splitlines() if name in line]


def test_counter_text(telemetry):
    """A counter has its help, its type, and a line for each combination of labels, sorted."""
    telemetry.add(own.RECEIVED_RECORDS, 3, "spans")
    telemetry.add(own.RECEIVED_RECORDS, 4, "spans")
    telemetry.add(own.RECEIVED_RECORDS, 0.5, "logs")

    assert lines(telemetry, "received_records") == [
        "# HELP spanglass_received_records_total Spans, log records or data points stored.",
        "# TYPE spanglass_received_records_total counter",
        'spanglass_received_records_total{signal="logs"} 0.5',
        'spanglass_received_records_total{signal="spans"} 7',
    ]


def test_label_escaping(telemetry):
    """Backslashes, quotes and line breaks in a label can't end it (text format 0.0.4)."""
    telemetry.add(own.STORAGE_ERRORS, 1, 'a\\b"c\nd')

    assert lines(telemetry, "storage_errors_total{") == [
        r'spanglass_storage_errors_total{operation="a\\b\"c\nd"} 1',
    ]


def test_histogram_text(telemetry):
    """Buckets are cumulative, a value on a bound counts below it, and the last bucket is +Inf."""
    for seconds in (0.001, 0.3, 31.0):
        telemetry.observe(own.JOURNAL_FSYNC_SECONDS, seconds)

    text = lines(telemetry, "spanglass_journal_fsync_seconds")

    counts = [1] * 7 + [1, 2, 2, 2, 2, 2, 2, 3]
    bounds = [
        "0.001",
        "0.0025",
        "0.005",
        "0.01",
        "0.025",
        "0.05",
        "0.1",
        "0.25",
        "0.5",
        "1",
        "2.5",
        "5",
        "10",
        "30",
        "+Inf",
    ]
    assert text[2:] == [
        *(f'spanglass_journal_fsync_seconds_bucket{{le="{b}"}} {n}' for b, n in zip(bounds, counts, strict=True)),
        "spanglass_journal_fsync_seconds_sum 31.301",
        "spanglass_journal_fsync_seconds_count 3",
    ]


def test_figures_without_labels_start_at_zero(telemetry):
    """A counter or gauge without labels is there from the start, so that its first rise is seen."""
    assert lines(telemetry, "spanglass_journal_bytes ")[-1] == "spanglass_journal_bytes 0"


def test_watched_gauges(telemetry):
    """A watched gauge is read at each look, as one number or as one for each label; what is gone is gone."""
    rows = {("spans",): 5.0, ("logs",): 1.0}
    telemetry.watch(own.BUFFER_ROWS, lambda: rows)
    telemetry.watch(own.INFLIGHT_BYTES, lambda: 17)
    before = lines(telemetry, "buffer_rows{") + lines(telemetry, "inflight_bytes ")[-1:]
    rows.clear()

    assert before == [
        'spanglass_buffer_rows{signal="logs"} 1',
        'spanglass_buffer_rows{signal="spans"} 5',
        "spanglass_inflight_bytes 17",
    ]
    assert lines(telemetry, "buffer_rows{") == []


def test_timed_counts_failures_too(telemetry):
    """A block that fails is timed like one that does not."""
    with telemetry.timed(own.FLUSH_SECONDS, "spans"):
        pass
    with pytest.raises(OSError, match="full"), telemetry.timed(own.FLUSH_SECONDS, "spans"):
        raise OSError("full")

    assert status_counters(telemetry.snapshot())["flush_seconds"]["total"] == 2


def test_json(telemetry):
    """The API's form has totals over all labels and a series for each combination."""
    telemetry.add(own.RECEIVED_RECORDS, 3, "spans")
    telemetry.add(own.RECEIVED_RECORDS, 4, "logs")
    telemetry.observe(own.QUERY_SECONDS, 0.5, "/x")

    counters = status_counters(telemetry.snapshot())

    assert list(counters) == [metric.name for metric in METRICS]
    assert counters["received_records"] == {
        "kind": "counter",
        "help": "Spans, log records or data points stored.",
        "total": 7,
        "series": [{"labels": {"signal": "logs"}, "value": 4}, {"labels": {"signal": "spans"}, "value": 3}],
    }
    assert counters["query_seconds"]["series"] == [
        {"labels": {"route": "/x"}, "count": 1, "sum_s": 0.5, "p95_at_most_s": 0.5}
    ]


@pytest.mark.parametrize(
    ("seconds", "bound"), [([], None), ([0.02] * 19 + [9], 0.025), ([0.02] * 18 + [9] * 2, 10.0), ([99], None)]
)
def test_bound_of_a_share(telemetry, seconds, bound):
    """95 % of the observations keep to the bound; without any, or past the last bound, there is none."""
    for value in seconds:
        telemetry.observe(own.QUERY_SECONDS, value, "/x")
    distributions = {entry.metric: entry.distributions for entry in telemetry.snapshot()}[own.QUERY_SECONDS]
    found = [entry.at_most(0.95) for entry in distributions.values()]

    assert found == ([bound] if seconds else [])


def test_many_threads_lose_nothing(telemetry):
    """Threads that count at once lose no count."""

    def count():
        for _ in range(2000):
            telemetry.add(own.JOURNAL_BYTES, 1)
            telemetry.observe(own.JOURNAL_FSYNC_SECONDS, 0.25)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    counters = status_counters(telemetry.snapshot())
    assert (counters["journal_bytes"]["total"], counters["journal_fsync_seconds"]["total"]) == (8000, 8000)


def test_wrong_number_of_labels_shows_in_tests(telemetry):
    """Labels that do not match the table are an error when the figures are written, not a wrong line."""
    telemetry.add(own.RECEIVED_RECORDS, 1)

    with pytest.raises(ValueError, match="zip"):
        prometheus_text(telemetry.snapshot())


def test_process(telemetry):
    """Memory, processor time and open files of the process are real numbers."""
    watch_process(telemetry)

    counters = status_counters(telemetry.snapshot())

    assert counters["resident_memory_bytes"]["total"] > 10_000_000
    assert counters["cpu_seconds"]["total"] > 0
    assert counters["open_fds"]["total"] >= 3
    assert counters["uptime_seconds"]["total"] >= 0


def test_names_follow_the_conventions():
    """Names are Prometheus names, unique, with base units; histograms are in seconds, with sorted bounds."""
    names = [metric.exposed_name for metric in METRICS]

    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"(spanglass|process)_[a-z_]+", name)] == []
    assert [
        metric.name for metric in METRICS if metric.kind is Kind.HISTOGRAM and not metric.name.endswith("_seconds")
    ] == []
    assert list(SECONDS) == sorted(set(SECONDS))


def test_docs_list_every_figure():
    """docs/self-metrics.md has exactly the rows of the table, in its order and with its words."""
    rows = re.findall(r"^\| `((?:spanglass|process)_[a-z_]+)` \| (.*) \|$", DOCS.read_text(), flags=re.MULTILINE)

    assert rows == [
        (metric.exposed_name, f"{metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)} | {metric.help}")
        for metric in METRICS
    ]
