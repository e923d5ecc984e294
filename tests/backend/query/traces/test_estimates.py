"""Counts of spans of which a sampler kept only some: scaled up again, and said to be."""

from __future__ import annotations

import random

import pytest

from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.services.counts import count_spans
from spanglass_server.query.services.services import list_operations, list_services, service_series
from spanglass_server.query.traces.spans import group_spans
from spanglass_server.store.ports import Window

SECOND = 1_000_000_000
WINDOW = Window(1200 * SECOND, 1800 * SECOND)
PROBABILITY = "span.spanglass.sampling.probability:double"
SERVER = 2


def span(number, probability=None, *, service="web", start=1300, duration=100, error=False):
    """Make a stored server span that was kept with a probability."""
    return {
        "trace_id": number.to_bytes(16),
        "span_id": number.to_bytes(8),
        "resource.service.name:str": service,
        "kind": SERVER,
        "name": "GET /",
        "start_time_ns": start * SECOND,
        "duration_ns": duration,
        "status_code": 2 if error else None,
        PROBABILITY: probability,
    }


#: 10 quick ones of which each stands for ten, and two failures that were all kept; a service without a sampler.
SPANS = [
    *(span(number, 0.1) for number in range(1, 11)),
    span(11, error=True, start=1600, duration=5_000_000),
    span(12, 1.0, error=True, start=1600, duration=5_000_000),
    span(13, service="db"),
    span(14, service="db", start=900),  # before the range
]


def figures(row):
    """Return the counts of a row."""
    return row["requests"], row["errors"], row["sampled_share"]


def test_services(open_tables):
    """Each span counts for 1/probability, in the whole range and over time; what was all kept is exact."""
    web, db = list_services(open_tables(spans=SPANS), WINDOW, 2)["services"]
    assert (web["service"], web["spans"], *figures(web)) == ("web", 102, 102, 2, 12 / 102)
    assert (web["rate_per_s"], web["error_ratio"]) == (102 / 600, 2 / 102)
    assert [(point["requests"], point["errors"]) for point in web["series"]] == [(100, 0), (2, 2)]
    assert (db["service"], db["spans"], *figures(db)) == ("db", 1, 1, 0, None)
    alone = list_services(open_tables(spans=SPANS), WINDOW, 0)["services"][0]
    assert figures(alone) == figures(web)


def test_percentiles(open_tables):
    """Percentiles count like the spans do: two slow failures that were kept do not pass for a sixth of all requests."""
    (web,) = [s for s in list_services(open_tables(spans=SPANS), WINDOW, 0)["services"] if s["service"] == "web"]
    assert (web["p50_ns"], web["p95_ns"], web["p99_ns"]) == (100, 100, 5_000_000)


def test_percentiles_are_right_to_one_percent(open_tables):
    """Of durations over five orders of magnitude, each percentile is within 1 % of the exact one."""
    draw = random.Random(5)  # noqa: S311 - no secret
    durations = sorted(round(10 ** draw.uniform(3, 8)) for _ in range(2000))
    spans = [span(number, 0.5, duration=duration) for number, duration in enumerate(durations, 1)]
    (web,) = list_services(open_tables(spans=spans), WINDOW, 0)["services"]
    exact = [durations[round(share * len(durations))] for share in (0.5, 0.95, 0.99)]
    assert [web["p50_ns"], web["p95_ns"], web["p99_ns"]] == pytest.approx(exact, rel=0.015)


def test_operations_and_series(open_tables):
    """Operations and series of a service are scaled up as well."""
    session = open_tables(spans=SPANS)
    (operation,) = list_operations(session, WINDOW, "web", 10)["operations"]
    assert (operation["operation"], operation["kind"], *figures(operation)) == ("GET /", "server", 102, 2, 12 / 102)
    assert operation["total_ns"] == 100 * 100 + 2 * 5_000_000
    (request,) = list_operations(session, WINDOW, "web", 10, only_requests=True, order="requests")["operations"]
    assert request == operation
    series = service_series(session, WINDOW, "web", None, 2)
    assert [point["requests"] for point in series["points"]] == [100, 2]
    assert series["sampled_share"] == 12 / 102
    assert service_series(session, WINDOW, "db", None, 2)["sampled_share"] is None


def test_counts_over_time_and_groups(open_tables):
    """Matching spans over time and by attributes are scaled up, under a filter too."""
    session = open_tables(spans=SPANS)
    counts = count_spans(session, SpanQuestion(WINDOW), 2)
    assert ([(p["spans"], p["errors"]) for p in counts["points"]], counts["total"], counts["errors"]) == (
        [(101, 0), (2, 2)], 103, 2,
    )  # fmt: skip
    assert counts["sampled_share"] == 13 / 103
    assert count_spans(session, SpanQuestion(WINDOW, "status = error"), 2)["sampled_share"] is None
    groups = group_spans(session, SpanQuestion(WINDOW), ["service.name", "no.such.key"], 10)["groups"]
    assert [(group["by"]["service.name"], group["spans"], group["sampled_share"]) for group in groups] == [
        ("web", 102, 12 / 102), ("db", 1, None),
    ]  # fmt: skip


@pytest.mark.parametrize("probability", [0.0, -1.0, 1.0, 2.0, float("nan"), None])
def test_what_is_no_probability_counts_once(open_tables, probability):
    """A span with a probability that cannot be is one span."""
    (web,) = list_services(open_tables(spans=[span(1, probability)]), WINDOW, 0)["services"]
    assert figures(web) == (1, 0, None)


@pytest.mark.parametrize(("probability", "requests"), [(None, 3), (1e-320, 3 * 10**9)])
def test_absurd_durations_and_probabilities_make_no_error(open_tables, probability, requests):
    """Sums that fit into no number end at the largest one; a span stands for a billion at most."""
    rows = [span(number, probability, duration=5 * 10**18) for number in (1, 2, 3)]
    if probability is None:
        rows = [{name: value for name, value in row.items() if name != PROBABILITY} for row in rows]
    session = open_tables(spans=rows)
    (operation,) = list_operations(session, WINDOW, "web", 10)["operations"]
    assert operation["requests"] == requests
    assert 9 * 10**18 <= operation["total_ns"] < 2**63
    assert count_spans(session, SpanQuestion(WINDOW), 2)["total"] == requests


def test_exact_questions_stay_as_they_are(open_tables):
    """Where no sampled span is stored nothing is asked of the probability."""
    unsampled = [{name: value for name, value in row.items() if name != PROBABILITY} for row in SPANS]
    session = open_tables(spans=unsampled)
    list_services(session, WINDOW, 2)
    list_operations(session, WINDOW, "web", 10)
    count_spans(session, SpanQuestion(WINDOW), 2)
    assert not any("probability" in statement for statement in session.statements)
