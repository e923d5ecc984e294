"""Parents of spans where several share one id, as the two halves of a call of Zipkin's senders do."""

from __future__ import annotations

import itertools

import pytest

from spanglass_core.traces.trace_nodes import Span
from spanglass_core.traces.trace_tree import build_tree


def span(name, parent=None, *, service="front", kind="internal", start=0, duration=100, host=""):
    """Make a span whose id is the first letter of its name: ``Bs`` and ``Bc`` share one."""
    parent_id = parent.encode() if parent is not None else None
    clock = host or f"service {service}"
    return Span(name[:1].encode(), parent_id, clock, start, duration, service=service, kind=kind), name


ROOT = span("A", kind="server", duration=1000)
CLIENT = span("Bc", "A", kind="client", start=100, duration=500)
SERVER = span("Bs", "A", kind="server", service="back", start=200, duration=300)
QUERY = span("C", "B", kind="client", service="back", start=300)


def parents(*named):
    """Return the name of each span's parent, the same in whatever order the spans arrive."""
    found = []
    for arrived in itertools.permutations(named) if len(named) < 6 else [named, named[::-1]]:
        names = [name for _, name in arrived]
        tree = build_tree(one for one, _ in arrived)
        found.append({names[node.index]: names[node.parent.index] if node.parent else None for node in tree.nodes})
    assert all(one == found[0] for one in found)
    return {name: found[0][name] for _, name in named}


def test_both_halves_of_a_call():
    """The server half stands below the client half, and what its service does below the server half."""
    dns = span("D", "B", start=120)

    assert parents(ROOT, CLIENT, SERVER, QUERY, dns) == {"A": None, "Bc": "A", "Bs": "Bc", "C": "Bs", "D": "Bc"}


@pytest.mark.parametrize(("half", "parent"), [(CLIENT, "Bc"), (SERVER, "Bs")])
def test_one_half_alone(half, parent):
    """While only one half is there it stands below the parent it names, and all children below it."""
    assert parents(ROOT, half, QUERY) == {"A": None, half[1]: "A", "C": parent}


def test_a_third_service_hangs_from_the_caller():
    """A child of neither service belongs to the client half."""
    other = span("D", "B", service="cache", kind="server", start=400)

    assert parents(ROOT, CLIENT, SERVER, other)["D"] == "Bc"


def test_the_server_half_may_lack_the_parent():
    """A server half that names no parent, its own id or one that has not arrived still belongs to its client half."""
    for parent in (None, "B", "Z"):
        server = span("Bs", parent, kind="server", service="back", start=200)
        assert parents(ROOT, CLIENT, server) == {"A": None, "Bc": "A", "Bs": "Bc"}


def test_a_shared_id_that_is_its_own_parent():
    """Where both halves name their own id as parent, the client half is the top, and the circle is told."""
    client, server = (
        span(name, "B", kind=kind, service=service, start=start)
        for name, kind, service, start in (("Bc", "client", "front", 100), ("Bs", "server", "back", 50))
    )

    assert parents(client, server, QUERY) == {"Bc": None, "Bs": "Bc", "C": "Bs"}
    assert {"missing_root", "cycle"} <= {*build_tree([client[0], server[0]]).warnings}


def test_messages():
    """A consumer stands below the producer that shares its id."""
    producer = span("Bp", "A", kind="producer", start=100)
    consumer = span("Bk", "A", kind="consumer", service="mail", start=5000)

    assert parents(ROOT, producer, consumer) == {"A": None, "Bp": "A", "Bk": "Bp"}


def test_a_retry_under_one_id():
    """Of two client halves each server half belongs to the one that ran last when it began."""
    first = span("Bc1", "A", kind="client", start=100, duration=50)
    second = span("Bc2", "A", kind="client", start=200, duration=50)
    servers = [span(f"Bs{at}", "A", kind="server", service="back", start=at, duration=10) for at in (110, 210)]

    assert parents(ROOT, first, second, *servers) == {
        "A": None, "Bc1": "A", "Bc2": "A", "Bs110": "Bc1", "Bs210": "Bc2",
    }  # fmt: skip


def test_two_instances_of_one_service():
    """Children belong to the half of their own host, where a service answered twice under one id."""
    halves = [span(f"Bs{host}", "A", kind="server", service="back", host=host, start=200) for host in "xy"]
    children = [
        span(f"{name}", "B", service="back", host=host, start=210) for name, host in zip("CD", "xy", strict=True)
    ]

    assert parents(ROOT, CLIENT, *halves, *children) == {
        "A": None, "Bc": "A", "Bsx": "Bc", "Bsy": "Bc", "C": "Bsx", "D": "Bsy",
    }  # fmt: skip


def test_a_service_that_calls_itself():
    """Within one service, what ran before the server half began belongs to the client half, and calls do too."""
    server = span("Bs", "A", kind="server", start=200, duration=300)
    before, during = span("C", "B", start=150), span("D", "B", start=250)
    called = span("E", "B", kind="server", start=260)

    assert parents(ROOT, CLIENT, server, before, during, called) == {
        "A": None, "Bc": "A", "Bs": "Bc", "C": "Bc", "D": "Bs", "E": "Bc",
    }  # fmt: skip


def test_an_id_shared_by_accident():
    """Spans of other kinds, and a callee whose own parent is there, stay below the parents they name."""
    other = span("Bx", "C", kind="server", service="back", start=310)
    internal = span("Bi", "A", start=400)

    assert parents(ROOT, CLIENT, internal, span("C", "A", start=300), other) == {
        "A": None, "Bc": "A", "Bi": "A", "C": "A", "Bx": "C",
    }  # fmt: skip


def test_many_spans_of_one_id():
    """A sender that gives every span the same id costs no more than others: 40 000 spans link in one pass."""
    halves = [span("B", "A", kind="server" if at % 2 else "client", start=at, duration=1)[0] for at in range(20_000)]
    children = [span("C", "B", start=at)[0] for at in range(20_000)]

    assert len(build_tree([*halves, *children]).nodes) == 40_000
