"""Traces with and without each pattern, made up: interleaved, at once, below helpers, with noise of other work.

Those without are near misses: loops that are batches, pages or polls, calls that overlap or have work between them,
errors that nobody tries again. ``make_traces`` gives spans as they are stored, with the patterns that each trace has.
"""

# ruff: noqa: S608, S311 - statements are what traces tell of; random numbers make traces, not secrets

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

Row = dict[str, Any]
MS: Final = 1_000_000
_SERVER, _CLIENT, _INTERNAL, _PRODUCER, _CONSUMER = 2, 3, 1, 4, 5
_TABLES = ("orders", "users", "items", "reviews", "prices", "stock")
_OLD, _NEW = "old", "new"
_NAMES = {
    _NEW: {"query": "db.query.text:str", "system": "db.system.name:str", "method": "http.request.method:str",
           "url": "url.full:str", "status": "http.response.status_code:int", "received": "http.response.body.size:int"},
    _OLD: {"query": "db.statement:str", "system": "db.system:str", "method": "http.method:str", "url": "http.url:str",
           "status": "http.status_code:int", "received": "http.response_content_length:int"},
}  # fmt: skip


class Trace:
    """A trace that grows; ``now`` is how far its clock has come, in milliseconds."""

    def __init__(self, chance: random.Random, number: int) -> None:
        self.chance = chance
        self.id = number.to_bytes(16, "big")
        self.rows: list[Row] = []
        self.begin_ms = self.now = number * 1_000.0
        self.names = _NAMES[chance.choice((_OLD, _NEW))]
        self.service = chance.choice(("shop", "billing", "search"))
        self.operation = ""
        self.root = self.span(f"GET /{chance.choice(_TABLES)}", _SERVER, None, 0)

    def span(self, name: str, kind: int, parent: Row | None, ms: float, at_ms: float | None = None, **more: Any) -> Row:
        """Add a span; of the trace's service unless ``more`` says otherwise."""
        row: Row = {
            "trace_id": self.id, "span_id": (len(self.rows) + 1).to_bytes(8, "big"),
            "parent_span_id": parent and parent["span_id"], "name": name, "kind": kind, "status_code": 0,
            "start_time_ns": int((self.now if at_ms is None else at_ms) * MS), "duration_ns": max(1, int(ms * MS)),
            "resource.service.name:str": self.service, **more,
        }  # fmt: skip
        self.rows.append(row)
        return row

    def about(self, ms: float) -> float:
        """A duration around one, never less than two thirds of it and hardly ever more than three times."""
        return ms * max(0.67, self.chance.lognormvariate(0, 0.3))

    def work(self, ms: float) -> None:
        """Let time pass in which no call is made."""
        self.now += self.about(ms)

    def helper(self, parent: Row | None = None) -> Row:
        """A span of a function, around the calls that follow; its end is set by ``close``."""
        return self.span(self.chance.choice(("load", "render", "serialise")), _INTERNAL, parent or self.root, 0)

    def close(self, row: Row) -> None:
        """End a span now."""
        row["duration_ns"] = int(self.now * MS) - row["start_time_ns"]

    def query(self, text: str, ms: float, parent: Row | None = None, *, moves: bool = True, **more: Any) -> Row:
        """Add a statement."""
        names = {f"span.{self.names['query']}": text, f"span.{self.names['system']}": "postgresql"}
        took = self.about(ms)
        row = self.span(text.partition(" ")[0], _CLIENT, parent or self.root, took, **names, **more)
        if moves:
            self.now += took + self.chance.uniform(0.05, 0.6)
        return row

    def call(
        self, url: str, ms: float, parent: Row | None = None, *, method: str = "GET", status: int = 200,
        served: bool = False, moves: bool = True, **more: Any,
    ) -> Row:  # fmt: skip
        """Add a call over HTTP; ``served``: by a service that is observed too."""
        took = self.about(ms)
        names = {f"span.{self.names['method']}": method, f"span.{self.names['url']}": url}
        names[f"span.{self.names['status']}"] = status
        row = self.span(method, _CLIENT, parent or self.root, took, **{**names, **more})
        row["status_code"] = 2 if status >= 400 else 0
        if served:
            other = {"resource.service.name:str": "inventory"}
            inside = self.span(f"{method} /inside", _SERVER, row, took * 0.9, self.now + took * 0.05, **other)
            self.span("compute", _INTERNAL, inside, took * 0.8, self.now + took * 0.1, **other)
        if moves:
            self.now += took + self.chance.uniform(0.05, 0.3)
        return row

    def noise(self) -> None:
        """Add what every request has: a few short statements and calls, now and then one that fails."""
        for _ in range(self.chance.randint(0, 3)):
            table = self.chance.choice(_TABLES)
            self.query(f"SELECT * FROM {table}_{self.chance.randint(1, 9)} WHERE day = ?", 2)
        if self.chance.random() < 0.3:
            self.call("http://sessions.internal/check", 3, served=True)
        if self.chance.random() < 0.1:
            self.call(f"http://flags.internal/flag/{self.chance.randint(1, 99)}", 3, status=404)

    def end(self) -> list[Row]:
        """End the request."""
        self.work(1)
        self.close(self.root)
        return self.rows


