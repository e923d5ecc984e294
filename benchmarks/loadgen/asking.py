"""Timed questions to the HTTP API, on one keep-alive connection as a page would use it."""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from loadgen.process import cpu_seconds
from loadgen.server import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loadgen.server import ServerProcess


@dataclass(frozen=True)
class Question:
    """One kind of query: where it is asked, with which arguments in turn, and how an answer is reduced and judged.

    ``expected`` holds the reduced answer of each argument whose answer is known; None is not judged.
    """

    name: str
    limit_ms: float
    path: Callable[[Any], str]
    arguments: Sequence[Any]
    reduce: Callable[[Any], Any]
    expected: Sequence[Any] = field(default_factory=list)


def url(path: str, **parameters: object) -> str:
    """Return an API path with its parameters encoded."""
    return f"/api/v1{path}?{urllib.parse.urlencode(parameters)}"


def ask(
    server: ServerProcess, question: Question, *, warm_up: int = 3, budget_s: float = 60.0, busy: bool = False
) -> dict[str, Any]:
    """Ask with each argument in turn and return one row: times in ms, and whether known answers came back.

    ``cpu_ms`` is the server's processor time a question; a ``busy`` server does other work too, so it has none.
    """
    connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
    for argument in question.arguments[:warm_up]:
        _get(connection, question.path(argument))
    cpu_s = cpu_seconds(server.pid)
    times_ms, wrong, begun = [], [], time.perf_counter()
    for position, argument in enumerate(question.arguments):
        started = time.perf_counter()
        answer = _get(connection, question.path(argument))
        times_ms.append((time.perf_counter() - started) * 1000)
        got = question.reduce(answer)
        want = question.expected[position] if position < len(question.expected) else None
        if want is not None and got != want:
            wrong.append(f"{argument}: {got!r} instead of {want!r}")
        if time.perf_counter() - begun > budget_s:
            break
    cpu_s = cpu_seconds(server.pid) - cpu_s
    connection.close()
    return {
        "query": question.name,
        "n": len(times_ms),
        "cpu_ms": None if busy else cpu_s / len(times_ms) * 1000,
        "p50_ms": float(np.median(times_ms)),
        "p95_ms": float(np.quantile(times_ms, 0.95)),
        "max_ms": float(np.max(times_ms)),
        "limit_ms": question.limit_ms,
        "met": bool(np.median(times_ms) <= question.limit_ms),
        "answers": wrong[0] if wrong else f"{sum(want is not None for want in question.expected)} checked",
    }


def _get(connection: http.client.HTTPConnection, path: str) -> Any:
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if response.status != http.client.OK:
        raise SystemExit(f"GET {path}: {response.status} {body[:500]!r}")
    return json.loads(body)
