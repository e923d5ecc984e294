"""Tables on narrow terminals: figures are whole, what matters least goes first; ids may be given by their beginning."""

from __future__ import annotations

import io
import re

import pytest

from spanglass.cli import output
from spanglass.cli.main import main
from spanglass.terminal.printing import Console

TRACE = {
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "root_service": "web",
    "root_operation": "GET /checkout",
    "start_time": "2025-11-21T11:34:48.123456789Z",
    "duration_ns": 1_940_000_000,
    "span_count": 17,
    "error_count": 1,
    "services": [{"service": "web"}, {"service": "shop"}],
}
FULL_ID = TRACE["trace_id"]


@pytest.fixture
def on_terminal(monkeypatch, canned):
    """Run a command as on a terminal of a width; the lines it prints."""

    def run_(width, *words):
        written = io.StringIO()
        monkeypatch.setattr(output, "console", lambda: Console(written, width))
        assert main([*words, "--url", canned.url]) == 0
        return [line.rstrip() for line in written.getvalue().splitlines()]

    return run_


def test_traces_fit_80_columns(canned, on_terminal):
    """Start, duration, spans and errors are whole, ids are their first digits, texts are cut; services go."""
    rows = [TRACE, {**TRACE, "root_operation": "GET /a/very/long/route/of/a/shop/that/does/not/end"}]
    canned.answer("/api/v1/traces", {"traces": rows, "next_cursor": None})
    heading, *lines = on_terminal(80, "traces")
    assert re.fullmatch(r"started \(\S+\) .*", heading)
    assert heading.split()[2:] == ["trace", "service", "operation", "duration", "spans", "errors"]
    assert max(map(len, [heading, *lines])) <= 80
    for line in lines:
        assert re.match(r"11-2[012] \d\d:\d\d ", line)
        assert line.split()[2] == FULL_ID[:8]
        assert line.split()[-4:] == ["1.94", "s", "17", "1"]
    assert on_terminal(200, "traces")[1].split()[2] == FULL_ID


def test_services_fit_80_columns(canned, on_terminal):
    """No figure is cut; the sparkline and quantiles that do not fit are left out."""
    row = {"service": "checkout-of-a-long-name", "requests": 12_345_678, "rate_per_s": 1234.5, "errors": 12_345,
           "error_ratio": 0.000234, "p50_ns": 499_000_000, "p95_ns": 1_940_000_000, "p99_ns": 3_900_000_000,
           "series": [{"requests": n} for n in range(30)]}  # fmt: skip
    canned.answer("/api/v1/services", {"services": [row]})
    for width in (60, 80, 100):
        lines = on_terminal(width, "services")
        assert max(map(len, lines)) <= width
        assert "…" not in lines[1].partition(" ")[2]
        assert "12,345,678" in lines[1]
        assert ("0.0234%" in lines[1]) is (width > 60)


@pytest.mark.parametrize(
    ("answers", "code", "says"),
    [
        ([[TRACE]], 0, ""),
        ([[], [TRACE]], 0, ""),
        ([[], []], 3, "no trace has an id that begins with 0af76519"),
        (
            [[TRACE, {**TRACE, "trace_id": "0af76519" + "0" * 24}]],
            2,
            "several traces have an id that begins with 0af76519",
        ),
    ],
)
def test_the_beginning_of_an_id_finds_its_trace(canned, run, answers, code, says):
    """A prefix stands for the one trace that begins so, of the last day first; of several it says which."""
    for found in answers:
        canned.answer("/api/v1/traces", {"traces": found, "next_cursor": None})
    canned.answer(f"/api/v1/traces/{FULL_ID}", {**TRACE, "warnings": [], "spans": []})
    result = run("trace", "0AF76519", "--format", "ndjson")
    assert result.returncode == code
    assert says in result.stderr.decode()
    asked = canned.received[0].parameters
    assert (asked["filter"], asked["limit"], asked["last"]) == ("trace_id = 0af76519*", "2", "1d")
    assert (canned.received[-1].path == f"/api/v1/traces/{FULL_ID}") is (code == 0)