def _loop(trace: Trace, texts: Callable[[int], str], count: int, ms: float, **more: Any) -> None:
    """Statements in a loop: in a row, below helpers, all at once, or among another loop of other statements."""
    way = trace.chance.choice(("plain", "helpers", "at once", "interleaved"))
    for place in range(count):
        if way == "helpers":
            around = trace.helper()
            trace.query(texts(place), ms, around, **more)
            trace.close(around)
        elif way == "at once":
            trace.query(texts(place), ms, moves=place % 4 == 3, **more)
        else:
            trace.query(texts(place), ms, **more)
            if way == "interleaved" and place < 3:
                trace.query(f"SELECT note FROM notes_{trace.chance.randint(1, 400)} WHERE open", ms)
    trace.now += ms


def n_plus_one(trace: Trace) -> None:
    """A list, then a statement for each of its rows."""
    trace.query("SELECT id FROM orders WHERE open", 4)
    table, bound = trace.chance.choice(_TABLES), trace.chance.random() < 0.5
    _loop(
        trace, lambda place: f"SELECT * FROM {table} WHERE id = {'$1' if bound else 4711 + place}",
        trace.chance.randint(6, 40), 2,
    )  # fmt: skip


def no_n_plus_one(trace: Trace) -> None:
    """Batches, pages, polls, a few statements, or many that differ."""
    way, chance = (
        trace.chance.choice(("batch", "pages", "polls", "few", "differ", "rows", "transactions")),
        trace.chance,
    )
    for place in range(4 if way == "few" else chance.randint(6, 20)):
        match way:
            case "batch":
                trace.query("SELECT * FROM items WHERE id IN (1, 2, 3)", 3)
            case "pages":
                trace.query(f"SELECT * FROM items ORDER BY id LIMIT 500 OFFSET {place * 500}", 6)
            case "polls":
                trace.query(f"SELECT state FROM jobs WHERE id = {place}", 2)
                trace.work(900)
                trace.helper()
            case "few":
                trace.query(f"SELECT * FROM items WHERE id = {place}", 3)
            case "differ":
                trace.query(f"SELECT c{place} FROM t{place} WHERE id = 1", 2)
            case "rows":
                trace.query("INSERT INTO log (a, b) VALUES (?, ?), (?, ?)", 3)
            case _:
                trace.query("BEGIN", 0.2)
                trace.query(f"UPDATE t{place} SET a = 1 WHERE id = ?", 1)
                trace.query("COMMIT", 0.4)


def repeated_query(trace: Trace) -> None:
    """The same statement with the same values."""
    text = "SELECT value FROM settings WHERE name = 'currency'"
    more = {}
    if trace.chance.random() < 0.4:
        text, more = "SELECT value FROM settings WHERE name = ?", {"span.db.query.parameter.0:str": "currency"}
    _loop(trace, lambda _: text, trace.chance.randint(3, 20), 3, **more)


def no_repeated_query(trace: Trace) -> None:
    """Asked twice, or with other values in two statements, or something that is asked of every connection."""
    way = trace.chance.choice(("twice", "ping", "others"))
    for place in range(2 if way == "twice" else 4):
        match way:
            case "twice":
                trace.query("SELECT value FROM settings WHERE name = 'currency'", 3)
            case "ping":
                trace.query("SELECT 1", 0.4)
            case _:
                trace.query("SELECT a FROM b WHERE c = ?", 3, **{"span.db.query.parameter.0:str": f"name {place}"})


def consecutive_calls(trace: Trace) -> None:
    """Three to five reads of other services in a row."""
    names = trace.chance.sample(("users", "stock", "prices", "reviews", "ads"), trace.chance.randint(3, 5))
    for name in names:
        trace.call(f"http://{name}.internal/{name}/{trace.chance.randint(1, 9999)}", 40, served=True)


