"""An application with its profiler on, as a process of its own: what its threads and its child were in."""

from __future__ import annotations

import subprocess
import sys
import time

#: Handles requests in threads, in tasks of a loop and in a forked child, until a file is there; prints the id of the
#: first one's trace. Whatever happens, it ends after a minute.
APPLICATION = """
import asyncio, os, sys, threading, time
from spanglass.profiling import profiler
profiler.TELL_EVERY_NS = 100_000_000
import spanglass
spanglass.configure(service_name="shop", endpoint=sys.argv[1], profiler=True, profiler_rate=100, metrics=False)
END = time.monotonic() + 60

def is_over():
    return os.path.exists(sys.argv[2]) or time.monotonic() > END

def total_of_cart():
    while not is_over():
        sum(range(500))

def wait_for_stock():
    while not is_over():
        time.sleep(0.01)

async def price():
    total_of_cart()

async def order():
    with spanglass.span("async order"):
        await asyncio.gather(price())

def handle():
    with spanglass.span("POST /orders") as span:
        print(f"{span.otel.get_span_context().trace_id:032x}", flush=True)
        with spanglass.span("check stock"):
            wait_for_stock()

threads = [threading.Thread(target=handle), threading.Thread(target=lambda: asyncio.run(order()))]
for thread in threads:
    thread.start()
pid = os.fork()
if pid == 0:
    with spanglass.span("in the child"):
        total_of_cart()
    spanglass.shutdown()
    os._exit(0)
for thread in threads:
    thread.join()
os.waitpid(pid, 0)
spanglass.shutdown()
"""
PATIENCE_S = 60


def functions(server, **asked):
    """The application's own functions of a profile, by what they took."""
    answer = server.get("/profiles", **asked)
    return answer, {row["function"] for row in answer["functions"] if row["module"] == "__main__"}


def until(server, wanted):
    """Wait until the server has stacks of all these operations; return the answer."""
    ends = time.monotonic() + PATIENCE_S
    answer = None
    while time.monotonic() < ends:
        answer = server.get("/profiles")
        if wanted <= {row["operation"] for row in answer["operations"]}:
            return answer
        time.sleep(0.05)
    raise AssertionError(answer)


def test_stacks_of_threads_tasks_and_children(server, tmp_path):
    """Each operation has the functions that ran for it, an outer span those of spans within; no log shows them."""
    over = tmp_path / "over"
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", APPLICATION, server.url, str(over)],
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
    try:
        trace_id = process.stdout.readline().strip()
        until(server, {"POST /orders", "async order", "in the child"})
        over.touch()
        process.communicate(timeout=PATIENCE_S)
    finally:
        over.touch()
        process.kill()
        process.communicate()
    assert functions(server, operation="POST /orders")[1] >= {"handle", "wait_for_stock"}
    assert functions(server, operation="async order")[1] >= {"price", "total_of_cart"}
    assert "total_of_cart" in functions(server, operation="in the child")[1]
    answer, found = functions(server, trace_id=trace_id)
    assert "wait_for_stock" in found
    assert "total_of_cart" not in found
    (root,) = [span for span in server.get(f"/traces/{trace_id}")["spans"] if span["name"] == "POST /orders"]
    below, _ = functions(server, trace_id=trace_id, span_id=root["span_id"])
    assert below["wall_ns"] == answer["wall_ns"] > 0
    assert server.get("/logs")["logs"] == []
