"""Filters about other spans of a trace find what a plain look at every pair of spans finds."""

from __future__ import annotations

import operator
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.backend.conftest import TableSession

from spanglass_server.query.attributes.facets import complete_values, count_facets
from spanglass_server.query.attributes.keys import complete_keys
from spanglass_server.query.attributes.unknown_keys import unknown_keys
from spanglass_server.query.kept_columns.matching import batch_of_rows
from spanglass_server.query.language import FilterError, parse_filter
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.language.parsing.ast import And, Compare, Not, Or, Related, Relation
from spanglass_server.query.logs.search import search_logs
from spanglass_server.query.matching import SpanQuestion, match_spans
from spanglass_server.query.structure import few_traces
from spanglass_server.query.structure.compiling import check_filter
from spanglass_server.query.structure.kept_extents import MOST_ROWS, Extents, Reading, joined, traces_at_least
from spanglass_server.query.structure.kept_filter import kept_filter
from spanglass_server.query.structure.kept_relatives import own_rows, related_rows
from spanglass_server.query.structure.relatives import reach
from spanglass_server.query.traces.search import Page, search_traces
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME, Window

SECOND = 1_000_000_000
WINDOW = Window(1000 * SECOND, 2000 * SECOND)


def span(name, parent=None, *, trace=1, service="web", start=1500.0, duration=1.0, **more):
    """Make a stored span; its id is its name's letter, times are in seconds."""
    return {
        "trace_id": bytes([trace]) * 16,
        "span_id": name[0].encode() * 8,
        "parent_span_id": parent.encode() * 8 if parent else None,
        "resource.service.name:str": service,
        "name": name,
        "kind": 2,
        "start_time_ns": int(start * SECOND),
        "duration_ns": int(duration * SECOND),
        **more,
    }


#: a ─ b ─ c (failed), d (sent twice), e; r ─ s is another trace; the parent of g is not stored.
SPANS = [
    span("a"),
    span("b", "a", service="shop", start=1500.1),
    span("c", "b", service="db", start=1500.2, status_code=2),
    span("d", "b", service="db", start=1500.3, duration=0.1),
    span("d", "b", service="db", start=1500.3, duration=0.1),
    span("e", "b", service="mail", start=1500.4),
    span("r", trace=2, start=1600, duration=30),
    span("s", "r", trace=2, service="shop", start=1601),
    span("g", "x", trace=3, service="db", start=1700),
]


def found(session, text, window=WINDOW, *, part=0):
    """The names of the spans that a filter finds, each once, in order; ``part`` by which narrowing, none for 0."""
    matching = match_spans(session, SpanQuestion(window, text), in_parts=part > 0)
    for _ in range(part):
        narrowed = matching.narrowed(window)
    matching = narrowed if part else matching
    relation, where = matching.relation(session, ("name",)), matching.where
    sql = f"SELECT DISTINCT name FROM {relation.text} WHERE {where.text} ORDER BY name"  # noqa: S608 - under test
    return " ".join(row["name"] for row in session.rows(sql, where.parameters))