def no_consecutive_calls(trace: Trace) -> None:
    """At once, with work between them, two, short ones, or ones that change something."""
    way = trace.chance.choice(("at once", "work", "two", "short", "changes"))
    for place, name in enumerate(("users", "stock", "prices", "reviews")[: 2 if way == "two" else 4]):
        method = "POST" if way == "changes" and place else "GET"
        ms = 2 if way == "short" else 40
        trace.call(f"http://{name}.internal/{name}", ms, method=method, served=True, moves=way != "at once")
        if way == "work":
            around = trace.helper()
            trace.work(25)
            trace.close(around)
    trace.now += 130 if way == "at once" else 0


def slow_query(trace: Trace) -> None:
    """A statement that takes most of the request."""
    trace.query(f"SELECT * FROM reviews WHERE text LIKE '%{trace.chance.randint(1, 999)}%'", 400)


def no_slow_query(trace: Trace) -> None:
    """One that is quick, or takes little of a long request."""
    if trace.chance.random() < 0.5:
        trace.query("SELECT id FROM reviews WHERE product = ?", 30)
        return
    trace.query("SELECT sum(total) FROM archive WHERE year = ?", 130)
    for place in range(12):
        around = trace.span(f"step {place}", _INTERNAL, trace.root, 0)
        trace.work(120)
        trace.close(around)


def slow_call(trace: Trace) -> None:
    """A host outside that takes long, or is waited for until it is given up."""
    status = trace.chance.choice((200, 200, 504))
    trace.call(f"https://api.partner.example/v2/rates/{trace.chance.randint(1, 999)}?key=1", 900, status=status)


def no_slow_call(trace: Trace) -> None:
    """A quick host outside, or a slow service that is observed itself."""
    served = trace.chance.random() < 0.5
    trace.call("https://api.quick.example/v2/rates", 900 if served else 60, served=served)


def large_payload(trace: Trace) -> None:
    """An answer of megabytes."""
    size = {f"span.{trace.names['received']}": trace.chance.randint(1_200_000, 40_000_000)}
    trace.call("http://files.internal/export/17", 80, **size)


def no_large_payload(trace: Trace) -> None:
    """An answer of a usual size."""
    size = {f"span.{trace.names['received']}": trace.chance.randint(200, 700_000)}
    trace.call("http://files.internal/export/17", 80, **size)


def chatty_calls(trace: Trace) -> None:
    """A call for each of many things."""
    for place in range(trace.chance.randint(11, 30)):
        trace.call(f"http://stock.internal/products/{place}/stock", 6, served=True, moves=trace.chance.random() < 0.9)


def no_chatty_calls(trace: Trace) -> None:
    """Some calls, or many to many hosts, or many with long pauses."""
    way = trace.chance.choice(("some", "hosts", "pauses"))
    for place in range(5 if way == "some" else 12):
        host = f"node-{place}" if way == "hosts" else "stock"
        trace.call(f"http://{host}.internal/products/{place}", 6, served=True)
        if way != "some":
            around = trace.helper()
            trace.work(400 if way == "pauses" else 20)
            trace.close(around)
    if way == "some":
        trace.work(5)


def lock_wait(trace: Trace) -> None:
    """Waiting for a lock or a place in a pool."""
    way = trace.chance.choice(("lock.acquire", "acquire connection", "waitForSlot", "pool.acquire", "for update"))
    if way == "for update":
        trace.query(f"SELECT * FROM stock WHERE id = {trace.chance.randint(1, 99)} FOR UPDATE", 90)
    else:
        trace.span(way, _INTERNAL, trace.root, took := trace.about(90))
        trace.now += took
    trace.work(20)


def no_lock_wait(trace: Trace) -> None:
    """A lock that is had at once, work that is called after a lock, or pages about locks."""
    way = trace.chance.choice(("quick", "named", "page"))
    if way == "page":
        trace.call("http://doors.internal/locks/wait", 90, served=True)
        return
    trace.span(
        "lock.acquire" if way == "quick" else "block user account", _INTERNAL, trace.root, 2 if way == "quick" else 60
    )
    trace.now += 62


def retries(trace: Trace) -> None:
    """A call that fails and is made again."""
    number, count = trace.chance.randint(1, 9999), trace.chance.randint(1, 4)
    method = trace.chance.choice(("GET", "POST"))
    for _ in range(count):
        trace.call(
            f"http://pay.internal/charges/{number}", 15, method=method, status=trace.chance.choice((500, 503, 429))
        )
        trace.work(10)
    trace.call(f"http://pay.internal/charges/{number}", 15, method=method, status=trace.chance.choice((200, 503)))


