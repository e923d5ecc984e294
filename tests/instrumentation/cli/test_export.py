"""``spanglass export``: files that appear when they are whole, and what happens where one does not come."""

from __future__ import annotations

import itertools
import json
import struct
from types import SimpleNamespace

import pytest

from spanglass.cli.client import UnreachableError
from spanglass.cli.main import main
from spanglass.cli.transfer import fetching

WINDOW = {"start_time": "2026-11-01T00:00:00.000000000Z", "end_time": "2026-11-02T00:00:00.000000000Z"}
PLAN = {
    "window": WINDOW,
    "signal": "spans",
    "rows": 5,
    "parts": [{"part": part, **WINDOW, "rows": 2} for part in ("1-2", "2-3", "3-4")],
    "stored": [{"name": "name", "type": "VARCHAR"}],
    "readable": [{"name": "name", "sql": '"name"'}],
}
END = struct.pack(">II", 0, 0)


def frame(text, rows):
    """A piece of a file with what stands before it."""
    return struct.pack(">II", len(text), rows) + text


@pytest.fixture
def export(canned, tmp_path, monkeypatch, capsys):
    """Run the command in a directory of its own, one part at a time, without trying again."""
    monkeypatch.setenv("SPANGLASS_URL", canned.url)
    monkeypatch.chdir(tmp_path)

    def call(*words):
        canned.received.clear()
        code = main(["export", "--parallel", "1", "--retry-for", "0", *words])
        return code, [request.parameters.get("part") for request in canned.received], capsys.readouterr()

    return call


def test_an_export_that_was_cut_goes_on(canned, export, tmp_path):
    """Of an answer that is not whole nothing is seen; the same command asks for what is missing, another is refused."""
    words = ("--signal", "spans", "--format", "ndjson", "--last", "1d", "--filter", "a = b")
    canned.answer("/api/v1/export/plan", PLAN)
    canned.answer("/api/v1/export", frame(b"{}\n", 1) + frame(b"{}\n{}\n", 2) + END)
    canned.answer("/api/v1/export", frame(b"{}\n", 1))
    canned.answer("/api/v1/export", END)
    code, asked, told = export(*words)
    assert (code, asked) == (1, [None, "1-2", "2-3"])
    assert "the server's answer was cut" in told.err
    directory = tmp_path / "spanglass-export"
    assert sorted(path.name for path in directory.iterdir()) == ["export.json", "spans-00001.ndjson"]
    parameters = canned.received[1].parameters
    assert {"filter": "a = b", "start": WINDOW["start_time"], "framing": "framed"}.items() <= parameters.items()

    code, asked, told = export(*words)
    assert (code, asked) == (0, ["2-3", "3-4"])
    assert told.out.startswith("exported 3 spans to spanglass-export")
    assert (directory / "spans-00001.ndjson").read_bytes() == b"{}\n" * 3
    assert export(*words)[:2] == (0, [])
    (directory / "spans-00001.ndjson").write_bytes(b"{}")
    assert export(*words)[:2] == (0, ["1-2"])

    code, asked, told = export(*words[:-1], "a = c")
    assert (code, asked) == (2, [])
    assert "an export of something else (filter)" in told.err
    assert export(*words[:-1], "a = c", "--restart")[:2] == (0, [None, "1-2", "2-3", "3-4"])


def test_an_error_of_the_server_ends_the_export(canned, export, tmp_path):
    """A mistake in the filter is told before anything is made; one that comes later ends all parts."""
    wrong = {"error": {"code": "bad_filter", "message": "expected a value", "field": "filter", "column": 5}}
    canned.answer("/api/v1/export/plan", wrong, 400)
    code, _, told = export("--signal", "spans", "--filter", "a = =")
    assert (code, list(tmp_path.iterdir())) == (2, [])
    assert "a = =\n        ^" in told.err
    canned.answers.clear()
    canned.answer("/api/v1/export/plan", PLAN)
    canned.answer("/api/v1/export", {"error": {"code": "out_of_memory", "message": "too much"}}, 507)
    code, asked, told = export("--signal", "spans")
    assert (code, asked, "too much" in told.err) == (1, [None, "1-2"], True)
    assert json.loads((tmp_path / "spanglass-export/export.json").read_text())["parts"][0]["records"] is None
    for words in (("-o", "-"), ("-o", "-", "--signal", "spans"), ("--format", "otlp", "--signal", "issues")):
        assert export(*words)[0] == 2


