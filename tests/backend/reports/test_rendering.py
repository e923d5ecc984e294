"""Forms of reports with whatever may stand in them: nothing known, words without end, letters that no font has."""

from __future__ import annotations

import pytest

from spanglass_server.reports import blocks
from spanglass_server.reports.rendering import words
from spanglass_server.reports.rendering.formats import FORMATS
from spanglass_server.reports.rendering.scene import scene

TIME = "2026-11-29T14:03:00.000000000Z"
ODD = ["", "x" * 5000, "<b>&amp;</i>", "\u4f60\u597d \U0001f600 \u202e\x00", "a\nb\tc", "%PDF (1) \\ [x](y)"]


def report_of(*found):
    """Make a report with these blocks."""
    window = {"start_time": TIME, "end_time": TIME}
    section = {"id": "s", "title": ODD[3], "blocks": list(found), "problem": ODD[2], "asked": []}
    return {
        "kind": "week", "title": ODD[2], "service": None, "window": window, "before": window, "made_time": TIME,
        "sections": [section],
    }  # fmt: skip


@pytest.mark.parametrize("form", [name for name in FORMATS if name != "json"])
def test_whatever_stands_in_a_report_it_is_written(form):
    """No text, width, gap or number keeps a report from being written."""
    columns = [(text, unit) for text in ODD for unit in ("text", "ns", "time")]
    cells = [cell for text in ODD for cell in (text, None, TIME)]
    points = [{"t": 60.0 * number} for number in range(3)]
    found = report_of(
        blocks.table("wide", columns, [blocks.row(*cells, link="/x?a=1&b='\"")] * 60, 7),
        blocks.table("empty", columns[:2], []),
        *(blocks.text(text) for text in ODD),
        blocks.figures(*(blocks.figure(text, "bytes", 1e30, 0.0, "less") for text in ODD)),
        blocks.figures(),
        blocks.lines("none", "ns", [], 60.0, blocks.line("x", [])),
        blocks.lines("gaps", "ratio", points, 60.0, blocks.line(ODD[2], [None, 0.5, None]), blocks.line("y", [0] * 3)),
        blocks.bars("bars", points, 60.0, blocks.failures("bad", [0, 1, None]), blocks.line("z", [1e9, 0, 2])),
    )
    content = FORMATS[form].write(found, "https://spanglass.example/")
    assert len(content) > 1000
    if form in {"html", "csv"}:
        assert not {"\u202e", "\x00", "\b"} & set(content.decode())
    if form == "html":
        assert b"<b>&" not in content
        assert b'href="https://spanglass.example/x?a=1&amp;b=&#39;&#34;"' in content


def test_a_table_begins_below_its_heading():
    """It goes on over pages instead of leaving the rest of one empty; what has the section's name has no other."""
    columns = [("Name", "text"), ("Number", "count")]
    rows, more = (
        blocks.table(name, columns, [blocks.row(f"row {number}", number) for number in range(count)])
        for name, count in (("Rows", 34), ("More", 22))
    )
    found = report_of(*(blocks.text("x") for _ in range(25)), rows, more)
    found["sections"] += [{**found["sections"][0], "title": "Rows", "blocks": [rows], "problem": None}]
    assert FORMATS["pdf"].write(found, "").count(b"/Type /Page\n") == 3
    told = FORMATS["markdown"].write(found, "").decode()
    assert (told.count("**Rows**"), told.count("## Rows")) == (1, 1)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "ns", "\u2013"),
        (12_480, "count", "12,480"),
        (2_480_000, "count", "2.48M"),
        (0.0425, "ratio", "4.25 %"),
        (0.0, "ratio", "0 %"),
        (0.9994, "ratio", "99.9 %"),
        (0.9995, "ratio", "99.95 %"),
        (0.99987, "ratio", "99.987 %"),
        (0.999999, "ratio", "99.9999 %"),
        (1.0, "ratio", "100 %"),
        (1_500_000, "ns", "1.5 ms"),
        (90 * 10**9, "ns", "1 min 30 s"),
        (843.2, "s", "14 min 3 s"),
        (45_200_000, "bytes", "43.1 MiB"),
        (0.123, "change", "+12 %"),
        (-0.042, "change", "-4.2 %"),
        (0.0001, "change", "\u00b10 %"),
        (12.0, "change", "13\u00d7"),
        (1e308, "s", "1e+308 s"),
        (1e308, "ns", "1e+299 s"),
        (float("inf"), "ns", "\u221e"),
        (0.82, "budget", "82 %"),
        (-9.0, "budget", "used 10 times"),
        (-148.2, "budget", "used 149 times"),
        (-8.09, "budget", "used 9.09 times"),
    ],
)
def test_numbers_in_words(value, unit, text):
    """Each unit has its way to be written, the same in all forms."""
    assert words.number(value, unit) == text


def test_rows_of_a_csv_file_are_told_apart():
    """Rows that begin alike have numbers, and what a table leaves out is counted."""
    rows = [blocks.row("GET /", service, count) for service, count in (("web", 3), ("shop", 5))]
    table = blocks.table("t", [("Operation", "text"), ("Service", "text"), ("Requests", "count")], rows, 7)
    lines = FORMATS["csv"].write(report_of(table), "").decode().splitlines()
    assert lines[1:3] == [f",,,start,{TIME},,time,", f",,,end,{TIME},,time,"]
    assert "s,t,GET /,Requests,3,,count,1" in lines
    assert "s,t,GET /,Service,shop,,text,2" in lines
    assert lines[-1] == "s,t,,left_out,7,,count,"


def test_what_is_a_change_for_the_worse():
    """By which way is good; small changes and those that are neither good nor bad are not told so."""

    def worse(value, before, better):
        return words.is_worse(blocks.figure("x", "count", value, before, better))

    assert [worse(2, 1, "less"), worse(1, 2, "less"), worse(1, 2, "more")] == [True, False, True]
    assert [worse(103, 100, "less"), worse(2, 1, "neither"), worse(None, 1, "less"), worse(0, 0, "less")] == [None] * 4
    assert worse(3, 0, "less") is True


def test_the_shapes_of_a_chart():
    """Bars stand on one another up to their sum, lines have their gaps, and the axis of counts has whole steps."""
    points = [{"t": 0.0}, {"t": 60.0}]
    found = scene(blocks.bars("x", points, 60.0, blocks.failures("a", [1, 0]), blocks.line("b", [3, 2])))
    lower, upper, alone = found.bars
    assert (lower.role, upper.role) == ("bad", "before")
    assert upper.y + upper.height == pytest.approx(lower.y, abs=0.02)
    assert alone.height == pytest.approx(upper.height * 2 / 3, abs=0.05)
    assert [label.text for label in found.labels if label.anchor == "end"][:5] == ["0", "1", "2", "3", "4"]
    nothing = blocks.earlier("before", [], 2, lambda point: point["t"])
    assert scene(blocks.lines("x", "ns", points, 60.0, nothing, blocks.line("a", [1, 2]))).legend == [("now", "a")]
    gaps = scene(blocks.lines("x", "ns", [{"t": 60.0 * n} for n in range(4)], 60.0, blocks.line("a", [1, 2, None, 3])))
    assert [len(stroke.points) for stroke in gaps.strokes if stroke.role == "now"] == [2, 1]