def kept(session, text, window=WINDOW):
    """The same out of columns in memory, in two batches; None for filters that are left to SQL."""
    table = session.connection.execute("SELECT * FROM stored_spans").to_arrow_table()
    batches = [batch_of_rows(table.slice(0, 2)), batch_of_rows(table.slice(2))]
    wanted = kept_filter(parse_filter(text), session.columns(Signal.SPANS), [])
    if wanted is None:
        return None
    places = related_rows(batches, wanted, own_rows(batches, wanted, window), partial(reach, window))
    names = {batch.columns(["name"])["name"].take(of)[at].as_py()
             for batch, of in zip(batches, places, strict=True) for at in range(len(of))}  # fmt: skip
    return " ".join(sorted(names))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("child(service:db)", "b"),
        ("child(service:shop)", "a r"),
        ("child()", "a b r"),
        ("child() = 0", "c d e g s"),
        ("child(service:db) >= 2", "b"),  # the copy of d is no third one
        ("child(service:db) > 2", ""),
        ("child(service:db) = 2", "b"),
        ("child(service:db) != 2", "a c d e g r s"),
        ("child(service:db) < 2 service:web", "a r"),
        ("child():3", "b"),
        ("CHILD(status:error)", "b"),
        ("not child(service:db)", "a c d e g r s"),
        ("-child()", "c d e g s"),
        ("parent(service:shop)", "c d e"),
        ("parent(child(status:error))", "c d e"),
        ("parent()", "b c d e s"),
        ("parent() = 0", "a g r"),
        ("descendant(status:error)", "a b"),
        ("descendant(service:db) >= 2", "a b"),
        ("descendant() > 3", "a"),
        ("descendant() <= 0", "c d e g s"),
        ("ancestor(service:web)", "b c d e s"),
        ("ancestor(service:web) ancestor(service:shop)", "c d e"),
        ("ancestor() = 2", "c d e"),
        ("sibling(status:error)", "d e"),
        ("sibling(service:db)", "c d e"),
        ("sibling(service:db) >= 2", "e"),
        ("sibling() = 2", "c d e"),
        ("sibling() = 0", "a b g r s"),
        ("root(service:web)", "a b c d e r s"),
        ("root() = 0", "g"),
        ("trace(service:mail) service:db", "c d"),
        ("trace(service:db) = 2", "a b c d e"),
        ("not trace(service:shop)", "g"),
        ("trace.services = mail root:true", "a"),
        ("trace.services = db and trace.services = shop", "a b c d e"),
        ("trace.services != mail", "g r s"),
        ("trace.services in (mail, nobody)", "a b c d e"),
        ("trace.services not in (mail, web)", "g"),
        ("trace.services exists and trace.duration exists", "a b c d e g r s"),
        ('trace.services ~ "^m"', "a b c d e"),
        ("trace.duration > 2s", "r s"),
        ("trace.duration <= 1s", "g"),
        ("trace.duration in (30s, 1s)", "g r s"),
        ("trace.spans = 5", "a b c d e"),
        ("trace.spans < 2", "g"),
        ("trace.errors = 0 and trace.spans != 1", "r s"),
        ("trace.errors >= 1 or service:mail", "a b c d e"),
        ('"trace.spans" = 5', ""),
        ("child(trace.spans = 2)", "r"),
        ("child (service)", ""),  # with a space it is a word and a group
    ],
)
def test_spans_found(tree, text, names):
    """Each relation, count and figure of a trace finds its spans, and its negation all others."""
    assert found(tree, text) == names
    others = set("abcdegrs") - set(names.split())
    assert found(tree, f"not ({text})") == " ".join(sorted(others))


LOGS = [
    {"time_ns": 1500 * SECOND, "trace_id": b"\x02" * 16, "body": "late"},
    {"time_ns": 1600 * SECOND, "trace_id": None, "body": "alone"},
]


@pytest.fixture(scope="module")
def tree():
    """A session over ``SPANS``."""
    session = TableSession(spans=SPANS, logs=LOGS)
    yield session
    session.close()


COMPARED = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _others(spans, own):
    """The spans that stand to one in each relation, by the relation's name; each an id once."""
    parents = {(span["trace"], span["id"]): span["parent"] for span in spans}

    def up(span):
        seen, parent = [], span["parent"]
        while parent is not None and parent not in seen:
            seen.append(parent)
            parent = parents.get((span["trace"], parent))
        return seen

    inside = [span for span in spans if span["trace"] == own["trace"]]
    return {
        Relation.CHILD: [span for span in inside if span["parent"] == own["id"]],
        Relation.DESCENDANT: [span for span in inside if own["id"] in up(span)],
        Relation.PARENT: [span for span in inside if span["id"] == own["parent"]],
        Relation.ANCESTOR: [span for span in inside if span["id"] in up(own)],
        Relation.SIBLING: [
            span for span in inside if span is not own and span["parent"] == own["parent"] and own["parent"] is not None
        ],
        Relation.ROOT: [span for span in inside if span["parent"] is None],
        Relation.TRACE: inside,
    }


def _matches(tree, spans, own):
    match tree:
        case And(terms):
            return all(_matches(term, spans, own) for term in terms)
        case Or(terms):
            return any(_matches(term, spans, own) for term in terms)
        case Not(term):
            return not _matches(term, spans, own)
        case Compare(_, _, value):
            return own["service"] == value.text
        case Related(relation, term, sign, count):
            matching = [span for span in _others(spans, own)[relation] if _matches(term, spans, span)]
            return COMPARED[sign](len(matching), count)


@st.composite
def forests(draw):
    """Spans of two traces; the parent of each is an earlier one, none, or one that is not stored."""
    spans = []
    for number in range(draw(st.integers(1, 9))):
        trace = draw(st.integers(1, 2))
        before = [span["id"] for span in spans if span["trace"] == trace]
        parent = draw(st.sampled_from([None, 200, *before]))
        spans.append({"trace": trace, "id": number + 1, "parent": parent, "service": draw(st.sampled_from("xy"))})
    return spans


