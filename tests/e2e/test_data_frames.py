"""Answers of a real server as data frames of real pandas and Polars."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from loadgen.server import ServerProcess

#: A folder with both libraries (pip install --target). They are not in the server's environment: DuckDB imports a
#: pandas that is there, and the servers of all tests would be larger than those of users.
FRAMES = "SPANGLASS_TEST_FRAMES"
SPAN = {
    "traceId": "0123456789abcdef0123456789abcdef", "spanId": "0123456789abcdef", "name": "GET /cart", "kind": 2,
    "attributes": [{"key": "http.response.status_code", "value": {"intValue": "503"}}],
}  # fmt: skip
SQL = (
    "SELECT name, start_time, duration_ns / 1e6 AS ms, [start_time] AS times, NULL::BIGINT AS nothing"
    " FROM spans UNION ALL SELECT NULL, NULL, NULL, NULL, 7 ORDER BY name NULLS LAST"
)
PANDAS = """
import json
from spanglass.client import query
frame = query(SQL).to_pandas()
first = frame.iloc[0]
print(json.dumps({
    "type": type(frame).__module__.split(".")[0], "columns": list(frame.columns), "rows": len(frame),
    "kind": str(frame["start_time"].dtype), "ns": first["start_time"].value,
    "in_list": first["times"].astype("int64").tolist(),
    "ms": first["ms"], "names": frame["name"].isna().tolist(), "nothing": frame["nothing"].dropna().tolist(),
}))
"""
POLARS = """
import json
from spanglass.client import query
frame = query(SQL).to_polars()
print(json.dumps({
    "type": type(frame).__module__.split(".")[0], "columns": frame.columns, "rows": frame.height,
    "kind": str(frame.schema["start_time"]), "ns": frame["start_time"].dt.epoch("ns").to_list()[0],
    "in_list": frame["times"][0].dt.epoch("ns").to_list(), "ms": frame["ms"][0],
    "names": frame["name"].is_null().to_list(), "nothing": frame["nothing"].drop_nulls().to_list(),
}))
"""


@pytest.mark.parametrize(
    ("library", "script", "kind"),
    [
        ("pandas", PANDAS, "datetime64[ns, UTC]"),
        ("polars", POLARS, "Datetime(time_unit='ns', time_zone='UTC')"),
    ],
    ids=["pandas", "polars"],
)
def test_an_answer_as_a_frame(
    shared_server: ServerProcess, need: Callable[[str], None], library: str, script: str, kind: str
) -> None:
    """Times keep their nanoseconds, also in lists, and have the zone UTC; what is null is missing."""
    environment = {**os.environ, "SPANGLASS_URL": shared_server.url, "PYTHONPATH": os.environ.get(FRAMES, "")}
    if subprocess.run(
        [sys.executable, "-c", f"import {library}"], env=environment, capture_output=True, check=False
    ).returncode:
        need(f"{library} is not there: pip install --target DIR {library}, and {FRAMES}=DIR")
    start_ns = time.time_ns() - 10**9
    send(shared_server, {**SPAN, "startTimeUnixNano": str(start_ns), "endTimeUnixNano": str(start_ns + 1_500_000)})
    sql = SQL.replace("FROM spans", f"FROM spans WHERE start_time_ns = {start_ns}")  # not the other library's
    said = subprocess.run(
        [sys.executable, "-c", f"SQL = {sql!r}\n{script}"], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(said.stdout) == {
        "type": library, "columns": ["name", "start_time", "ms", "times", "nothing"], "rows": 2, "kind": kind,
        "ns": start_ns, "in_list": [start_ns], "ms": 1.5, "names": [False, True], "nothing": [7],
    }  # fmt: skip


def send(server: ServerProcess, span: Mapping[str, Any]) -> None:
    """Send one span."""
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    answer = server.request("POST", "/v1/traces", json.dumps(body).encode(), {"Content-Type": "application/json"})
    assert answer.status == 200
