from __future__ import annotations

import math
import shutil

import pyarrow as pa
import pytest
from hypothesis import given, settings
from nodes import NOW_NS, open_node
from otlp_requests import requests
from remote_write_bodies import STALE, Write1, Write2

from spanglass_server.ingest.attributes.limits import ColumnBudget, ShredLimits
from spanglass_server.ingest.decoding.decode import DecodeLimits, Decoder
from spanglass_server.ingest.ports import Form, IngestError
from spanglass_server.ingest.shred import shred
from spanglass_server.signals import Signal

MS = NOW_NS // 10**6
LABELS = {"__name__": "http_requests_total", "code": "200", "instance": "h:1", "job": "a/b"}
STORED = {
    "metric_name": "http_requests_total",
    "scope_name": "prometheus",
    "resource.service.name:str": "a/b",
    "resource.service.instance.id:str": "h:1",
    "point.code:str": "200",
    "point.job:str": "a/b",
    "point.instance:str": "h:1",
}


def counter(row):
    """What a row says of its type."""
    return {name: row.get(name) for name in ("metric_type", "temporality", "is_monotonic", "metric_metadata")}


@pytest.mark.parametrize("version", [Write1, Write2])
def test_a_sample_is_a_point(write, version):
    """Name and labels are kept verbatim, job and instance name the resource too; without a type it is a gauge."""
    request = version()
    request.series({**LABELS, "empty": ""}, (MS, 1.5))
    answer = write(request)
    assert (answer.accepted, answer.rejected, answer.kinds["samples"]) == (1, 0, 1)
    assert write.rows() == [{**STORED, "metric_type": "gauge", "time_ns": NOW_NS, "value_double": 1.5}]


