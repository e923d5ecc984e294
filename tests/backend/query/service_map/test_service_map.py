"""The service map: who calls whom, told by hand-made spans."""

from __future__ import annotations

import pytest

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.service_map import measuring
from spanglass_server.query.service_map.distribution import Figures, joined, measured
from spanglass_server.query.service_map.graph import Graph, Node
from spanglass_server.query.service_map.service_map import MapQuestion, service_map
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Part, Window

SECOND = 1_000_000_000
WINDOW = Window(1000 * SECOND, 1100 * SECOND)
INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = range(1, 6)
NUMBERS = iter(range(1, 10_000))


def span(kind, service, parent=None, *, start=1050, ms=10, **more):
    """Make a stored span of the trace of its parent, or of a new one."""
    number = next(NUMBERS)
    return {
        "trace_id": parent["trace_id"] if parent else number.to_bytes(16),
        "span_id": number.to_bytes(8),
        "parent_span_id": parent and parent["span_id"],
        "resource.service.name:str": service,
        "name": "x",
        "kind": kind,
        "start_time_ns": int(start * SECOND),
        "duration_ns": ms * 1_000_000,
        **{key.replace("__", "."): value for key, value in more.items()},
    }


def call(service, callee, parent=None, *, ms=10, status_code=0, start=1050, **more):
    """Make a client's span and the server's below it, which is faster."""
    client = span(CLIENT, service, parent, ms=ms, status_code=status_code, start=start, **more)
    return [client, span(SERVER, callee, client, ms=ms - 1, start=start)]


DATABASE = {"span.db.system.name:str": "postgresql", "span.db.namespace:str": "shop"}
ADDRESS = {"span.server.address:str": "stock.internal", "span.server.port:int": 8080}


def shop():
    """A shop: web calls stock twice, and a third time in vain; all else once."""
    web = span(SERVER, "web", ms=100)
    consumer = {"span.messaging.system:str": "kafka", "span.messaging.destination.name:str": "orders"}
    return [
        web,
        *call("web", "stock", web, ms=20, **ADDRESS),
        *call("web", "stock", web, ms=30, **ADDRESS),
        span(CLIENT, "web", web, ms=5, status_code=2, **ADDRESS),
        span(CLIENT, "stock", ms=4, **DATABASE),
        span(CLIENT, "stock", ms=8, **{**DATABASE, "span.server.address:str": "replica"}),
        span(CLIENT, "web", web, **{"span.server.address:str": "api.stripe.com", "span.server.port:int": 443}),
        span(CLIENT, "web", web, **{"span.server.address:str": "10.0.0.1", "span.server.port:int": 9}),
        span(CLIENT, "web", web, **{"span.peer.service:str": "mail"}),
        span(CLIENT, "web", web),  # calls nobody by name
        span(PRODUCER, "web", web, **consumer),
        span(CONSUMER, "mail", **consumer),
        span(SERVER, "batch", span(INTERNAL, "cron"), ms=7),
    ]


def edges(answer):
    """Show the calls: caller, callee, how many, how many failed, 95th percentile in milliseconds."""
    return sorted(
        f"{edge['caller']} > {edge['callee']} {edge['calls']} {edge['errors']} {edge['p95_ns'] // 1_000_000}"
        for edge in answer["edges"]
    )


WHOLE = [
    "queue:kafka:orders > service:mail 1 0 10",
    "service:stock > database:postgresql:shop 2 0 8",
    "service:web > external:10.0.0.1:9 1 0 10",
    "service:web > external:api.stripe.com 1 0 10",
    "service:web > queue:kafka:orders 1 0 10",
    "service:web > service:mail 1 0 10",
    "service:web > service:stock 3 1 30",
]


@pytest.mark.parametrize(
    ("first", "rate", "before"),
    [
        pytest.param(0, 0.01, 0.01, id="stored before both"),
        pytest.param(950, 0.01, 0.02, id="in the middle of the earlier range"),
        pytest.param(1050, 0.02, None, id="in the middle of the range"),
    ],
)
def test_rates_are_of_the_time_that_has_spans(open_tables, first, rate, before):
    """Of each range they are from the first span on that was ever stored, as rates of services are."""
    times = {first, 1050} | ({950} if before else set())
    spans = [one for start in sorted(times) for one in call("web", "stock", start=start)]
    (edge,) = service_map(open_tables(spans=spans), MapQuestion(WINDOW, earlier_ns=100 * SECOND))["edges"]
    assert edge["rate_per_s"] == pytest.approx(rate)
    assert (edge["before"] and edge["before"]["rate_per_s"]) == (before and pytest.approx(before))


def test_calls_between_services(open_tables):
    """Callees are told by the spans below calls, by what calls name, and by queues; calls in vain count too."""
    parents = [span(INTERNAL, "cron")]
    below = span(SERVER, "batch", parents[0], ms=7)
    answer = service_map(open_tables(spans=[*shop(), *parents, below]), MapQuestion(WINDOW))
    assert edges(answer) == sorted([*WHOLE, "service:cron > service:batch 1 0 7"])
    web = next(node for node in answer["nodes"] if node["id"] == "service:web")
    assert web == {
        "id": "service:web", "kind": "service", "name": "web", "system": "", "slot": 5, "calls": 1,
        "rate_per_s": 0.02, "errors": 0, "error_ratio": 0.0, "p95_ns": 100_000_000, "before": None,
    }  # fmt: skip
    database = next(node for node in answer["nodes"] if node["kind"] == "database")
    assert (database["system"], database["name"], database["calls"], database["slot"]) == (
        "postgresql",
        "shop",
        2,
        None,
    )
    assert (answer["left_out"], answer["sampled_callees"], answer["sampled_share"]) == (0, False, None)


