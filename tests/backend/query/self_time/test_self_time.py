"""Self time of spans over a range, folded by path: the rules of single traces, over many at once."""

from __future__ import annotations

from random import Random

from spanglass_core.traces.trace_nodes import Span
from spanglass_core.traces.trace_tree import build_tree
from spanglass_server.query.self_time import reading
from spanglass_server.query.self_time.answering import self_time
from spanglass_server.query.self_time.reading import SelfTimeQuestion
from spanglass_server.query.traces.identity import clock_name
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Part, Window

SECOND, MS = 1_000_000_000, 1_000_000
T0 = 1_795_000_000 * SECOND
WINDOW = Window(T0, T0 + 4000 * SECOND)
KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


def stored(trace, span_id, parent, name, service, start_ns, duration_ns, **more):
    """Make a stored span; ids are numbers."""
    return {
        "trace_id": trace.to_bytes(16, "big"), "span_id": span_id.to_bytes(8, "big"),
        "parent_span_id": None if parent is None else parent.to_bytes(8, "big"), "resource.service.name:str": service,
        "name": name, "kind": 1, "start_time_ns": start_ns, "duration_ns": duration_ns, **more,
    }  # fmt: skip


def listed(answer):
    """The paths of an answer with their own figures, by the names that lead to them."""
    above, found = [], {}
    for path in answer["paths"]:
        del above[path["depth"] :]
        above.append((path["service"], path["name"]))
        assert tuple(above) not in found
        found[tuple(above)] = path
    return found


def some_trace(random, number):
    """Draw a trace: late, overlapping, failed and moved calls of every kind, shared ids, parents that are not there.

    In some, spans stand in circles.
    """
    spans = []
    many = random.randint(1, 14)
    for place in range(many):
        parent = random.choice([None, *range(many if number % 4 == 0 else max(1, place)), 99])
        span_id = random.choice([place, place, place, random.randint(0, place)])
        kind = random.randint(0, 5)
        service, host = random.choice("abc"), random.choice([None, None, "one"])
        start_ns = T0 + number * SECOND + random.randint(0, 60)
        more = {"kind": kind, "status_code": random.choice([0, 2]), "resource.host.name:str": host}
        spans.append(stored(number, span_id + 1, None if parent is None else parent + 1, random.choice("xyz"), service,
                            start_ns, random.randint(0, 60), **more))  # fmt: skip
    identities = ("span_id", "kind", "resource.service.name:str", "start_time_ns", "duration_ns")
    return list({tuple(span[name] for name in identities): span for span in spans}.values())


def by_tree(spans):
    """Self time and number of spans by path, as the page of a single trace has them."""
    found = {}
    rows = dict(enumerate(spans))
    nodes = build_tree(
        Span(row["span_id"], row["parent_span_id"],
             clock_name(row["resource.host.name:str"], row["resource.service.name:str"]),
             row["start_time_ns"], row["duration_ns"], service=row["resource.service.name:str"],
             kind=KINDS[row["kind"]], failed=row["status_code"] == 2)
        for row in rows.values()
    ).nodes  # fmt: skip
    names = [row["name"] for row in rows.values()]
    above = []
    for node in nodes:
        del above[node.depth :]
        above.append((node.span.service, names[node.index]))
        spans_, self_ns = found.get(tuple(above), (0, 0))
        found[tuple(above)] = spans_ + 1, self_ns + node.self_time_ns
    return found


def test_paths_of_many_traces_are_those_of_each(open_tables):
    """Folded together, traces of any shape have the self times that each of them has on its own page."""
    random = Random(7)  # noqa: S311 - made-up traces
    traces = [some_trace(random, number) for number in range(1, 400)]
    expected = {}
    for spans in traces:
        for path, (count, self_ns) in by_tree(spans).items():
            before = expected.get(path, (0, 0))
            expected[path] = before[0] + count, before[1] + self_ns
    every = [span for spans in traces for span in spans]
    answer = self_time(open_tables(spans=every), SelfTimeQuestion(WINDOW), 20_000)
    found = {path: (one["spans"], one["self_time_ns"]) for path, one in listed(answer).items()}
    assert found == expected
    assert answer["self_time_ns"] == sum(self_ns for _, self_ns in expected.values())
    assert sum(one["self_time_ns"] for one in answer["operations"]) == answer["self_time_ns"]
    assert sum(path["work_ns"] for path in answer["paths"] if not path["depth"]) == answer["self_time_ns"]
    few = self_time(open_tables(spans=every), SelfTimeQuestion(WINDOW), 10)
    assert len(listed(few)) == 10
    assert few["paths_left_out"] == len(expected) - 10


def shop_trace(number):
    """A page that calls the shop, whose clock is off; both halves of the call have one id, and the shop asks twice."""
    start_ns = T0 + number * SECOND
    return [
        stored(number, 1, None, "GET /", "web", start_ns, 100 * MS, kind=2),
        stored(number, 2, 1, "GET", "web", start_ns + 10 * MS, 60 * MS, kind=3),
        stored(number, 2, 1, "GET /cart", "shop", start_ns - 5 * SECOND, 40 * MS, kind=2, status_code=2),
        *(stored(number, 3 + n, 2, "SELECT", "shop", start_ns - 5 * SECOND + 10 * MS, 20 * MS, kind=3) for n in (0, 1)),
        stored(number, 3, 2, "SELECT", "shop", start_ns - 5 * SECOND + 10 * MS, 20 * MS, kind=3),  # sent twice
    ]


def figures(answer):
    """Spans and milliseconds of self time by path."""
    return {" > ".join(name for _, name in path): (one["spans"], one["self_time_ns"] / MS)
            for path, one in listed(answer).items()}  # fmt: skip


