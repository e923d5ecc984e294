"""What is asked of each size, with the medians that a hundred million spans may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loadgen.asking import Question, url

if TYPE_CHECKING:
    from loadgen.growth.loading import Plan
    from loadgen.growth.shops import ManyShops

_REPEATS = 20
_HOUR_NS = 3_600_000_000_000
_SKEW_NS = 60_000_000_000  # traces of the last second of what was loaded end after it


def questions(bodies: ManyShops, plan: Plan) -> list[Question]:
    """Return the questions about what a plan has loaded."""
    facts, samples = bodies.facts, bodies.sample_traces(_REPEATS, plan.millions, len(bodies))
    end_ns = plan.end_ns + _SKEW_NS
    everything = {"start": plan.start_ns, "end": end_ns}
    last_hour = {"start": end_ns - _HOUR_NS, "end": end_ns}

    def search(value: str) -> str:
        return url("/traces", **everything, filter=value, limit=20)

    return [
        Question(
            "trace by id",
            40,
            lambda trace_id: f"/api/v1/traces/{trace_id}",
            [trace_id for trace_id, _ in samples],
            lambda answer: answer["span_count"],
            [spans for _, spans in samples],
        ),
        Question(
            "attribute = value, recent",
            400,
            lambda tenant: search(f'app.tenant.id = "tenant-{tenant:04d}"'),
            range(1, 1 + _REPEATS),
            lambda answer: len(answer["traces"]),
            [20] * _REPEATS,
        ),
        Question(
            "attribute = value, none",
            2000,
            lambda user: search(f'enduser.id = "u-nobody-{user}"'),
            range(_REPEATS),
            lambda answer: len(answer["traces"]),
            [0] * _REPEATS,
        ),
        Question(
            "services of the last hour",
            20,
            lambda _: url("/services", **last_hour),
            range(_REPEATS),
            lambda answer: len(answer["services"]),
        ),
        Question(
            "operations of the last hour",
            20,
            lambda shop: url(f"/services/checkout-{shop % 17:02d}/operations", **last_hour),
            range(_REPEATS),
            lambda answer: len(answer["operations"]),
        ),
        Question(
            "counts over all of it",
            1500,
            lambda _: url("/traces/counts", **everything),
            range(_REPEATS),
            lambda answer: (answer["total"], answer["errors"]),
            [(facts["items"] * plan.millions, facts["errors"] * plan.millions)] * _REPEATS,
        ),
    ]
