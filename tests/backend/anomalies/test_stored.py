"""Anomalies of stored telemetry: spans, metrics and logs are read, judged, told of, and stored as a metric."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass_server.anomalies.announcing import Announcer
from spanglass_server.anomalies.desk import AnomalyDesk, Wanted
from spanglass_server.anomalies.evidence import gather
from spanglass_server.anomalies.model import Key, Kind
from spanglass_server.anomalies.store.store import AnomalyStore
from spanglass_server.anomalies.watching.watcher import Watcher
from spanglass_server.pace import Pace
from spanglass_server.process.parts.recording import IngestSink
from spanglass_server.process.storage_node import StorageNode
from spanglass_server.promql.engine import range_query
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.service_names import SERVICE
from spanglass_server.settings.settings import load
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME

STEP_NS = 300 * 10**9
FIRST = 6_000_000  # steps since 1970, the first of an hour
#: Steps of six and a half hours that are usual, and three that are not.
USUAL, BAD = 78, 3


def named(message, service="shop"):
    """Give the resource of a message its service's name."""
    attribute = message.resource.attributes.add(key="service.name")
    attribute.value.string_value = service
    return message


def process(metrics, number):
    """Begin the metrics of a process: a gauge and a counter."""
    message = named(metrics.resource_metrics.add())
    message.resource.attributes.add(key="service.instance.id").value.string_value = f"uuid-{number}"
    scope = message.scope_metrics.add()
    gauge, counter = scope.metrics.add(name="queue.size", unit="{mail}"), scope.metrics.add(name="mails.sent")
    counter.sum.is_monotonic, counter.sum.aggregation_temporality = True, 2
    return gauge, counter


def requests():
    """Spans, points and lines of all steps: 30 requests and 12 lines each, two metrics."""
    random = np.random.default_rng(5)
    traces, metrics, logs = ExportTraceServiceRequest(), ExportMetricsServiceRequest(), ExportLogsServiceRequest()
    spans = named(traces.resource_spans.add()).scope_spans.add().spans
    lines = named(logs.resource_logs.add()).scope_logs.add().log_records
    of_new = named(logs.resource_logs.add(), "newcomer").scope_logs.add().log_records
    processes = [process(metrics, number) for number in range(2)]
    sent = 0
    for place in range(USUAL + BAD):
        gauge, counter = processes[place >= USUAL - 2]  # a deploy, before anything is unusual
        is_bad, start_ns = place >= USUAL, (FIRST + place) * STEP_NS
        for number in range(30):
            at = start_ns + int(random.uniform(1, STEP_NS - 1))
            span = spans.add(trace_id=random.bytes(16), span_id=random.bytes(8), name="GET /cart", kind=2)
            span.start_time_unix_nano, span.end_time_unix_nano = at, at + int(random.uniform(8e7, 1.2e8))
            span.status.code = 2 if is_bad and number % 2 else 0
        for number in range(12):
            line = lines.add(time_unix_nano=start_ns + number * 10**10, severity_number=9)
            line.body.string_value = f"paid {number} of order-{random.integers(1000)}"
        if is_bad:
            for number in range(40):
                line = lines.add(time_unix_nano=start_ns + number * 10**9, severity_number=17)
                line.body.string_value = f"card {number} was refused by the bank"
                line = of_new.add(time_unix_nano=start_ns + number * 10**9, severity_number=9)
                line.body.string_value = f"began to listen on port {number}"
        for part in range(5):
            at, value = start_ns + part * 60 * 10**9 + 10**9, float(random.integers(20, 24))
            gauge.gauge.data_points.add(time_unix_nano=at, as_double=900.0 if is_bad else value)
            sent += 0 if is_bad else int(random.poisson(40))
            point = counter.sum.data_points.add(time_unix_nano=at, as_int=sent)
            point.start_time_unix_nano = FIRST * STEP_NS
    return {Signal.SPANS: traces, Signal.METRICS: metrics, Signal.LOGS: logs}