def test_what_counts_and_where_paths_begin(open_tables):
    """A filter says what counts, service and operation where paths begin; of nothing there is nothing."""
    session = open_tables(spans=[span for number in range(10, 20) for span in shop_trace(number)])
    whole = {"GET /": (10, 400), "GET / > GET": (10, 200), "GET / > GET > GET /cart": (10, 200),
             "GET / > GET > GET /cart > SELECT": (20, 400)}  # fmt: skip
    answer = self_time(session, SelfTimeQuestion(WINDOW), 100)
    assert figures(answer) == whole
    assert (answer["spans"], answer["sampled_share"], answer["paths_left_out"]) == (50, None, 0)
    cart = listed(answer)[("web", "GET /"), ("web", "GET"), ("shop", "GET /cart")]
    assert (cart["errors"], cart["longest_ns"], cart["work_ns"]) == (10, 40 * MS, 600 * MS)
    assert (cart["longest_trace"], cart["longest_span"]) == (f"{19:032x}", f"{2:016x}")
    failed = self_time(session, SelfTimeQuestion(WINDOW, "status:error"), 100)
    assert figures(failed) == {"GET /": (0, 0), "GET / > GET": (0, 0), "GET / > GET > GET /cart": (10, 200)}
    assert [path["longest_trace"] for path in failed["paths"]][:2] == [None, None]
    assert figures(self_time(session, SelfTimeQuestion(WINDOW, service="shop"), 100)) == {
        "GET /cart": (10, 200), "GET /cart > SELECT": (20, 400)}  # fmt: skip
    assert figures(self_time(session, SelfTimeQuestion(WINDOW, service="web", operation="GET"), 100)) == {
        "GET": (10, 200), "GET > GET /cart": (10, 200), "GET > GET /cart > SELECT": (20, 400)}  # fmt: skip
    for empty in SelfTimeQuestion(Window(0, SECOND)), SelfTimeQuestion(WINDOW, service="nobody"):
        nothing = self_time(session, empty, 100)
        assert (nothing["spans"], nothing["self_time_ns"], nothing["paths"], nothing["operations"]) == (0, 0, [], [])


def test_slices_stand_for_the_range_and_deep_calls_for_the_last_path(open_tables, monkeypatch):
    """Of many spans some are read, and figures scaled up; circles are cut once, chains end at a depth."""
    session = open_tables(spans=[span for number in range(10, 3010) for span in shop_trace(number)])
    monkeypatch.setattr(reading, "MOST_SPANS", 3_000)
    part = Part(("all", 1), Signal.SPANS, 18_000, T0 + 10 * SECOND, T0 + 3010 * SECOND, frozenset())
    monkeypatch.setattr(session, "parts", lambda *_: [part])
    answer = self_time(session, SelfTimeQuestion(WINDOW), 100)
    assert 0.1 < answer["sampled_share"] < 0.3
    assert 13_500 < answer["spans"] < 16_500
    assert len(answer["paths"]) == 4
    assert 0.9 < answer["self_time_ns"] / (3000 * 120 * MS) < 1.1
    below = self_time(session, SelfTimeQuestion(WINDOW, "ancestor(service.name = shop)"), 100)
    assert figures(below).keys() >= {"GET / > GET > GET /cart > SELECT"}
    assert below["spans"] == round(2 / 5 * answer["spans"])

    chain = [stored(1, n + 1, n or None, f"call {n}", "web", T0, 2000 - n) for n in range(1000)]
    circle = [stored(2, 1, 2, "egg", "web", T0, 5), stored(2, 2, 1, "hen", "web", T0, 5)]
    never_set = stored(1, 9999, 1, "no clock", "web", 5 * SECOND, 1000)
    since_1970 = SelfTimeQuestion(Window(0, WINDOW.end_ns))
    answer = self_time(open_tables(spans=[*chain, *circle, never_set]), since_1970, 1000)
    deepest = max(answer["paths"], key=lambda path: path["depth"])
    assert (deepest["depth"], deepest["spans"], answer["spans"]) == (200, 800, 1002)
    assert answer["self_time_ns"] == 2000 + 5
    assert {path["name"] for path in answer["paths"] if not path["depth"]} == {"call 0", "egg"}


def test_durations_of_centuries_make_no_error(open_tables):
    """Sums beyond 63 bits end there, in totals, paths and operations alike."""
    absurd = [stored(1, 1, None, "GET /", "web", T0, 5 * 10**18),
              *(stored(1, number, 1, "SELECT", "web", T0 + number, 5 * 10**18) for number in (2, 3))]  # fmt: skip
    answer = self_time(open_tables(spans=absurd), SelfTimeQuestion(WINDOW), 100)
    largest = 2**63 - 1
    assert [(path["name"], path["work_ns"]) for path in answer["paths"]] == [("GET /", largest), ("SELECT", largest)]
    assert {one["operation"]: one["self_time_ns"] for one in answer["operations"]} == {"SELECT": largest, "GET /": 2}
    assert answer["self_time_ns"] == largest


def test_long_jobs_among_many_spans(open_tables):
    """A call of a long job takes its time off wherever it lies in it, however many other spans were read."""
    year = 366 * 86_400 * SECOND
    job = [stored(1, 1, None, "job", "batch", T0, 3 * year), stored(1, 2, 1, "wait", "batch", T0 + year, 2 * year)]
    many = [stored(number, 1, None, "call", "web", T0 + number, 1) for number in range(2, 100)]
    answer = self_time(open_tables(spans=[*job, *many]), SelfTimeQuestion(Window(T0, T0 + 2 * year)), 100)
    assert {path["name"]: path["self_time_ns"] for path in answer["paths"]} == {
        "wait": 2 * year,
        "job": year,
        "call": 98,
    }
