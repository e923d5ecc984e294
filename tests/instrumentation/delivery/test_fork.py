"""A forked child delivers by itself: its own queue, thread, connection and counts."""

from __future__ import annotations

import gc
import os
import signal

import pytest

# Python 3.12 warns of what is tested here
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_parent_and_child_send_what_each_of_them_ended(new_server, new_delivery, protocol):
    """The parent has sent before it forks; then both send: the child neither what the parent queued nor its counts."""
    server = new_server()
    server.start()
    url = server.url if protocol == "http/protobuf" else f"http://127.0.0.1:{server.grpc_port}"
    delivery = new_delivery(url, protocol=protocol)
    delivery.end_spans("before")
    assert delivery.flush()
    delivery.spans.queue._delay_s = 3600
    delivery.end_spans("queued in the parent")

    child = os.fork()
    if child == 0:
        delivery.end_spans("child")
        fine = delivery.flush() and (delivery.traces.sent, delivery.traces.lost) == (1, 0)
        os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    delivery.end_spans("parent")
    assert delivery.flush()

    names = [row["name"] for row in server.get("/spans", limit=100)["spans"]]
    assert sorted(names) == ["before", "child", "parent", "queued in the parent"]


def test_a_child_does_not_use_the_parents_connection(canned, new_delivery):
    """Each process opens a connection of its own."""
    delivery = new_delivery(canned.url)
    delivery.end_spans("parent")
    assert delivery.flush()
    child = os.fork()
    if child == 0:
        delivery.end_spans("child")
        os._exit(0 if delivery.flush() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    delivery.end_spans("parent again")
    assert delivery.flush()
    assert (canned.span_names(), len(canned.connections)) == (["parent", "child", "parent again"], 2)


def test_a_child_of_a_thread_that_waits_for_the_server_goes_on(hanging, new_delivery):
    """Forked while the parent's thread is inside a request, the child queues and sends with locks of its own."""
    delivery = new_delivery(hanging.url)
    delivery.end_spans("parent")
    assert not delivery.provider.force_flush(0)
    hanging.wait_for(1)
    child = os.fork()
    if child == 0:
        delivery.end_spans("child")
        os._exit(0 if delivery.flush() and delivery.traces.sent == 1 else 1)
    hanging.wait_for(2)
    hanging.go.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert delivery.flush()
    assert sorted(hanging.span_names()) == ["child", "parent"]


def test_a_child_ends_whatever_its_parents_connections_were_doing(canned, new_delivery):
    """The lock of a pool of connections that a thread of the parent held is free when the child drops the pool."""
    delivery = new_delivery(canned.url)
    delivery.end_spans("parent")
    assert delivery.flush()
    session = delivery.exporters.spans._courier._sender._session
    (pool,) = session.get_adapter(canned.url).poolmanager.pools._container.values()
    with pool.pool.mutex:
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            delivery.end_spans("child")
            fine = delivery.flush()
            del pool, session  # urllib3 empties a pool that goes away
            gc.collect()
            os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
