"""The benchmarks that compare builds run, and say what they measured."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

import compare
import generate
from explaining import judged
from loadgen import questions
from loadgen.comparing.aims import compared
from loadgen.comparing.answer_questions import Asked
from loadgen.comparing.answers import differences, differing
from loadgen.comparing.builds import base_build
from loadgen.felt import by_state, small_requests
from loadgen.felt.demo_load import watch
from loadgen.felt.figures import Run, fresh
from loadgen.felt.small_requests import SmallLoad, bound_of, measure_small
from loadgen.prepared import Bodies
from loadgen.scenario import fresh_server

if TYPE_CHECKING:
    from pathlib import Path


def test_the_scenarios_of_fresh_data_and_small_requests_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question over what came in is answered as the prepared data knows, small requests are taken and counted."""
    generate.make_traces(tmp_path, 4, seed=1)
    bodies = Bodies("traces", tmp_path)
    monkeypatch.setattr(questions, "REPEATS", 2)
    with fresh_server({"alerting.shipped": "false"}) as server:
        for module in (by_state, small_requests):
            monkeypatch.setattr(module, "fresh_server", lambda **_: nullcontext(server))
        _measure_scenarios(bodies, monkeypatch)


def _measure_scenarios(bodies: Bodies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_state, "FRESH_S", 0)
    monkeypatch.setattr(small_requests, "START_S", 0)
    rows = fresh(Run(lambda _: bodies))
    assert len(rows) == 6
    for name, row in rows.items():
        assert row["answers"].endswith(" checked"), name
        assert row["cpu_ms"] > 0 < row["p50_ms"], name
    load = SmallLoad("few", rate_per_s=400, seconds=0.5, connections=2)
    few = measure_small(load, bodies)
    assert few["requests"] == 200
    assert few["failed"] == 0
    assert few["cpu_ms"] > 0 < few["resident_MB"]
    assert few["sync_p99_ms"] > 0
    with pytest.raises(SystemExit, match="1,000 requests are wanted, prepared are 200"):
        measure_small(SmallLoad("more", rate_per_s=1000, seconds=1, connections=2), bodies)


def test_a_share_of_syncs_is_told_by_a_bound_of_the_histogram() -> None:
    """Only what came between two looks counts; the least bound that keeps the share is told, infinity without any."""
    before, after = {0.001: 5.0, 0.01: 5.0, 0.1: 5.0}, {0.001: 95.0, 0.01: 103.0, 0.1: 105.0}
    shares = [bound_of(share, before, after) for share in (0.5, 0.9, 0.95, 0.98, 0.99)]
    assert shares == [0.001, 0.001, 0.01, 0.01, 0.1]
    assert bound_of(0.99, {}, {}) == float("inf")


def test_a_search_by_other_spans_is_held_against_its_twin() -> None:
    """By processor time, of the smallest figures of all rounds; what has a limit may not pass it the first time."""
    flat = {"first_ms": 50.0, "p50_ms": 20.0, "cpu_ms": 10.0, "limit_ms": 0, "twin": ""}
    rounds = [
        {"flat": flat, "structural": {**flat, "cpu_ms": 30.0, "twin": "flat"}, "map": {**flat, "limit_ms": 40}},
        {"flat": flat, "structural": {**flat, "cpu_ms": 20.0, "twin": "flat"}, "map": {**flat, "limit_ms": 40}},
    ]
    assert [(row["question"], row["limit"], row["met"]) for row in judged("new", rounds)] == [
        ("flat", "", None),
        ("structural", "2 x CPU", True),
        ("map", "40 ms", False),
    ]
    assert [row["met"] for row in judged("new", rounds[:1])] == [None, False, False]


def test_what_a_process_uses_is_watched() -> None:
    """A process that works uses some of a core and memory; one sample more than nothing is enough for both."""
    watched = watch(SimpleNamespace(pid=os.getpid()), seconds=0.01)
    assert watched.share_pct > 0
    assert len(watched.resident_mb) == 2
    assert min(watched.resident_mb) > 10
    assert 0 <= watched.mapped_mb < max(watched.resident_mb)