def test_samples_of_any_order_and_time_are_kept(write):
    """A series may have several samples, in any order, from 1970 on. NaN is a value; the marker ends the series."""
    request = Write1()
    request.series(LABELS, (MS, 1), (0, 2), (MS - 1, math.nan), (MS + 1, STALE), (MS + 2, -math.inf))
    assert write(request).accepted == 5
    found = [(row["time_ns"] // 10**6, row.get("value_double"), row.get("flags")) for row in write.rows()]
    assert [entry for entry in found if entry[0] != MS - 1] == [
        (0, 2, None),
        (MS, 1, None),
        (MS + 1, None, 1),
        (MS + 2, -math.inf, None),
    ]
    assert math.isnan(found[1][1])


def test_metadata_of_1_0_types_what_comes_after_it(write):
    """Type, help and unit come apart from samples, by family; parts of a family are found by their suffix."""
    told = Write1()
    told.family("http_requests", "counter", "Requests.", "requests")
    told.family("lat", "histogram")
    told.family("up", "gauge")
    assert write(told).kinds["metadata"] == 3
    request = Write1()
    for name in ("http_requests_total", "http_requests_created", "lat_bucket", "lat_sum", "lat", "up", "other_sum"):
        request.series({"__name__": name}, (MS, 1))
    write(request)
    rows = {row["metric_name"]: row for row in write.rows()}
    is_sum = {name for name, row in rows.items() if counter(row)["metric_type"] == "sum"}
    assert is_sum == {"http_requests_total", "lat_bucket", "lat_sum"}
    assert counter(rows["http_requests_total"]) == {
        "metric_type": "sum",
        "temporality": 2,
        "is_monotonic": True,
        "metric_metadata": '{"prometheus.type":"counter"}',
    }
    assert (rows["http_requests_total"]["metric_description"], rows["http_requests_total"]["metric_unit"]) == (
        "Requests.",
        "requests",
    )
    assert rows["up"]["metric_metadata"] == '{"prometheus.type":"gauge"}'
    assert "metric_metadata" not in rows["other_sum"]


def test_metadata_outlives_a_restart(write, tmp_path):
    """What was told of families is on disk: samples after a start are typed before it is told again."""
    told = Write1()
    told.family("jobs_total", "counter", "Jobs.")
    write(told)
    shutil.copytree(write.node.data_dir, tmp_path / "copy")
    with open_node(tmp_path / "copy") as node:
        again = type(write)(node)
        request = Write1()
        request.series({"__name__": "jobs_total"}, (MS, 1))
        again(request)
        assert counter(again.rows()[0])["metric_type"] == "sum"


def test_metadata_and_start_times_of_2_0(write):
    """In 2.0 each series tells its type, help and unit, and each sample since when it counts; drafts told it once."""
    request = Write2()
    options = {"help_text": "Jobs.", "unit": "jobs"}
    request.series({"__name__": "a_total", "z": "1"}, (MS, 1), kind="counter", start_ms=MS - 10, **options)
    request.series({"__name__": "b_count"}, (MS, 1), kind="summary").created_timestamp = MS - 20
    request.series({"__name__": "b", "quantile": "0.5"}, (MS, 1), kind="summary")
    request.series({"__name__": "c"}, (MS, 1), kind="info")
    write(request)
    first, quantile, count, info = write.rows()
    assert counter(first)["metric_type"] == counter(count)["metric_type"] == "sum"
    assert counter(quantile)["metric_type"] == counter(info)["metric_type"] == "gauge"
    assert (first["metric_description"], first["metric_unit"], first["point.z:str"]) == ("Jobs.", "jobs", "1")
    assert [row.get("start_time_ns") for row in (first, quantile, count)] == [
        NOW_NS - 10 * 10**6,
        None,
        NOW_NS - 20 * 10**6,
    ]
    assert info["metric_metadata"] == '{"prometheus.type":"info"}'


@pytest.mark.parametrize("version", [Write1, Write2])
def test_an_exemplar_is_a_point_of_its_own(write, version):
    """Ids in hex link to traces; other labels, and ids of another shape, stay labels. No value, flag 2."""
    trace = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331", "user": "u"}
    request = version()
    series = request.series(LABELS)
    for at, labels in ((MS, trace), (MS + 1, {"trace_id": "0AF", "span_id": "0" * 16}), (MS + 2, {})):
        exemplar = series.exemplars.add(value=0.5, timestamp=at)
        if version is Write2:
            exemplar.labels_refs.extend(request.references(labels))
        else:
            for name, value in labels.items():
                exemplar.labels.add(name=name, value=value)
    assert write(request).kinds["exemplars"] == 3
    plain = {**STORED, "metric_type": "gauge", "flags": 2, "exemplar_value_double": [0.5]}
    linked, other, bare = ({k: v for k, v in row.items() if v != [None]} for row in write.rows())
    assert linked == {
        **plain,
        "time_ns": NOW_NS,
        "exemplar_time_ns": [NOW_NS],
        "exemplar_trace_id": [bytes.fromhex(trace["trace_id"])],
        "exemplar_span_id": [bytes.fromhex(trace["span_id"])],
        "exemplar.user:str": ["u"],
    }
    rest = {name: values for name, values in other.items() if name.startswith("exemplar.")}
    assert rest == {"exemplar.trace_id:str": ["0AF"], "exemplar.span_id:str": ["0" * 16]}
    assert bare["exemplar_value_double"] == [0.5]


def bad(labels, *samples):
    """A request with one series beside a good one."""
    request = Write1()
    request.series(LABELS, (MS, 1))
    series = request.series({}, *samples)
    for name, value in labels:
        series.labels.add(name=name, value=value)
    return request


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (bad([("job", "x")], (MS, 1)), "a series must have a metric name, the label __name__"),
        (bad([("__name__", ""), ("job", "x")], (MS, 1)), "a series must have a metric name, the label __name__"),
        (bad([("", "x"), ("__name__", "n")], (MS, 1)), "a label has an empty name"),
        (bad([("__name__", "n"), ("a", "1"), ("a", "2")], (MS, 1)), "a label is given twice in one series"),
        (bad([("__name__", "n")], (-1, 1)), "timestamp is before 1970"),
        (bad([("__name__", "n")], (MS + 2 * 86_400_000, 1)), "timestamp is further in the future than the setting"),
        (bad([("__name__", "n")], (2**62, 1)), "timestamp is past the year 2199"),
    ],
)
def test_a_bad_series_costs_no_other(write, request_, reason):
    """What can't be stored is counted with the reason, and the rest of the request is stored."""
    answer = write(request_)
    assert (answer.accepted, answer.rejected) == (1, 1)
    assert reason in answer.message
    assert [row["metric_name"] for row in write.rows()] == ["http_requests_total"]


@pytest.mark.parametrize("references", [[1], [1, 99], [99, 1]])
def test_references_out_of_the_table_cost_no_other(write, references):
    """A series of 2.0 whose labels are no pairs of places in the symbols is rejected alone."""
    request = Write2()
    request.series(LABELS, (MS, 1))
    request.message.timeseries.add(labels_refs=references).samples.add(timestamp=MS, value=1)
    answer = write(request)
    assert (answer.accepted, answer.rejected) == (1, 1)
    assert "labels_refs" in answer.message


