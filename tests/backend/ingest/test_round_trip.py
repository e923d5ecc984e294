"""Lossless: what goes in as OTLP comes out as OTLP/JSON, equal in every field that the protocol defines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from official_json import official_json, records
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import requests

from spanglass_server.ingest.attributes.limits import ColumnBudget, ShredLimits
from spanglass_server.ingest.decoding.decode import DecodeLimits, Decoder
from spanglass_server.ingest.records.checks import LATEST_NS
from spanglass_server.ingest.shred import shred
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.otlp_bytes.requests import requests_of
from spanglass_server.query.rows.otlp_json import traces_data
from spanglass_server.query.rows.otlp_logs import logs_data
from spanglass_server.query.rows.otlp_metrics import metrics_data
from spanglass_server.query.rows.stored_rows import fetch_rows
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.signals import SENT, Signal
from spanglass_server.store.contents import Chunk
from spanglass_server.store.ports import ALL_TIME
from spanglass_server.store.segment_files.catalog import Change, Digests, LocalCatalog
from spanglass_server.store.segment_files.retention import RetentionLimits
from spanglass_server.store.sessions.connections import EngineLimits
from spanglass_server.store.sessions.engine import Engine
from spanglass_server.store.store import Store, StoreLimits

WRITERS = {Signal.SPANS: traces_data, Signal.LOGS: logs_data, Signal.METRICS: metrics_data}
MESSAGES = {
    Signal.SPANS: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
}
RECEIVED_NS = LATEST_NS - 1  # so that no time is in the future
NARROW = ShredLimits(max_columns=3, max_attributes=2)


_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking such messages takes minutes


class Bench:
    """A store with its engine, filled and emptied once an example."""

    def __init__(self, data_dir) -> None:
        self.store = Store(
            data_dir, LocalCatalog(data_dir / "catalog.sqlite"), StoreLimits(1000, RetentionLimits({})), Telemetry()
        )
        self.engine = Engine(self.store.contents, data_dir, EngineLimits(1 << 28, 1, 1), lambda _: None)
        self.decoder = Decoder(DecodeLimits())
        self.generation = 0

    def load(self, signal: Signal, bodies: list[bytes], limits: ShredLimits) -> None:
        """Take bodies into memory, each as a chunk of its own, all of one generation."""
        self.generation += 1
        budget = ColumnBudget(limits.max_columns)
        for body in bodies:
            ((parts, _),) = self.decoder.decode(signal, [body], [RECEIVED_NS])
            if parts:
                table, _ = shred(parts, budget, limits)
                self.store.contents.append({signal: Chunk.of(self.generation, signal, table, RECEIVED_NS)})

    def flush(self) -> None:
        """Make segments of what is in memory."""
        self.store.flush(self.generation, Digests(self.generation, 0, frozenset()), 0)

    def document(self, signal: Signal) -> dict[str, Any]:
        """All that is stored, as OTLP/JSON."""
        return self.engine.run_here(lambda session: WRITERS[signal](fetch_rows(session, signal, ALL_TIME, Sql("true"))))

    def sent_again(self, signal: Signal) -> list[str]:
        """All that is stored, as the records of requests that a server takes."""

        def write(session) -> list[bytes]:
            return [body for table in session.all_rows(signal, ALL_TIME) for body, _ in requests_of(signal, table)]

        bodies = self.engine.run_here(write)
        return sorted(record for body in bodies for record in records(official_json(MESSAGES[signal].FromString(body))))

    def clear(self) -> None:
        """Delete everything."""
        self.flush()
        held = [segment.id for segments in self.store.contents.snapshot.segments.values() for segment in segments]
        self.store._commit(Change(remove=held))


@pytest.fixture
def bench(tmp_path):
    """Open a store and an engine, closed after the test."""
    opened = Bench(tmp_path)
    yield opened
    opened.engine.close()
    opened.store.catalog.close()


def test_negative_zero_is_no_default(bench):
    """Every double may be -0.0, which protobuf sends although it equals zero: it comes out as it went in."""
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    summary = metrics.add(name="s").summary.data_points.add(time_unix_nano=1, sum=-0.0)
    summary.quantile_values.add(quantile=-0.0, value=-0.0)
    histogram = {"time_unix_nano": 1, "sum": -0.0, "min": -0.0, "max": -0.0}
    explicit = metrics.add(name="h").histogram
    explicit.aggregation_temporality = 1
    explicit.data_points.add(**histogram, bucket_counts=[0, 1], explicit_bounds=[-0.0])
    exponential = metrics.add(name="e").exponential_histogram
    exponential.aggregation_temporality = 1
    exponential.data_points.add(**histogram, zero_threshold=-0.0)
    gauge = metrics.add(name="g").gauge.data_points.add(time_unix_nano=1, as_double=-0.0)
    gauge.exemplars.add(as_double=-0.0)
    gauge.attributes.add(key="k").value.double_value = -0.0
    bench.load(Signal.METRICS, [request.SerializeToString()], ShredLimits())
    document = bench.document(Signal.METRICS)
    assert records(document) == sorted(records(official_json(request)))
    assert bench.sent_again(Signal.METRICS) == records(document)
    assert str(document).count("-0.0") == 14


@pytest.mark.parametrize("limits", [ShredLimits(), NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("signal", list(SENT))
def test_what_goes_in_comes_out(bench, signal, limits):
    """Any storable request reads back equal from memory, from a segment, where attributes overflow, and sent again."""

    @settings(max_examples=40, deadline=None, phases=_PHASES, suppress_health_check=list(HealthCheck))
    @given(st.lists(requests(signal), min_size=1, max_size=2))
    def round_trip(sent):
        expected = sorted(record for request in sent for record in records(official_json(request)))
        bench.load(signal, [request.SerializeToString() for request in sent], limits)
        try:
            from_memory = records(bench.document(signal))
            bench.flush()
            from_segment = records(bench.document(signal))
            as_requests = bench.sent_again(signal)
        finally:
            bench.clear()

        assert from_memory == expected
        assert from_segment == expected
        assert as_requests == expected

    round_trip()