def test_two_builds_are_compared_by_the_best_of_several_rounds() -> None:
    """The smallest cost, the highest rate and the most memory count; the ratio is new over base, held to its aim."""
    rounds = {
        "base": [{"spans": {"cpu_s_per_M": 16.0, "per_s": 80, "peak_MB": 570, "answers": "-"}}, {"spans": {}}],
        "new": [
            {"spans": {"cpu_s_per_M": 9.0, "per_s": 90, "peak_MB": 430, "answers": "-"}},
            {"spans": {"cpu_s_per_M": 8.0, "per_s": 100, "peak_MB": 460, "answers": "-"}},
        ],
    }
    assert [tuple(row.values()) for row in compared(rounds)] == [
        ("spans", "cpu_s_per_M", 16.0, 8.0, 0.5, 11, "yes"),
        ("spans", "per_s", 80, 100, 1.25, None, ""),
        ("spans", "peak_MB", 570, 460, 460 / 570, 450, "no"),
    ]


@pytest.mark.parametrize(
    ("base", "new", "places"),
    [
        ({"a": 1, "elapsed_ms": 3}, {"a": 1, "elapsed_ms": 4}, []),
        ({"a": 0.1 + 0.2}, {"a": 0.3}, []),
        ({"next_cursor": "x"}, {"next_cursor": "y"}, []),
        ({"activity": [{"time": "1"}]}, {"activity": [{"time": "2"}]}, []),
        ({"next_cursor": None}, {"next_cursor": "y"}, ['.next_cursor: null is now "y"']),
        ({"a": 1}, {"a": 1.0}, [".a: 1 is now 1.0 (0)"]),
        ({"a": [{"n": 4.0}]}, {"a": [{"n": 5.0}]}, [".a[0].n: 4.0 is now 5.0 (0.2)"]),
        ({"a": [1]}, {"a": [1, 2]}, [".a: 1 of them is now 2 of them"]),
        ({"a": None}, {}, ['.a: null is now "(not there)"']),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, ["the order of fields"]),
    ],
)
def test_answers_are_compared_but_for_clocks_and_rounding(base: object, new: object, places: list[str]) -> None:
    """What differs is named with its place; clocks, opaque cursors and the last digits of sums are no difference."""
    assert differences(json.dumps(base).encode(), json.dumps(new).encode()) == places


def test_pages_are_followed_with_each_builds_own_cursor() -> None:
    """A difference on the second page is found, although the builds' cursors differ."""

    def build(name: str, last: int) -> SimpleNamespace:
        pages = {"/l?a=1": {"n": 1, "next_cursor": name}, f"/l?a=1&cursor={name}": {"n": last, "next_cursor": None}}

        def request(_: str, path: str, *__: object) -> SimpleNamespace:
            body = json.dumps(pages[path]).encode()
            return SimpleNamespace(status=200, body=body, json=lambda: json.loads(body))

        return SimpleNamespace(request=request)

    asked = Asked("/l?a=1", pages=3)
    assert differing(build("x", 2), build("y", 2), asked) == []
    assert differing(build("x", 2), build("y", 3), asked) == ["page 2: .n: 2 is now 3 (0.5)"]


def test_a_wrong_command_line_says_what_to_give(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A base that is no commit, a folder without environment, and data without its times are refused with a reason."""
    with pytest.raises(SystemExit, match="neither a commit of this repository nor a folder"):
        base_build("no-such-commit")
    with pytest.raises(SystemExit, match="run `make setup` there"):
        base_build(str(tmp_path))
    with pytest.raises(SystemExit):
        compare.parse(["--base", "main", "--data", str(tmp_path)])
    assert "--data needs --start and --end" in capsys.readouterr().err
