"""One exception is one occurrence of one issue, whoever tells it: real SDKs in processes of their own, a real server.

``OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN`` is set where an SDK may come to know it. Neither OpenTelemetry's packages for
Python, 1.45, nor those for Node, 0.223, do: they tell exceptions as span events, and as log records only where somebody
logs them.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from senders import Capture

from loadgen.server import SPANGLASS

PROGRAMS = Path(__file__).with_name("programs")
MODULES = ("failing", "web")
PLAIN, OURS = (sys.executable, "plain_sdk.py"), (sys.executable, "our_layer.py")
SIGNALS = "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN"
#: By name: the words of the command, and what is in its environment beside.
SENDERS = {
    "simple": ((*PLAIN, "simple"), {}),
    "batch": ((*PLAIN, "batch"), {}),
    "batch-logs": ((*PLAIN, "batch"), {SIGNALS: "logs"}),
    "batch-dup": ((*PLAIN, "batch"), {SIGNALS: "logs/dup"}),
    "run": ((SPANGLASS, "run", *OURS, "run"), {}),
    "configure": ((*OURS, "configure"), {}),
    "run-dup": ((SPANGLASS, "run", *OURS, "run"), {SIGNALS: "logs/dup"}),
}


def expected() -> dict[str, int]:
    """How often each way of the programs fails, read from their text: importing them would begin to trace."""
    found = {}
    for module in MODULES:
        tree = ast.parse((PROGRAMS / f"{module}.py").read_text())
        [ways] = [
            node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "WAYS"
        ]
        for key, value in zip(ways.keys, ways.values, strict=True):
            found[key.id if isinstance(key, ast.Name) else key.value] = value.value
    return found


def stored(server, sql: str) -> list[list[str]]:
    """Ask for rows of stored occurrences."""
    body = json.dumps({"sql": sql}).encode()
    return server.request("POST", "/api/v1/sql", body, {"Content-Type": "application/json"}).json()["rows"]


@pytest.fixture(scope="module")
def occurrences(shared_server):
    """Run every sender once, two at a time; gives (sender, way, issue key) of all stored occurrences."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SPANGLASS_"))}

    def run(name: str) -> None:
        words, more = SENDERS[name]
        ours = {
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment.name={name}",
            "OTEL_EXPORTER_OTLP_ENDPOINT": shared_server.url,
            "SPANGLASS_ENDPOINT": shared_server.url,
            "SPANGLASS_CONSOLE": "off",
        }
        done = subprocess.run(
            [*words, *MODULES], cwd=PROGRAMS, env=kept | ours | more, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, SENDERS))
    rows = stored(shared_server, "SELECT environment, message, issue_key FROM occurrences")
    words = expected()
    return [
        (sender, next(word for word in sorted(words, key=len, reverse=True) if word in message), key)
        for sender, message, key in rows
    ]


@pytest.mark.slow
@pytest.mark.parametrize("sender", SENDERS)
def test_each_exception_is_one_occurrence(occurrences, sender):
    """As span event, log record, both, through nested spans and frameworks, in loops: as often as it was raised."""
    assert Counter(way for name, way, _ in occurrences if name == sender) == expected()


@pytest.mark.slow
def test_all_senders_tell_of_the_same_issues(occurrences):
    """The same code that fails in the same way is one issue, by whichever SDK it is told."""
    keys = defaultdict(set)
    for _, way, key in occurrences:
        keys[way].add(key)
    assert {way: len(found) for way, found in keys.items()} == dict.fromkeys(expected(), 1)


@pytest.mark.slow
def test_the_list_of_issues_counts_them_all(occurrences, shared_server):
    """What the API says of the issues adds up to the stored occurrences."""
    listed = shared_server.get("/issues", last="1h", state="all")["issues"]
    assert sum(issue["events"] for issue in listed) == len(occurrences)
    assert len(listed) == len({key for _, _, key in occurrences})


#: What the program of tests/data/senders/node-errors does, and how often each way fails.
NODE_WAYS = {
    "span_event": 1,
    "nested_spans": 1,
    "log_record": 1,
    "both": 1,
    "logged_outside": 1,
    "twenty_spans": 20,
    "request": 1,
}


@pytest.mark.parametrize("logs_first", [False, True])
def test_exceptions_of_node_are_one_occurrence_each(server, logs_first):
    """As events of spans, log records, or both, of Node's SDK; whichever signal arrives first."""
    capture = Capture("node-errors", time.time_ns())
    for signal, body in sorted(capture.requests, reverse=not logs_first):
        server.request("POST", f"/v1/{signal}", body.encode(), {"Content-Type": "application/json"})
    rows = stored(server, "SELECT message, issue_key FROM occurrences")
    assert Counter(message for message, _ in rows) == NODE_WAYS
    assert len({key for _, key in rows}) == 1


def test_half_a_character_is_refused_with_its_place(server):
    """A lone surrogate in JSON is no text: the request is refused with what is wrong where, and nothing is counted."""
    body = dict(Capture("node-errors", time.time_ns()).requests)["traces"].replace('"span_event', '"\\ud800span_event')
    answer = server.request("POST", "/v1/traces", body.encode(), {"Content-Type": "application/json"})
    assert answer.status == 400
    assert "surrogate" in answer.json()["message"]
    assert stored(server, "SELECT message FROM occurrences") == []