leaves = st.sampled_from(["service:x", "service:y", ""])
counts = st.sampled_from(["", *(f" {sign} {count}" for sign in COMPARED for count in (0, 1, 2))])
related = st.builds("{}({}){}".format, st.sampled_from([*Relation]), leaves, counts)
filters = st.one_of(
    related,
    st.builds("{}({} {}){}".format, st.sampled_from([*Relation]), leaves, related, counts),
    st.builds("service:x ({} or not {})".format, related, related),
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spans=forests(), text=filters, few=st.sampled_from([0, 1, 20]), part=st.sampled_from([0, 1, 2]))
def test_any_forest(monkeypatch, spans, text, few, part):
    """What is found in random forests is what a look at all spans finds, whichever way traces are left out before."""
    monkeypatch.setattr(few_traces, "_FEW_RECORDS", few)
    stored = [
        span(
            str(one["id"]), trace=one["trace"], service=one["service"], start=1500 + one["id"] / 10,
        )
        | {"span_id": bytes([one["id"]]) * 8, "parent_span_id": one["parent"] and bytes([one["parent"]]) * 8}
        for one in spans
    ]  # fmt: skip
    session = TableSession(spans=stored)
    try:
        wanted = {str(one["id"]) for one in spans if _matches(parse_filter(text), spans, one)}
        assert found(session, text, part=part) == " ".join(sorted(wanted))
        assert kept(session, text) in (None, " ".join(sorted(wanted)))
    finally:
        session.close()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("child(service:db)", "b"),
        ("descendant(status:error)", "a b"),
        ("ancestor(service:shop) service:db", "c d"),
        ("parent(service:shop) ancestor(name:a)", "c d e"),
        ("trace(service:mail) root(service:web) service:shop", "b"),
        ("descendant()", "a b r"),
        ("descendant(service:nobody)", ""),
        ("trace.duration > 2s", "r s"),
        ("trace.duration <= 1s", "g"),
        ("trace.duration > 2s service:shop", "s"),
        ("trace.duration = 1400ms trace.duration < 2s child(service:db)", "b"),
        ("trace.duration > 1h service:shop", ""),
        ("trace.duration != 1s", None),
        ("trace.duration in (30s, 1s)", None),
        ("trace.duration > 2s or service:mail", None),
        ("trace.spans > 2", "a b c d e"),
        ("trace.spans = 5 trace.errors = 1 service:db", "c d"),
        ("trace.spans > 5", ""),
        ("trace.errors < 1", "g r s"),
        ("trace.services = db and trace.services != mail", "g"),
        ("trace.services = shop and trace.services != mail", "r s"),
        ("trace.services exists", None),
        ("sibling(service:db)", "c d e"),
        ("sibling(service:db) > 1", "e"),
        ("sibling(service:db) < 2 parent()", "b c d s"),
        ("child(service:db) >= 2", "b"),
        ("not child()", "c d e g s"),
        ("not child(service:db) = 2 child()", "a r"),
        ("descendant(service:db) = 2", "a b"),
        ("ancestor() > 1", "c d e"),
        ("trace(service:db) > 1 parent() = 0", "a"),
        ("root() = 1 parent(name:r)", "s"),
        ("child(child(service:db))", None),
        ("child(service:db) or service:mail", None),
    ],
)
def test_columns_in_memory_say_the_same(tree, text, names):
    """Filters of comparisons, of spans and of one level of others, are looked up there; all else is left to SQL."""
    assert kept(tree, text) == names
    assert names in (None, found(tree, text))


def test_ids_of_other_lengths_are_left_to_sql(open_tables):
    """They are no numbers of eight bytes."""
    session = open_tables(spans=[span("a"), {**span("b", "a"), "span_id": b"b"}])
    wanted = kept_filter(parse_filter("descendant(name:b)"), session.columns(Signal.SPANS), [])
    batch = batch_of_rows(session.connection.execute("SELECT * FROM stored_spans").to_arrow_table())
    assert related_rows([batch], wanted, own_rows([batch], wanted, WINDOW), lambda _: WINDOW) is None
    assert found(session, "descendant(name:b)") == "a"


