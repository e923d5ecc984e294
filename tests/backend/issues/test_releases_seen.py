"""Which releases of which services are seen in what is sent."""

from __future__ import annotations

import pyarrow as pa

from spanglass_server.issues.model import ReleaseSighting
from spanglass_server.issues.occurrences.releases_seen import ReleasesSeen
from spanglass_server.signals import Signal

MINUTE_NS = 60 * 10**9


def spans(releases, time_ns=100, service="shop"):
    """Return a table with a span of each release, a nanosecond apart."""
    count = len(releases)
    return pa.table(
        {
            "start_time_ns": pa.array(range(time_ns, time_ns + count), pa.int64()),
            "resource.service.name:str": pa.array([service] * count, pa.string()).dictionary_encode(),
            "resource.service.version:str": pa.array(releases, pa.string()).dictionary_encode(),
            "resource.deployment.environment:str": pa.array(["prod"] * count, pa.string()).dictionary_encode(),
        }
    )


def test_each_release_is_told_with_its_first_and_last_record():
    """Records without a release tell nothing; a second look at the same ones is nothing new."""
    seen = ReleasesSeen()
    seen.see(Signal.SPANS, spans(["1.0", "1.1", None, "1.0"]))
    taken = sorted(seen.take(), key=lambda sighting: sighting.release)
    assert taken == [
        ReleaseSighting("shop", "1.0", 100, 103, "prod"),
        ReleaseSighting("shop", "1.1", 101, 101, "prod"),
    ]
    seen.see(Signal.SPANS, spans(["1.0"]))
    assert seen.take() == []
    seen.see(Signal.SPANS, spans(["1.0"], 103 + MINUTE_NS))
    assert [sighting.last_ns for sighting in seen.take()] == [103 + MINUTE_NS]


def test_tables_without_releases_tell_nothing():
    """Neither a table without the attribute, nor one of nulls."""
    seen = ReleasesSeen()
    seen.see(Signal.METRICS, pa.table({"time_ns": [1]}))
    seen.see(Signal.SPANS, spans([None]))
    assert seen.take() == []


def test_what_could_not_be_told_is_told_the_next_time():
    """With the record that came meanwhile."""
    seen = ReleasesSeen()
    seen.see(Signal.SPANS, spans(["1.0"]))
    failed = seen.take()
    seen.put_back(failed)
    assert seen.take() == failed


def test_a_version_for_each_process_is_bounded():
    """Of a service a thousand releases are told, others of it are not; other services are."""
    seen = ReleasesSeen()
    seen.see(Signal.SPANS, spans([f"build-{number}" for number in range(1500)]))
    seen.see(Signal.SPANS, spans(["1.0"], service="web"))
    assert len(seen.take()) == 1001
