"""The benchmark of issues: the list and the page over a million stored occurrences in ten thousand issues.

    python benchmarks/issues.py [--occurrences 1000000] [--issues 10000] [--asked 30]

Writes made occurrences of a day as segments, observes their keys in an issue store, and asks each question in the
process, encoding of the answer included. Results go to benchmarks/out/issues.json.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

from loadgen.report import table, write
from spanglass_server.issues.model import Sighting
from spanglass_server.issues.sqlite_store import SqliteIssueStore
from spanglass_server.query.issues.known import KnownIssues
from spanglass_server.query.issues.listing import SORTS, IssueOrder, IssueQuestion, list_issues
from spanglass_server.query.issues.one import show_issue
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.signals import Signal
from spanglass_server.store.contents import Chunk
from spanglass_server.store.ports import Window
from spanglass_server.store.segment_files.catalog import Digests, LocalCatalog
from spanglass_server.store.segment_files.retention import RetentionLimits
from spanglass_server.store.sessions.connections import EngineLimits
from spanglass_server.store.sessions.engine import Engine
from spanglass_server.store.store import Store, StoreLimits

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.store.ports import QuerySession

NS = 1_000_000_000
DAY_NS = 86_400 * NS
#: Occurrences of a segment: what compaction makes of the small ones.
SEGMENT_ROWS = 131_072
SERVICES = 12


@dataclass(frozen=True, slots=True)
class Made:
    """What was made: the store's folder, the issue store, and the range of all occurrences."""

    store: Store
    issues: KnownIssues
    window: Window


def occurrences(count: int, keys: int, window: Window) -> pa.Table:
    """Make occurrences in the order of time; few issues have most of them, as errors do."""
    rng = np.random.default_rng(8)
    key = np.minimum((keys * rng.random(count) ** 3).astype(np.int64), keys - 1)
    key[:keys] = np.arange(keys)  # none without
    rng.shuffle(key)
    names = {
        "service_name": [f"service-{number}" for number in range(SERVICES)],
        "release": [f"1.{number}.0" for number in range(20)],
        "environment": ["production", "staging"],
    }
    picks = {
        "service_name": key % SERVICES,
        "release": rng.integers(0, 20, count),
        "environment": rng.integers(0, 2, count),
    }
    columns: dict[str, Any] = {
        "time_ns": np.sort(rng.integers(window.start_ns, window.end_ns, count)),
        "issue_key": key,
        "user": np.char.add("user-", rng.integers(0, 50_000, count).astype(str)),
        "type": np.char.add("Error", (key % 300).astype(str)),
        "message": np.char.add("no row ", rng.integers(0, 1_000_000, count).astype(str)),
        "culprit": np.char.add("shop.f", key.astype(str)),
        "handled": rng.random(count) < 0.5,
        "source": np.zeros(count, np.uint8),
        "record_time_ns": np.sort(rng.integers(window.start_ns, window.end_ns, count)),
        "stack_hash": key,
        **{name: np.array(words)[picks[name]] for name, words in names.items()},
    }
    ids = {"trace_id": 16, "span_id": 8}
    arrays = {name: pa.array(values) for name, values in columns.items()}
    for name, size in ids.items():
        raw = rng.bytes(count * size)
        arrays[name] = pa.array([raw[place : place + size] for place in range(0, len(raw), size)], pa.binary())
    return pa.table(arrays)


def make(folder: Path, count: int, keys: int) -> Made:
    """Store the occurrences as segments, and observe their keys."""
    now_ns = time.time_ns()
    window = Window(now_ns - DAY_NS, now_ns)
    limits = StoreLimits(2000, RetentionLimits({}))
    store = Store(folder, LocalCatalog(folder / "catalog.sqlite"), limits, Telemetry())
    rows = occurrences(count, keys, window)
    for generation, start in enumerate(range(0, count, SEGMENT_ROWS), 1):
        part = rows.slice(start, SEGMENT_ROWS)
        store.append({Signal.OCCURRENCES: Chunk.of(generation, Signal.OCCURRENCES, part, now_ns)})
        store.flush(generation, Digests(generation, 0, frozenset()), 0)
    issues = SqliteIssueStore(folder / "issues.sqlite", keys + 1)
    issues.observe([sighting(key, window) for key in range(keys)], now_ns)
    return Made(store, KnownIssues(issues), window)