def test_resends_and_restarts_keep_each_sample_once(write, tmp_path):
    """Equal bytes are stored once, with the same counts in the answer, and a replay of the journal finds them again."""
    first, second = Write1(), Write2()
    first.series(LABELS, (MS, 1))
    second.series(LABELS, (MS, 1), (MS + 1, 2), kind="counter")
    answers = [write(request) for request in (first, first, second, second)]
    assert [answer.duplicate for answer in answers] == [False, True, False, True]
    assert answers[3].kinds == answers[2].kinds
    shutil.copytree(write.node.data_dir, tmp_path / "copy")
    with open_node(tmp_path / "copy") as node:
        again = type(write)(node)
        assert sorted(row["value_double"] for row in again.rows()) == [1, 1, 2]
        assert again(second).duplicate


@pytest.mark.parametrize("version", [Write1, Write2])
def test_a_large_request_is_cut(write, version):
    """A body past the size of a slice is stored whole."""
    request = version()
    for number in range(12_000):
        request.series({**LABELS, "path": f"/a/rather/long/path/to/make/it/large/{number:050d}"}, (MS, number))
    assert len(request.body()) > 1 << 20
    assert write(request).accepted == 12_000
    rows = write.rows()
    assert {row["value_double"] for row in rows} == set(range(12_000))
    assert all(row["point.path:str"].endswith(f"{int(row['value_double']):050d}") for row in rows)


def test_retention_removes_old_samples(tmp_path, write):
    """Samples of 1970 are stored and found as any other, and removed once their arrival is as old as the setting."""
    request = Write1()
    request.series({"__name__": "old"}, (0, 1), (1, 2))
    request.series({"__name__": "new"}, (MS, 3))
    with open_node(tmp_path / "kept") as node:
        type(write)(node)(request)
    with open_node(tmp_path / "kept") as node:
        kept = type(write)(node)
        assert [(row["metric_name"], row["time_ns"]) for row in kept.rows()] == [
            ("new", NOW_NS),
            ("old", 0),
            ("old", 10**6),
        ]
        node.real.store.compact()
        node.real.store.retain(NOW_NS + 91 * 86_400 * 10**9)
        assert kept.rows() == []


def every_kind():
    """A request of 1.0 with a record of each kind, and labels that OTLP's points have too."""
    request = Write1()
    series = request.series({"__name__": "m", "k": "v", "job": "j"}, (MS, 1), (MS + 1, STALE))
    series.exemplars.add(value=1, timestamp=MS).labels.add(name="k", value="v")
    request.family("m", "counter", "help", "s")
    for schema in (0, -53):
        histogram = series.histograms.add(schema=schema, count_float=1, timestamp=MS, reset_hint=1, custom_values=[1])
        histogram.positive_spans.add(offset=0, length=1)
        histogram.positive_counts.append(1)
    return request


@settings(max_examples=5, deadline=None)
@given(request_=requests(Signal.METRICS))
def test_points_of_both_protocols_fit_together(request_):
    """Whatever OTLP's points have, their columns and those of remote write are of the same types."""
    decoder = Decoder(DecodeLimits())
    bodies = ((Form.OTLP, request_.SerializeToString()), (Form.REMOTE_WRITE_1, every_kind().body()))
    tables = []
    for form, body in bodies:
        (result,) = decoder.decode(Signal.METRICS, [body], [NOW_NS], form)
        if not isinstance(result, IngestError) and result[0]:
            tables.append(shred(result[0], ColumnBudget(1000), ShredLimits())[0])
    types = [{name: table.schema.field(name).type for name in table.column_names} for table in tables]
    assert len(tables[-1]) == 5
    shared = set(types[0]) & set(types[-1])
    assert {name: types[0][name] for name in shared} == {name: types[-1][name] for name in shared}
    pa.concat_tables(tables, promote_options="permissive")


def test_labels_past_the_limit_of_columns_overflow(tmp_path, write):
    """Each sample of a series keeps the labels for which there is no column, and the columns have the others."""
    request = Write1()
    labels = {"__name__": "m", **{f"label_{number}": f"{number}" for number in range(9)}, "Tenant": "T"}
    request.series(labels, (MS, 1), (MS + 1, 2))
    request.series({"__name__": "m"}, (MS + 2, 3))
    with open_node(tmp_path / "narrow", max_columns=4) as node:
        narrow = type(write)(node)
        narrow(request)
        first, second, bare = narrow.rows()
    for row in (first, second):
        kept = {name[6:-4]: value for name, value in row.items() if name.startswith("point.")}
        spilled = {name[6:-4]: value for name, value in zip(row["overflow_name"], row["overflow_value"], strict=True)}
        assert len(kept) == 4
        assert {**kept, **spilled} == {
            **{name: value for name, value in labels.items() if name.startswith("label")},
            "^tenant": "T",
        }
    assert "overflow_name" not in bare