def test_what_may_pass_is_asked_again(export, canned, monkeypatch):
    """A busy server is, and a part that is slow but gets further each time; not one that is cut at one place."""
    words = ("--signal", "spans", "--format", "ndjson", "--retry-for", "60", "--restart")
    monkeypatch.setattr(fetching, "_FIRST_WAIT_S", 0.001)
    one_part = {**PLAN, "parts": PLAN["parts"][:1]}
    canned.answer("/api/v1/export/plan", one_part)
    canned.answer("/api/v1/export", {"error": {"code": "unavailable", "message": "busy"}}, 503)
    canned.answer("/api/v1/export", frame(b"{}\n", 1) + END)
    assert export(*words)[:2] == (0, [None, "1-2", "1-2"])

    now_s, attempts = [0.0], []
    monkeypatch.setattr(fetching, "time", SimpleNamespace(monotonic=lambda: now_s[0]))

    def slow(counts):
        def frames(_client, _asked):
            now_s[0] += 40
            attempts.append(next(counts))
            yield from [(b"{}\n", 1)] * attempts[-1]
            if attempts[-1] < 5:
                raise UnreachableError("cut")

        return frames

    monkeypatch.setattr(fetching, "frames", slow(iter(range(1, 6))))
    assert (export(*words)[0], attempts) == (0, [1, 2, 3, 4, 5])
    attempts.clear()
    monkeypatch.setattr(fetching, "frames", slow(itertools.repeat(2)))
    assert (export(*words)[0], attempts) == (1, [2, 2, 2])


def test_a_job_of_somebody_else_touches_no_other_file(export, canned, tmp_path):
    """An export.json with a value that is none of ours is refused, with and without --restart; no file is deleted."""
    canned.answer("/api/v1/export/plan", PLAN)
    canned.answer("/api/v1/export", frame(b"{}\n", 1) + END)
    words = ("--signal", "spans", "--format", "ndjson", "--last", "1d")
    assert export(*words)[0] == 0
    victim = tmp_path / "victim-00001.ndjson"
    victim.write_text("kept")
    path = tmp_path / "spanglass-export/export.json"
    ours = json.loads(path.read_text())
    of_part = {"signal": "../victim", "number": -1, "part": "1-2&x", "estimate": "2", "records": "1", "size": 2.5}
    wrong = [{**ours, "parts": [{**ours["parts"][0], name: value}]} for name, value in of_part.items()]
    wrong += [{**ours, "parts": ours["parts"] * 2}, {**ours, "format": "/../x"}, {**ours, "window": {}}]
    wrong += [{**ours, "columns": {"a; DROP": {"stored": {}, "readable": {}}}}, {**ours, "question": None}, [], None]
    for content in wrong:
        path.write_text(json.dumps(content))
        for more in ((), ("--restart",)):
            code, _, told = export(*words, *more)
            assert (code, "is not of an export of this version" in told.err) == (2, True), content
    assert victim.read_text() == "kept"
    assert len(list(path.parent.iterdir())) == 4


def test_only_files_of_the_job_are_deleted_once_the_database_is_made(export, canned, tmp_path):
    """Somebody's notes between the parts of a database stay; a directory with nothing else in it goes."""
    duckdb = pytest.importorskip("duckdb")
    duckdb.sql(f"COPY (SELECT 'a' AS name) TO '{tmp_path}/one.parquet'")
    canned.answer("/api/v1/export/plan", PLAN)
    canned.answer("/api/v1/export", frame((tmp_path / "one.parquet").read_bytes(), 1) + END)
    words = ("--signal", "spans", "--format", "duckdb", "--last", "1d", "-o")
    parts = tmp_path / "a.duckdb.parts"
    parts.mkdir()
    (parts / "notes.txt").write_text("mine")
    (parts / ".spans-00001.parquet.partial").write_text("left by an end without notice")
    assert [export(*words, name)[0] for name in ("a.duckdb", "b.duckdb")] == [0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.duckdb", "a.duckdb.parts", "b.duckdb", "one.parquet"]
    assert [path.name for path in parts.iterdir()] == ["notes.txt"]