@pytest.mark.parametrize(
    ("condition", "value", "traces"),
    [
        ('"duration_ns" > ?', 20 * SECOND, {2}),
        ('"duration_ns" >= ?', 30 * SECOND, {2}),
        ('"duration_ns" > ?', 30 * SECOND, set()),
        ('"spans" >= ?', 5, {1}),  # the copy of d counts here: it may only be too many
        ('"duration_ns" > ?', 1, None),  # more than two
        ('"duration_ns" < ?', 1, None),
        ('"errors" > ?', 0, None),
    ],
)
def test_traces_of_a_figure_are_told_by_what_is_kept(tree, condition, value, traces):
    """No trace is missing for which a condition may hold; what cannot be told so is left to SQL, and many traces."""
    found = traces_at_least(tree, WINDOW, Sql(condition, (value,)), Reading(2, MOST_ROWS))
    assert (found and {trace_id[0] for trace_id in found}) == (traces or (None if traces is None else frozenset()))


def test_what_is_kept_of_traces_is_used_for_parts_of_a_range():
    """What nobody has read yet is not read for a part; once it is kept, traces of other times are left out."""
    session = TableSession(spans=SPANS)
    condition, part = Sql('"spans" >= ?', (1,)), Window(1650 * SECOND, 2000 * SECOND)
    assert traces_at_least(session, part, condition, Reading(2, 0)) is None
    assert traces_at_least(session, part, condition, Reading(2, MOST_ROWS)) == {b"\x03" * 16}
    assert traces_at_least(session, part, condition, Reading(2, 0)) == {b"\x03" * 16}
    session.close()


def test_a_trace_in_two_parts_is_one():
    """Its spans ran from the first of either part to the last, and are counted together; others stay apart."""
    ids = [np.frombuffer(bytes([number]) * 16, np.uint64) for number in (1, 2, 3)]
    first = Extents(np.array(ids[:2]), np.array([10, 20]), np.array([15, 25]), np.array([1, 2]))
    second = Extents(np.array(ids[1:]), np.array([18, 30]), np.array([22, 31]), np.array([3, 4]))

    whole = joined([first, second])
    assert {
        one.tobytes()[0]: tuple(figures)
        for one, *figures in zip(
            whole.ids, whole.first_ns.tolist(), whole.last_ns.tolist(), whole.rows.tolist(), strict=True
        )
    } == {1: (10, 15, 1), 2: (18, 25, 5), 3: (30, 31, 4)}


def test_parts_of_a_range_in_which_few_traces_ran():
    """The newest or oldest part has at most as many as are asked for, all of the range if they are fewer."""
    first, last = np.array([10, 20, 30, 40]), np.array([15, 45, 35, 45])
    extents = Extents(np.zeros((4, 2), np.uint64), first, last, np.ones(4, np.int64))
    whole = Window(0, 100)
    assert extents.part_with(whole, 4, descending=True) == whole
    for count, newest, oldest in ((3, (16, 100), (0, 40)), (2, (36, 100), (0, 30)), (1, (46, 100), (0, 20))):
        for (start_ns, end_ns), descending in ((newest, True), (oldest, False)):
            part = extents.part_with(whole, count, descending=descending)
            assert part == Window(start_ns, end_ns)
            assert len(extents.within(part).rows) <= count
    assert extents.part_with(Window(0, 45), 1, descending=True) is None
    assert extents.part_with(Window(20, 100), 1, descending=False) == Window(20, 30)
    assert extents.part_with(Window(30, 100), 1, descending=False) is None


def test_traces_with_chosen_ids_stay_apart():
    """Whatever numbers their ids are, and whichever part has them first; each is one trace over the parts."""
    spread, high = 0x9E3779B97F4A7C15, 1 << 63
    chosen = [(0, 7), (1, 7 ^ spread), (high, 7 ^ high), (2, 0), (0, 2 * spread % (1 << 64))]
    ids, one_each = np.array(chosen, np.uint64), np.ones(len(chosen), np.int64)
    parts = [Extents(ids[order], one_each, one_each, one_each) for order in (slice(None), slice(None, None, -1))]
    whole = joined(parts)
    assert sorted(map(tuple, whole.ids.tolist())) == sorted(chosen)
    assert whole.rows.tolist() == [2] * len(chosen)