def no_retries(trace: Trace) -> None:
    """Failures in a loop over other things, one at the end, or what was asked in vain, which is no failure to mend."""
    way = trace.chance.choice(("loop", "last", "absent"))
    for place in range(4):
        status = {"loop": 500 if place == 1 else 200, "last": 500 if place == 3 else 200, "absent": 404}[way]
        number = 7 if way == "absent" else place
        trace.call(f"http://pay.internal/charges/{number}", 4, status=status)


def _message(trace: Trace, wait_ms: float) -> None:
    """A message that a consumer of another service takes after some time, in the same trace or in one of its own."""
    sent = trace.span("send orders", _PRODUCER, trace.root, 2)
    at_ms = trace.now + 2 + wait_ms
    trace.now += 3
    other: Row = {"resource.service.name:str": "mailer"}
    if trace.chance.random() < 0.5:
        other |= {"link_trace_id": [trace.id], "link_span_id": [sent["span_id"]]}
        other |= {"trace_id": b"\xff" + trace.id[1:]}
    took = trace.span("process orders", _CONSUMER, None if "trace_id" in other else sent, 40, at_ms, **other)
    took["name"] = f"process {'late' if wait_ms > 1000 else 'orders'}"
    trace.span("pack", _INTERNAL, took, 30, at_ms + 5, **other)


def queue_wait(trace: Trace) -> None:
    """Messages that wait for seconds."""
    _message(trace, trace.about(4_000))


def no_queue_wait(trace: Trace) -> None:
    """Messages that are taken at once, and take long then; or a receiver that waits below none."""
    _message(trace, trace.about(60))
    if trace.chance.random() < 0.3:
        other = {"resource.service.name:str": "mailer"}
        polled = trace.span("receive orders", _CONSUMER, None, 9_000, **other, trace_id=b"\xfe" + trace.id[1:])
        trace.span("process orders", _CONSUMER, polled, 20, trace.now + 8_000, **other, trace_id=polled["trace_id"])


def gap(trace: Trace) -> None:
    """Most of the request is in no span."""
    trace.root["name"] = "POST /imports"
    trace.query("SELECT a FROM b WHERE c = ?", 4)
    trace.work(400)
    if trace.chance.random() < 0.5:
        trace.query("SELECT d FROM e WHERE f = ?", 4)


def no_gap(trace: Trace) -> None:
    """All of a long request is told by spans, some of them at once."""
    trace.root["name"] = "POST /imports"
    for _ in range(4):
        around = trace.span(f"compute {trace.chance.randint(1, 9)}", _INTERNAL, trace.root, 0)
        trace.span("part", _INTERNAL, around, 30)
        trace.work(90)
        trace.close(around)


#: By pattern: what makes it, and what comes near to it.
PATTERNS: Final[dict[str, tuple[Callable[[Trace], None], Callable[[Trace], None]]]] = {
    "n_plus_one": (n_plus_one, no_n_plus_one),
    "repeated_query": (repeated_query, no_repeated_query),
    "consecutive_calls": (consecutive_calls, no_consecutive_calls),
    "slow_query": (slow_query, no_slow_query),
    "slow_call": (slow_call, no_slow_call),
    "large_payload": (large_payload, no_large_payload),
    "chatty_calls": (chatty_calls, no_chatty_calls),
    "lock_wait": (lock_wait, no_lock_wait),
    "retries": (retries, no_retries),
    "queue_wait": (queue_wait, no_queue_wait),
    "gap": (gap, no_gap),
}


def case_of(trace_id: bytes) -> bytes:
    """The id of the made trace that a trace belongs to: messages are taken in traces of their own."""
    return b"\x00" + trace_id[1:]


def make_traces(each: int, seed: int) -> tuple[list[Row], dict[bytes, str | None]]:
    """Make ``each`` traces with, and as many without, each pattern: their rows, and what each trace has."""
    chance, rows, labels = random.Random(seed), [], {}
    for name, makers in PATTERNS.items():
        for has, make in zip((True, False), makers, strict=True):
            for _ in range(each):
                trace = Trace(chance, len(labels) + 1)
                trace.noise()
                make(trace)
                trace.noise()
                rows += trace.end()
                labels[trace.id] = name if has else None
    return rows, labels
