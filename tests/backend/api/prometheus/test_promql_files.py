"""Results of PromQL as files."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

RANGE = {"start": "1970-01-01T00:00:00Z", "end": "1970-01-01T00:01:00Z"}
SECOND = 1_000_000_000


@pytest.fixture
def ask(api):
    """Ask for files of two series, one of which begins later."""
    point = {"metric_type": "gauge", "scope_name": "prometheus", "metric_name": "up"}
    client = api(
        metrics=[
            {**point, "time_ns": at * SECOND, "value_double": at * 1.5, "point.job:str": job, "point.value:str": "=x"}
            for job, first in (("web", 30), ("api", 0))
            for at in range(first, 61, 30)
        ]
    )

    def get(status=200, **params):
        answer = client.get("/api/v1/promql/export", params={**RANGE, "query": "up", "step": "30s", **params})
        assert answer.status_code == status, answer.text
        return answer if status == 200 else answer.json()["error"]

    return get


def test_a_result_is_a_row_for_each_sample(ask):
    """Series in the order of their labels, those called like columns told apart; a scalar has no label."""
    answer = ask()
    assert answer.headers["content-disposition"] == 'attachment; filename="promql.csv"'
    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["time", "__name__", "job", "label.value", "value"],
        *[
            [f"1970-01-01T00:{at}.000000000Z", "up", job, "'=x", value]
            for job, at, value in (
                ("api", "00:00", "0.0"), ("api", "00:30", "45.0"), ("api", "01:00", "90.0"),
                ("web", "00:30", "45.0"), ("web", "01:00", "90.0"),
            )
        ],
    ]  # fmt: skip
    table = pq.read_table(pa.BufferReader(ask(format="parquet", query="sum(up)").content))
    assert table.schema.equals(pa.schema({"time": pa.timestamp("ms"), "value": pa.float64()}))
    assert table["value"].to_pylist() == [0.0, 90.0, 180.0]
    table = pa.ipc.open_stream(ask(format="arrow", query="vector(1) or up").content).read_all()
    assert table.column_names == ["time", "__name__", "job", "label.value", "value"]
    assert table["job"].to_pylist().count(None) == 3
    assert ask(query="time()", format="ndjson").text.count("\n") == 3
    assert ask(query="absent(up)").text.splitlines() == ["time,value"]
    assert ask(query='"text"', format="ndjson").text.count('"value":"text"') == 3
    assert ask(query="vector(1) * -Inf").text.splitlines()[1] == "1970-01-01T00:00:00.000000000Z,-Infinity"
    assert ask(query="vector(NaN)").text.splitlines()[1] == "1970-01-01T00:00:00.000000000Z,NaN"


def test_labels_called_alike_are_columns_of_their_own(api):
    """A label that is called like a column, and one that is called as that would be renamed, are both there."""
    names = ("time", "label.time", "label.label.value", "value", "label.value")
    point = {"metric_type": "gauge", "scope_name": "prometheus", "metric_name": "up", "time_ns": 0, "value_double": 1.0}
    client = api(metrics=[{**point, **{f"point.{name}:str": f"{name}!" for name in names}}])
    asked = {**RANGE, "query": "up", "step": "30s", "format": "arrow"}
    table = pa.ipc.open_stream(client.get("/api/v1/promql/export", params=asked).content).read_all()
    row = table.select([name for name in table.column_names if name != "time"]).to_pylist()[0]
    assert row == {
        "__name__": "up",
        "label.label.time": "time!",
        "label.time": "label.time!",
        "label.label.value": "label.label.value!",
        "label.label.label.value": "value!",
        "label.value": "label.value!",
        "value": 1.0,
    }


def test_steps_are_round_unless_told(ask):
    """Of a minute a second each; too many, too short, and mistakes in the expression are told by name."""
    assert len(ask(step="").text.splitlines()) == 1 + 61 + 31
    assert ask(400, step="10ms")["field"] == "step"
    refused = ask(400, step="1s", end="1970-01-02T00:00:00Z")
    assert (refused["field"], refused["hint"]) == ("step", "ask for step=8s or longer, or a shorter range")
    assert ask(step="8s", end="1970-01-02T00:00:00Z").status_code == 200
    assert ask(400, query="sum(")["field"] == "query"
    assert ask(400, query="up[1m]")["field"] == "query"