def test_ids_of_spans_that_are_chosen_stay_apart(open_tables):
    """A parent's id that makes a span of another trace from it by a constant that anybody may read is no parent."""
    spread = 0x9E3779B97F4A7C15
    other = {
        **span("b", trace=2),
        "parent_span_id": (int.from_bytes(b"a" * 8, "little") ^ spread).to_bytes(8, "little"),
    }
    session = open_tables(spans=[span("a"), other, span("c", "a"), span("d", "b", trace=2)])
    assert kept(session, "child()") == found(session, "child()") == "a b"
    assert kept(session, "child(name:b)") == found(session, "child(name:b)") == ""
    assert kept(session, "parent(name:a)") == found(session, "parent(name:a)") == "c"


def test_parents_in_a_circle_end(open_tables):
    """Spans that are each other's parents, or their own, are searched like all others."""
    session = open_tables(spans=[span("a", "b"), span("b", "a"), span("c", "c"), span("d", "b")])
    assert found(session, "ancestor(name:a)") == "a b d"
    assert found(session, "descendant(name:d) >= 1") == "a b"
    assert found(session, "child(name:c)") == ""
    assert [kept(session, f"{relation}(name:a)") for relation in ("ancestor", "descendant")] == ["a b d", "a b"]


def test_others_may_lie_outside_of_the_range(tree):
    """Other spans of a trace count when they begin a little before or after the range that is asked for."""
    assert found(tree, "child(service:shop)", Window(1500 * SECOND, 1500 * SECOND + 1)) == "a"
    assert found(tree, "parent(service:shop)", Window(int(1500.15 * SECOND), 1501 * SECOND)) == "c d e"
    assert found(tree, "child(service:shop)", Window(1400 * SECOND, 1499 * SECOND)) == ""
    late = Window(int(1500.35 * SECOND), 1601 * SECOND)  # traces last as long as all of their spans
    assert found(tree, "trace.duration > 1300ms", late) == kept(tree, "trace.duration > 1300ms", late) == "e r"