def sighting(key: int, window: Window) -> Sighting:
    """Tell what was seen of a key."""
    return Sighting(
        key=key,
        service=f"service-{key % SERVICES}",
        title=f"Error{key % 300}: no row {key}",
        type=f"Error{key % 300}",
        message=f"no row {key}",
        culprit=f"shop.f{key}",
        version=1,
        inputs=(("service", f"service-{key % SERVICES}"), ("type", f"Error{key % 300}"), ("frame", f"shop.f{key}")),
        first_ns=window.start_ns,
        last_ns=window.end_ns - 1,
        release="1.0.0",
        environment="production",
    )


def questions(made: Made) -> dict[str, Callable[[QuerySession], Any]]:
    """Give what is asked, by name."""
    now_ns, window = made.window.end_ns, made.window

    def listed(sort: str, filter_text: str = "") -> Callable[[QuerySession], Any]:
        question = IssueQuestion(window, filter_text, ("all",))
        return lambda session: list_issues(session, made.issues, question, IssueOrder(sort), now_ns, 30)

    def page(key: int) -> Callable[[QuerySession], Any]:
        issue = made.issues.store.snapshot().by_key[key].id
        return lambda session: show_issue(session, made.issues, issue, window, now_ns, 30)

    return {
        **{f"list by {sort}": listed(sort) for sort in SORTS},
        "list, filter over a field": listed("last_seen", "type = Error7"),
        "list, filter over issues": listed("last_seen", "title = *77*"),
        "page of the largest issue": page(0),
        "page of a small issue": page(7_777),
    }


def measure(engine: Engine, ask: Callable[[QuerySession], Any], times: int) -> dict[str, Any]:
    """Ask a question often; the first time is told apart, for it reads what later ones find in memory.

    ``cpu_ms`` is the processor time of both cores, which other processes of the machine do not change.
    """
    taken_ms, cpu_ms = [], []
    for _ in range(times + 1):
        start, busy = time.perf_counter(), time.process_time()
        body = engine.run_here(lambda session: orjson.dumps(ask(session)))
        taken_ms.append(1000 * (time.perf_counter() - start))
        cpu_ms.append(1000 * (time.process_time() - busy))
    first, rest = taken_ms[0], sorted(taken_ms[1:])
    return {
        "first_ms": round(first, 1),
        "p50_ms": round(rest[len(rest) // 2], 1),
        "p95_ms": round(rest[int(len(rest) * 0.95)], 1),
        "cpu_ms": round(sorted(cpu_ms)[len(cpu_ms) // 2], 1),
        "bytes": len(body),
    }


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure questions about issues.")
    parser.add_argument("--occurrences", type=int, default=1_000_000)
    parser.add_argument("--issues", type=int, default=10_000)
    parser.add_argument("--asked", type=int, default=30, help="how often each question is asked")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="spanglass-bench-") as folder:
        start = time.perf_counter()
        made = make(Path(folder), options.occurrences, options.issues)
        print(f"made in {time.perf_counter() - start:.1f} s", file=sys.stderr)
        engine = Engine(
            made.store.contents, Path(folder), EngineLimits(1 << 30, os.cpu_count() or 1, 2), settle=lambda _: None
        )
        rows = [{"question": name, **measure(engine, ask, options.asked)} for name, ask in questions(made).items()]
        engine.close()
        made.issues.store.close()
        made.store.catalog.close()
    print(table(rows))
    print(f"written to {write('issues', {'rows': rows})}")


if __name__ == "__main__":
    main()
