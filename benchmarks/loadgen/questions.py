"""The questions of the query benchmarks, with the answers that the prepared data determines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from loadgen.asking import Question, url

if TYPE_CHECKING:
    from loadgen.prepared import Bodies

REPEATS = 30
#: The median that each question over an hour may take, in ms: settled, 5 s after ingest, and while spans come in.
HOUR_LIMITS_MS = {
    "trace by id": (9, 9, 25),
    "trace by id, last requests": (9, 9, 25),
    "20 newest traces by 4 conditions": (25, 40, 60),
    "services with series": (20, 40, 60),
    "p50/p95/p99 by operation of one service": (13, 26, 39),
    "errors by service and type": (20, 40, 60),
}
STATES = ("settled", "fresh", "ingesting")
_HOUR_NS = 3_600_000_000_000
_SERVICES = ["checkout", "web-gateway", "catalog", "cart", "payment", "search", "inventory", "auth"]


@dataclass(frozen=True)
class Loaded:
    """What a server was filled with: ``turns`` passes over the first ``count`` bodies, in a window of time."""

    bodies: Bodies
    start_ns: int
    end_ns: int
    turns: int
    count: int

    @property
    def is_whole(self) -> bool:
        """Whether all prepared bodies are in it, so that the counted facts hold."""
        return self.count == len(self.bodies)

    def known(self, answer: Any) -> list[Any]:
        """Return an answer that holds for the whole data only, as the expectation of every repeat."""
        return [answer] * REPEATS if self.is_whole else []

    def window(self) -> dict[str, int]:
        """Return the parameters of the whole window."""
        return {"start": self.start_ns, "end": self.end_ns}


def hour_questions(loaded: Loaded, state: str = "settled") -> list[Question]:
    """Return the questions over one million spans of an hour, with the limits of a state (one of ``STATES``)."""
    limits = {name: row[STATES.index(state)] for name, row in HOUR_LIMITS_MS.items()}
    return [replace(question, limit_ms=limits[question.name]) for question in _hour_questions(loaded)]


def _hour_questions(loaded: Loaded) -> list[Question]:
    facts = loaded.bodies.facts
    return [
        _trace_by_id("trace by id", 0, loaded),
        _trace_by_id("trace by id, last requests", 0, loaded, latest=True),
        _probe_search(loaded),
        Question(
            "services with series",
            0,
            lambda _: url("/services", **loaded.window()),
            range(REPEATS),
            lambda answer: {row["service"]: row["spans"] for row in answer["services"]},
            loaded.known({name: spans * loaded.turns for name, spans in facts["spans_per_service"].items()}),
        ),
        Question(
            "p50/p95/p99 by operation of one service",
            0,
            lambda service: url(f"/services/{service}/operations", **loaded.window()),
            [_SERVICES[turn % len(_SERVICES)] for turn in range(REPEATS)],
            lambda answer: _server_operations(answer) if answer["service"] == "checkout" else None,
            [facts["checkout_server_ops"] if turn % len(_SERVICES) == 0 else None for turn in range(REPEATS)]
            if loaded.is_whole
            else [],
        ),
        Question(
            "errors by service and type",
            0,
            lambda _: url(
                "/spans/groups", **loaded.window(), filter="status = error", by="service.name,error.type", limit=1000
            ),
            range(REPEATS),
            _errors_by_type,
            loaded.known(facts["exceptions"]),
        ),
    ]


def day_questions(loaded: Loaded, state: str = "settled") -> list[Question]:
    """Return the questions over ten million spans of a day; while spans come in they may take three times as long."""
    factor = 3 if state == "ingesting" else 1
    return [replace(question, limit_ms=question.limit_ms * factor) for question in _day_questions(loaded)]


def _day_questions(loaded: Loaded) -> list[Question]:
    facts = loaded.bodies.facts
    last_hour = {"start": loaded.end_ns - _HOUR_NS, "end": loaded.end_ns}
    return [
        Question(
            "attribute = value, 20 newest traces",
            300,
            lambda tenant: url("/traces", **loaded.window(), filter=f'app.tenant.id = "tenant-{tenant:04d}"', limit=20),
            range(1, REPEATS + 1),
            lambda answer: len(answer["traces"]),
            loaded.known(20),
        ),
        _trace_by_id("trace by id, no time given", 300, loaded),
        Question(
            "services of the last hour",
            300,
            lambda _: url("/services", **last_hour),
            range(REPEATS),
            lambda answer: len(answer["services"]),
            loaded.known(12),
        ),
        Question(
            "counts over time",
            700,
            lambda _: url("/traces/counts", **loaded.window()),
            range(REPEATS),
            lambda answer: (answer["total"], answer["errors"]),
            loaded.known((facts["items"] * loaded.turns, facts["errors"] * loaded.turns)),
        ),
        Question(
            "spans by two conditions, 20 newest traces",
            300,
            lambda ms: url("/traces", **loaded.window(), filter=_slow_query(ms), limit=20),
            range(1, REPEATS + 1),
            lambda answer: len(answer["traces"]),
            loaded.known(20),
        ),
        *_about_others(loaded),
        Question(
            "service map",
            700,
            lambda _: url("/service-map", **loaded.window()),
            range(REPEATS),
            lambda answer: len(answer["nodes"]),
            loaded.known(14),
        ),
        *_about_durations(loaded),
    ]


def _about_others(loaded: Loaded) -> list[Question]:
    """Return searches by other spans of a trace, which may take twice as long as one by the spans themselves."""
    checkout = 'name = "POST /v1/checkout"'
    filters = {
        "spans with such descendants": (lambda ms: f"service.name = web-gateway and descendant({_slow_query(ms)})", 20),
        "spans with such ancestors": (
            lambda ms: f"db.system.name = redis and ancestor({checkout} and duration > {100 + ms}ms)", 20
        ),
        "spans with such descendants, none": (lambda user: f'descendant(enduser.id = "u-nobody-{user}")', 0),
    }  # fmt: skip
    return [
        Question(
            f"{name}, 20 newest traces",
            600,
            lambda number, text=text: url("/traces", **loaded.window(), filter=text(number), limit=20),
            range(1, REPEATS + 1),
            lambda answer: len(answer["traces"]),
            loaded.known(found),
        )
        for name, (text, found) in filters.items()
    ]


def _about_durations(loaded: Loaded) -> list[Question]:
    facts = loaded.bodies.facts
    spans, errors = facts["items"] * loaded.turns, facts["errors"] * loaded.turns
    return [
        Question(
            "durations over time",
            500,
            lambda _: url("/spans/heatmap", **loaded.window()),
            range(REPEATS),
            lambda answer: (answer["spans"], sum(answer["errors"])),
            loaded.known((spans, errors)),
        ),
        Question(
            "what is different about errors",
            2000,
            lambda _: url("/differences", **loaded.window(), selected="status = error"),
            range(REPEATS),
            lambda answer: (answer["selected"]["spans"], answer["baseline"]["spans"]),
            loaded.known((errors, spans - errors)),
        ),
        Question(
            "typical trace",
            700,
            lambda _: url("/services/checkout/typical", **loaded.window(), operation="POST /v1/checkout"),
            range(REPEATS),
            lambda answer: answer["calls"][0]["operation"],
            loaded.known("POST /v1/checkout"),
        ),
    ]


def _slow_query(ms: int) -> str:
    return f"db.system.name = postgresql and duration > {ms}ms"


def _trace_by_id(name: str, limit_ms: float, loaded: Loaded, *, latest: bool = False) -> Question:
    """Ask for sampled traces with their number of spans; ``latest``: those of the last twentieth of what was sent."""
    first = loaded.count - max(loaded.count // 20, 4) if latest else 0
    samples = loaded.bodies.sample_traces(REPEATS, loaded.turns, loaded.count, first)
    return Question(
        name,
        limit_ms,
        lambda trace_id: f"/api/v1/traces/{trace_id}",
        [trace_id for trace_id, _ in samples],
        lambda answer: answer["span_count"],
        [spans for _, spans in samples],
    )


def _probe_search(loaded: Loaded) -> Question:
    """Ask for 20 newest traces by four conditions; the first tenant's number of hits is known."""
    probe = loaded.bodies.facts["probe"]
    key, value = probe["attr"]
    tenants = [value, *(f"tenant-{number:04d}" for number in range(20, 19 + REPEATS))]
    base = f'service.name = "{probe["service"]}" and name = "{probe["operation"]}" and duration > {probe["min_ms"]}ms'
    return Question(
        "20 newest traces by 4 conditions",
        0,
        lambda tenant: url("/traces", **loaded.window(), filter=f'{base} and {key} = "{tenant}"', limit=20),
        tenants,
        lambda answer: len(answer["traces"]),
        [min(20, loaded.bodies.facts["probe_hits"] * loaded.turns)] if loaded.is_whole else [],
    )


def _server_operations(answer: dict[str, Any]) -> dict[str, int]:
    """Return requests per operation of the server spans."""
    return {row["operation"]: row["requests"] for row in answer["operations"] if row["kind"] == "server"}


def _errors_by_type(answer: dict[str, Any]) -> dict[str, int]:
    """Return errors per exception type, over all services."""
    found: dict[str, int] = {}
    for group in answer["groups"]:
        kind = group["by"]["error.type"]
        found[kind] = found.get(kind, 0) + group["spans"]
    return found