@pytest.fixture
def world(tmp_path):
    """Storage with six usual hours and a quarter of an hour that is not; the watcher's clock stands before that."""
    now = [(FIRST + USUAL) * STEP_NS + 70 * 10**9]
    settings = load(overrides={"data.dir": str(tmp_path), "storage.min_free_disk_bytes": "0"})
    node = StorageNode(settings, Telemetry(), lambda: now[0])
    store = AnomalyStore(tmp_path / "anomalies.sqlite")

    async def send():
        for signal, request in requests().items():
            await node.ingest.submit(signal, request.SerializeToString())

    asyncio.run(send())

    def series(session):
        return StoredSeries(session, node.engine.kept, max_samples=1_000_000).share()

    def ask(question):
        return node.engine.run_here(lambda session: question(session, series(session)))

    watcher = Watcher(store, ask, node.first_ns, lambda: now[0], Pace(lambda: 0.0, lambda: 0.0), lambda _: 0, 100)
    yield now, watcher, AnomalyDesk(store, watcher, lambda: now[0]), node, ask
    store.close()
    node.close()


def test_stored_telemetry_is_watched(world):
    """Failing requests, a full queue, a counter that stands still and new lines are told of, over a metric too."""
    now, watcher, desk, node, ask = world
    while watcher.step():
        pass
    assert watcher.problems == {}
    assert {one["source"]: one["is_ready"] for one in desk.listing(Wanted(), 1)["watching"]} == {
        "operations": True, "log patterns": True, "metrics": True,
    }  # fmt: skip
    assert desk.current() == []
    for _ in range(BAD):
        now[0] += STEP_NS
        while watcher.step():
            pass
    found = desk.listing(Wanted("open"), 50)["anomalies"]
    assert {(one["kind"], one["title"], one["direction"], one["is_new"]) for one in found} == {
        ("failures", "shop GET /cart", "above", False), ("metric", "queue.size", "above", False),
        ("metric", "mails.sent", "below", False), ("logs", "card <*> was refused by the bank (shop)", "above", False),
    }  # fmt: skip  # and not the first lines of a service of which nothing is usual yet
    logs = next(one for one in found if one["kind"] == "logs")
    assert (logs["services"], logs["pattern"]) == (["shop"], "card <*> was refused by the bank")
    assert {tuple(one["labels"]) for one in found if one["kind"] == "metric"} == {("__name__", "service_name")}
    units = {one["title"]: one["unit"] for one in found}
    assert (units["mails.sent"], units["queue.size"]) == ("/s", "{mail}")
    assert {one["service"] for one in found if one["kind"] == "metric"} == {"shop"}
    failures = next(one for one in found if one["kind"] == "failures")
    assert failures["value"] == pytest.approx(0.5, abs=0.05)
    one = node.engine.run_here(lambda session: desk.one(session, failures["id"]))
    assert len(one["traces"]) == 5
    known = next(each for each in desk.current() if each.id == failures["id"])
    quick = replace(known, key=Key(Kind.DURATION, known.key.labels), side=-1, peak=replace(known.peak, low=0.1))
    shown = node.engine.run_here(lambda session: gather(session, quick, now[0]))
    assert shown["compared"].startswith("requests faster than usual")
    assert {each["duration_ns"] <= 10**8 for each in shown["traces"]} == {True}

    announcer = Announcer(desk, IngestSink(node.ingest), lambda: now[0])

    def kinds():
        steps = Steps(now[0] // 10**6, 1, 1)
        return ask(
            lambda _, source: sorted(
                row["kind"] for row in range_query(source, "anomaly_surprise", steps).value.labels.rows()
            )
        )

    assert announcer.announce() == ""
    assert kinds() == ["failures", "logs", "metric", "metric"]
    rule = "max(anomaly_surprise) by (service_name, kind, subject, anomaly)"
    alerts = ask(lambda _, source: range_query(source, rule, Steps(now[0] // 10**6, 1, 1)).value.labels.rows())
    assert {(row["service_name"], row["anomaly"]) for row in alerts} == {("shop", str(one["id"])) for one in found}
    stored = node.engine.run_here(
        lambda session: session.rows(
            f'SELECT DISTINCT "{SERVICE}" FROM {session.relation(Signal.METRICS, ALL_TIME, [SERVICE])}'  # noqa: S608 - made by the session
        )
    )
    assert [list(row.values()) for row in stored] == [["shop"]]  # and no point is of a service without a name
    for each in found:
        desk.call_fine(each["id"], "a test", "mina", None)
    now[0] += 10**10
    assert announcer.announce() == ""
    assert kinds() == []
    assert announcer.announce() == ""
