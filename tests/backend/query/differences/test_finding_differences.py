"""What is different between spans of tables written by hand, and how long they took over time."""

from __future__ import annotations

from itertools import pairwise

import pytest

from spanglass_server.query.differences.answering import find_differences
from spanglass_server.query.differences.asked import DifferenceQuestion, Selection
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language import parse_filter
from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.performance.heatmap import latency_heatmap
from spanglass_server.query.traces.spans import group_spans
from spanglass_server.store.ports import Window

SECOND = 1_000_000_000
MS = 1_000_000
T0 = 1_000_000 * SECOND
WINDOW = Window(T0, T0 + 400 * SECOND)
SPANS = SpanQuestion(WINDOW)


def span(number, **more):
    """Make a request of a trace of its own: every fourth is slow, has many lines in its cart and one tenant."""
    slow = number % 4 == 0
    return {
        "trace_id": number.to_bytes(16, "big"),
        "span_id": number.to_bytes(8, "big"),
        "resource.service.name:str": "web",
        "resource.service.version:str": "2.0" if number >= 200 else "1.9",
        "name": "GET /cart",
        "kind": 2,
        "start_time_ns": T0 + number * SECOND,
        "duration_ns": (900 if slow else 20) * MS,
        "status_code": 2 if slow and number % 8 == 0 else 0,
        "span.tenant:str": "acme" if slow else f"t{number % 5}",
        "span.cart.lines:int": 20 + number % 40 if slow else number % 15,
        "span.cache.hit:bool": None if slow else True,
        "span.request.id:str": f"r{number}",
        "span.note:str": "x" * 400,
        "event_name": ["retry", "retry"] if slow else [],
        "event.reason:str": ["busy", None] if slow else [],
        **more,
    }


@pytest.fixture
def session(open_tables):
    """A session over four hundred requests, one a second."""
    return open_tables(spans=[span(number) for number in range(400)])


def found_by_key(session, question):
    """Return the first value of each key of an answer, and the answer."""
    answer = find_differences(session, question, 30)
    return {each["key"]: each["values"][0] for each in answer["keys"]}, answer


def test_an_area_of_durations_is_explained(session):
    """Slow requests differ by tenant, lines, events and a missing key; not by ids, long texts and what is equal."""
    values, answer = found_by_key(session, DifferenceQuestion(SPANS, Selection(min_ns=500 * MS)))

    assert (answer["selected"]["spans"], answer["baseline"]["spans"]) == (100, 300)
    assert (answer["selected"]["errors"], answer["selected"]["p50_ns"]) == (50, 900 * MS)
    first = answer["keys"][0]
    assert (first["key"], first["values"][0]["filter"]) == ("event", 'event = "retry"')
    assert [each["filter"] for each in first["alike"]] == [
        'reason = "busy"', 'tenant = "acme"', "cart.lines > 14", "cache.hit not exists",
    ]  # fmt: skip
    value = first["values"][0]
    assert (value["selected_share"], value["baseline_share"], value["lift"]) == (1.0, 0.0, None)
    assert (value["selected"], value["baseline"], value["opposite"]) == (100, 0, 'event != "retry"')
    assert values["status"]["filter"] == "status = error"
    assert set(values) == {"event", "status"}


def test_what_lies_between_two_times_is_not_read(session, monkeypatch):
    """Of a time and an earlier one the spans are counted and read there only; a selection within the other is one."""
    early, late = (T0, T0 + 80 * SECOND), (T0 + 300 * SECOND, T0 + 380 * SECOND)
    read = []
    relation = session.relation
    monkeypatch.setattr(session, "relation", lambda signal, window, *more, **named: (
        read.append(window), relation(signal, window, *more, **named))[1])  # fmt: skip

    for window, baseline in ((late, early), (early, late)):
        asked = DifferenceQuestion(SpanQuestion(Window(*window)), baseline=Selection("", *baseline))
        answer = find_differences(session, asked, 30)
        assert [(answer[side]["spans"], answer[side]["errors"]) for side in ("selected", "baseline")] == [(80, 10)] * 2
    assert all(each.end_ns <= early[1] or each.start_ns >= late[0] for each in read)

    answer = find_differences(session, DifferenceQuestion(SPANS, baseline=Selection("", *early)), 30)
    assert (answer["selected"]["spans"], answer["baseline"]["spans"]) == (400, 0)