@pytest.mark.parametrize("sort", ["time", "duration", "spans"])
def test_pages_of_traces(tree, sort):
    """Searches of traces find what the filter says, in any order, page by page, and as facets count it."""
    question, traces, cursor = SpanQuestion(WINDOW, "descendant(service:shop) or service:db"), [], None
    for _ in range(4):
        answer = search_traces(tree, question, Page(limit=1, sort=sort, cursor=cursor), 2000 * SECOND)
        traces += [trace["trace_id"][:2] for trace in answer["traces"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert sorted(traces) == ["01", "02", "03"]
    counted = count_facets(tree, Signal.SPANS, WINDOW, filter_text=question.filter, keys=["service.name"])
    assert [(each["value"], each["count"]) for each in counted["facets"][0]["values"]] == [("db", 4), ("web", 2)]


class MinuteSession(TableSession):
    """Tells as storage does, by the minute, when the spans of traces began."""

    def traces_outside(self, trace_ids, near, around):
        """Those with such a minute."""
        return {trace_id for trace_id, minute in self.trace_windows(trace_ids, around) if minute.within(near) != minute}

    def trace_windows(self, trace_ids, window=ALL_TIME):
        """Those of spans that begin in the window."""
        rows = self.rows("SELECT DISTINCT trace_id, start_time_ns // 60000000000 AS minute FROM stored_spans")
        found = [(row["trace_id"], Window(row["minute"] * 60 * SECOND, (row["minute"] + 1) * 60 * SECOND))
                 for row in rows if row["trace_id"] in set(trace_ids)]  # fmt: skip
        return [each for each in found if each[1].start_ns < window.end_ns and each[1].end_ns > window.start_ns]


#: Of 120 traces that begin in six hours every third has its other span 24 to 120 minutes after its first one.
LONG = [
    span(name, parent, trace=number, start=number * 130 + after, duration=1.0)
    for number in range(1, 121)
    for name, parent, after in (("a", None, 0), ("b", "a", 60 * (24 + number * 37 % 97) if number % 3 == 0 else 2))
]


@pytest.mark.parametrize("limit", [1, 7, 45])
@pytest.mark.parametrize("is_descending", [True, False])
def test_other_spans_are_looked_for_around_the_whole_range(limit, is_descending):
    """However small the part of the range that a search looks at first, what it says of traces is the same."""
    session = MinuteSession(spans=LONG)
    window = Window(0, 22_000 * SECOND)
    is_long = {number: number % 3 == 0 for number in range(1, 121)}
    for text, wanted, of in (
        ("trace.duration > 10s", True, 0),
        ("not trace.duration <= 10s", True, 0),
        ("trace.duration <= 10s", False, 0),
        ("trace.spans > 1 trace.duration > 10s", True, 0),
        ("child(name:b)", None, 0),
        ("name:a child(name:b) = 0", (), 0),
        ("parent(name:a)", None, 1),
        ("name:b not ancestor(name:a)", (), 1),
    ):
        starts = {one["trace_id"]: one["start_time_ns"] for one in LONG[of::2]
                  if wanted is None or is_long[one["trace_id"][0]] is wanted}  # fmt: skip
        expected = sorted(starts, key=lambda one: (starts[one], one), reverse=is_descending)[: 2 * limit]
        got, cursor = [], None
        for _ in range(2):
            page = Page(limit=limit, descending=is_descending, cursor=cursor)
            answer = search_traces(session, SpanQuestion(window, text), page, 30_000 * SECOND)
            got += [bytes.fromhex(trace["trace_id"]) for trace in answer["traces"]]
            cursor = answer["next_cursor"]
            if cursor is None:
                break
        assert got == expected, text
    session.close()


@pytest.mark.parametrize(
    ("text", "traces"),
    [
        ("trace.duration > 2s", ["02"]),
        ("trace.duration >= 1s service:db", ["01", "03"]),
        ("trace.duration < 5s ancestor(service:web)", ["01"]),
        ("trace.duration > 1h", []),
    ],
)
def test_pages_of_few_traces(tree, text, traces):
    """Where few traces can match, their rows are looked at by themselves, and in part after part."""
    for sort in ("time", "duration"):
        answer = search_traces(tree, SpanQuestion(WINDOW, text), Page(limit=5, sort=sort), 2000 * SECOND)
        assert sorted(trace["trace_id"][:2] for trace in answer["traces"]) == traces


def test_logs_by_their_trace(tree):
    """Log records are found by what their trace is; they have no children."""
    for text, bodies in (
        ("trace(service:shop)", ["late"]),
        ("trace.duration < 2s", []),
        ("root(service:web)", ["late"]),
        ("trace(service:shop) = 0", ["alone"]),
        ("not trace(service:shop) and body ~ .", ["alone"]),
        ("body:alone and trace(service:shop) = 0", ["alone"]),
        ("body ~ . and trace(service:nobody) = 0", ["alone", "late"]),
    ):
        records = search_logs(tree, WINDOW, filter_text=text)["logs"]
        assert [record["body"] for record in records] == bodies, text
    with pytest.raises(FilterError, match=r"logs have no child\(\)"):
        search_logs(tree, WINDOW, filter_text="child(service:shop)")


def test_completion(tree):
    """Fields of traces are offered and known; services complete as those of spans."""
    offered = [key["key"] for key in complete_keys(tree, Signal.SPANS, WINDOW, prefix="trace.")["keys"]]
    assert offered[:4] == ["trace.duration", "trace.errors", "trace.services", "trace.spans"]
    assert complete_values(tree, Signal.SPANS, WINDOW, "trace.services", prefix="m")["values"] == [
        {"value": "mail", "count": 1}
    ]
    unknown = unknown_keys(tree, Signal.SPANS, WINDOW, "trace.spans > 2 child(nothing = 1)")["unknown"]
    assert [(key["key"], key["column"]) for key in unknown] == [("nothing", 23)]


@pytest.mark.parametrize(
    ("text", "signal", "column", "message"),
    [
        ("child(status:500)", "spans", 14, "status is never '500'"),
        ("child(service:a", "spans", 16, "expected ), found the end of the filter"),
        ("child(a) >= x", "spans", 13, "'x' is no number of spans"),
        ("child(a) >= 2s", "spans", 13, "'2s' is no number of spans"),
        ("child(a) ~ 2", "spans", 10, "~ does not work with child()"),
        ("a child(b)", "logs", 3, "logs have no child()"),
        ("trace(a)", "metrics", 1, "metrics have no trace()"),
        ("trace.duration > 5", "spans", 18, "trace.duration is a duration: 5 needs a unit of time"),
        ("trace.spans > 5s", "spans", 15, "trace.spans is a number, not a duration"),
        ('trace.errors ~ "5"', "spans", 14, "~ does not work with trace.errors"),
        ('trace.errors !~ "5"', "spans", 14, "!~ does not work with trace.errors"),
        (" ".join(["child(a)"] * 11), "spans", 91, "the filter asks about too many other spans"),
    ],
)
def test_errors(text, signal, column, message):
    """What is wrong is told with its place."""
    with pytest.raises(FilterError) as raised:
        check_filter(parse_filter(text), Signal(signal))
    assert raised.value.column == column
    assert message in raised.value.message