def test_calls_of_spans_that_match(open_tables):
    """With a filter the calls of matching spans are shown, and who answered them."""
    session = open_tables(spans=shop())
    assert edges(service_map(session, MapQuestion(WINDOW, "status:error"))) == ["service:web > service:stock 1 1 5"]
    assert edges(service_map(session, MapQuestion(WINDOW, "child(service:stock)"))) == [
        "service:web > service:stock 2 0 30"
    ]
    assert service_map(session, MapQuestion(Window(0, SECOND)))["nodes"] == []


@pytest.fixture
def open_busy(open_tables, monkeypatch):
    """Open tables that know when their spans began, as storage does; slices of forty spans are read."""
    for name, value in (("_JOINED", 4), ("_SPANS_JOINED", 40), ("_MEASURED", 4), ("_SPANS_MEASURED", 40)):
        monkeypatch.setattr(measuring, name, value)

    def opened(spans):
        session, by_start = open_tables(spans=spans), sorted(each["start_time_ns"] for each in spans)
        parts = [
            Part(("part", number), Signal.SPANS, len(some), some[0], some[-1], frozenset())
            for number, some in enumerate([by_start[:20], by_start[20:]])
        ]
        monkeypatch.setattr(session, "parts", lambda *_: parts)
        return session

    return opened


def _served(seconds):
    return [each for second in seconds for each in call("web", "stock", start=second, **ADDRESS)]


def test_callees_of_slices(open_busy, monkeypatch):
    """Of a large range slices tell whom an address belongs to; all calls of the range are counted."""
    monkeypatch.setattr(measuring, "_MEASURED", 1000)
    answer = service_map(open_busy(_served(range(1000, 1100))), MapQuestion(WINDOW))
    assert (edges(answer), answer["sampled_callees"]) == (["service:web > service:stock 100 0 10"], True)


@pytest.mark.parametrize("hours", [0, 5, 23])
def test_calls_of_slices(open_busy, hours):
    """Of a range of very many spans slices are measured, and scaled up by their spans, whatever time has none."""
    window = Window(WINDOW.start_ns - hours * 36 * SECOND, WINDOW.end_ns)
    answer = service_map(open_busy(_served(range(1000, 1100))), MapQuestion(window))
    (edge,) = edges(answer)
    assert edge.startswith("service:web > service:stock ")
    assert int(edge.split()[3]) == pytest.approx(100, abs=2)
    assert (answer["sampled_callees"], answer["sampled_share"]) == (True, pytest.approx(0.2, abs=0.03))


def test_an_earlier_range(open_tables):
    """Beside an earlier range, what is new has nothing before, and what is gone has no calls now."""
    spans = [*call("web", "stock"), *call("web", "old", start=950), *call("web", "stock", start=950, ms=50)]
    answer = service_map(open_tables(spans=spans), MapQuestion(WINDOW, earlier_ns=100 * SECOND))
    both = {edge["callee"]: (edge["calls"], edge["before"] and edge["before"]["p95_ns"]) for edge in answer["edges"]}
    assert both == {"service:stock": (1, 50_000_000), "service:old": (0, 10_000_000)}
    assert answer["before"] == {
        "start_time": "1970-01-01T00:15:00.000000000Z",
        "end_time": "1970-01-01T00:16:40.000000000Z",
    }


def test_around_a_service(open_tables):
    """With a focus only what calls it and what it calls is left, so many calls away; a sibling is not."""
    spans = [*call("a", "b"), *call("b", "c"), *call("c", "d"), *call("a", "x")]
    session = open_tables(spans=spans)
    assert len(edges(service_map(session, MapQuestion(WINDOW, focus="b")))) == 2
    assert len(edges(service_map(session, MapQuestion(WINDOW, focus="b", hops=2)))) == 3
    with pytest.raises(BadQuestionError, match="no spans of service 'nobody'") as raised:
        service_map(session, MapQuestion(WINDOW, focus="nobody"))
    assert (raised.value.field, raised.value.code) == ("focus", "not_found")


def test_too_many_nodes():
    """Of too many nodes those with the most calls stay, with the edges between them."""
    nodes = {Node("service", name): Figures(calls) for name, calls in (("a", 3), ("b", 2), ("c", 1))}
    a, b, c = nodes
    whole = Graph(nodes, {(a, b): Figures(2), (b, c): Figures(1)})
    assert whole.busiest(2) == Graph({a: Figures(3), b: Figures(2)}, {(a, b): Figures(2)})


def test_percentiles_of_joined_groups():
    """The 95th percentile of one group is what was measured, that of several follows their sizes."""
    fast, slow = measured(90, 1, [10] * 20), measured(10, 2, [*[100] * 19, 500])
    assert (fast.p95_ns, slow.p95_ns, Figures().p95_ns) == (10, 100, None)
    both = joined((fast, slow))
    assert (both.calls, both.errors, both.p95_ns) == (100, 3, 100)
    assert fast.times(0.5) == Figures(45, 0.5, ((10, 2.25),) * 20)