def test_filters_of_an_answer_find_what_they_are_about(session):
    """Each condition parses, finds as many spans as it says, and its opposite all others."""
    question = DifferenceQuestion(SPANS, Selection(min_ns=500 * MS))
    for value in found_by_key(session, question)[0].values():
        parse_filter(value["opposite"])
        counts = [
            sum(group["spans"] for group in group_spans(session, SpanQuestion(WINDOW, text), ["kind"], 5)["groups"])
            for text in (value["filter"], value["opposite"])
        ]
        assert counts[0] == value["selected"] + value["baseline"], value
        assert sum(counts) == 400, value


@pytest.mark.parametrize(
    ("question", "counts", "first"),
    [
        # two filters; what they name is no difference
        (DifferenceQuestion(SPANS, Selection('tenant = "acme"'), Selection('tenant = "t1"')), (100, 60), "event"),
        # two times
        (DifferenceQuestion(SpanQuestion(Window(T0 + 200 * SECOND, T0 + 400 * SECOND)),
                            baseline=Selection(start_ns=T0, end_ns=T0 + 200 * SECOND)), (200, 200), "service.version"),
        # an area: both
        (DifferenceQuestion(SPANS, Selection("", T0 + 100 * SECOND, T0 + 300 * SECOND, MS, 30 * MS)), (150, 250),
         "cache.hit"),
        # a release from its first span on; its version is no news
        (DifferenceQuestion(SPANS, release="2.0"), (200, 200), None),
    ],
)  # fmt: skip
def test_every_way_to_select(session, question, counts, first):
    """Spans are selected by filter, time, duration and release, and stand beside the rest or what is asked for."""
    values, answer = found_by_key(session, question)
    assert (answer["selected"]["spans"], answer["baseline"]["spans"]) == counts
    assert next(iter(values), None) == first


@pytest.mark.parametrize(
    ("question", "field"),
    [
        (DifferenceQuestion(SPANS), "selected"),
        (DifferenceQuestion(SPANS, Selection("a = ")), "selected"),
        (DifferenceQuestion(SPANS, Selection("a = b"), Selection("a ~ (")), "baseline"),
        (DifferenceQuestion(SPANS, release="3.0"), "release"),
        (DifferenceQuestion(SPANS, baseline=Selection(start_ns=5)), "baseline_end"),
        (DifferenceQuestion(SPANS, baseline=Selection(start_ns=5, end_ns=4)), "baseline_end"),
    ],
)
def test_a_bad_question_names_its_field(session, question, field):
    """Nothing selected, a filter that can't be read, a release that is not there, half a time."""
    with pytest.raises(BadQuestionError) as caught:
        find_differences(session, question, 10)
    assert caught.value.field == field
    assert caught.value.hint or field != "selected"


def test_large_groups_are_read_in_part(session, monkeypatch):
    """More spans than are read are counted exactly, and their shares are those of a part chosen by chance."""
    monkeypatch.setattr("spanglass_server.query.differences.sampling.MOST_READ", 60)
    values, answer = found_by_key(session, DifferenceQuestion(SPANS, Selection(min_ns=500 * MS)))
    assert (answer["selected"]["spans"], answer["baseline"]["spans"]) == (100, 300)
    assert 30 <= answer["selected"]["counted"] < 100
    assert 30 <= answer["baseline"]["counted"] < 120
    assert values["event"]["selected_share"] == 1.0


def test_a_heatmap_counts_every_span_once(session):
    """Spans are in the cell of their start and duration, failures are counted by step; no spans have no rows."""
    heatmap = latency_heatmap(session, SPANS, 4)
    rows, cells = heatmap["rows"], heatmap["cells"]
    assert (heatmap["step_s"], heatmap["spans"]) == (120, 400)
    full = {(row["low_ns"], row["high_ns"]): sum(line) for row, line in zip(rows, cells, strict=True) if any(line)}
    assert [count for (low, high), count in full.items() if low <= 20 * MS < high] == [300]
    assert [count for (low, high), count in full.items() if low <= 900 * MS < high] == [100]
    assert rows[0]["low_ns"] == 0
    assert all(one["high_ns"] == two["low_ns"] for one, two in pairwise(rows))
    assert sum(heatmap["errors"]) == 50
    nothing = latency_heatmap(session, SpanQuestion(WINDOW, "name = nobody"), 4)
    assert (nothing["rows"], nothing["cells"], nothing["spans"]) == ([], [], 0)
