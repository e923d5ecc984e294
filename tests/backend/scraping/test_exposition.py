from __future__ import annotations

import math

import pytest

from spanglass_server.scraping.exposition import Exemplar, ExpositionError, parse

OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def samples(text, content_type="text/plain; version=0.0.4"):
    """Name, labels and value of what a text says."""
    return [(s.name, s.labels, s.value) for s in parse(text.encode(), content_type)]


def test_text_format():
    """Names, labels and values are as they stand there, counters without _total too; types and help come along."""
    text = """
# HELP hits Hits \\\\ of\\nall
# TYPE hits counter
hits{path="/a b\\"\\\\\\n}",x=""} 3
# TYPE jobs_total counter
jobs_total 1e3 1700000000123
# TYPE lat histogram
lat_bucket{le="0.1"} 1
lat_bucket{le="+Inf"} 2
lat_sum 0.5
lat_count 2
loose NaN
other -Inf
"""
    found = parse(text.encode(), "text/plain")
    assert [s.name for s in found][:3] == ["hits", "jobs_total", "lat_bucket"]
    assert found[0].labels == {"path": '/a b"\\\n}', "x": ""}
    assert (found[0].value, found[0].family.type, found[0].family.help) == (3, "counter", "Hits \\ of\nall")
    assert (found[1].value, found[1].time_ms) == (1000, 1_700_000_000_123)
    assert [s.family.type for s in found[2:6]] == ["histogram"] * 4
    assert math.isnan(found[6].value)
    assert (found[6].family.type, found[7].value) == ("unknown", -math.inf)


def test_counters_keep_their_names():
    """The parser gives every counter _total; each has the name of the text again, also where both forms are there."""
    text = """# TYPE a counter
# TYPE hits counter
hits 1
# TYPE hits_total counter
hits_total 2
# TYPE x gauge
x 3
# TYPE b_total counter
b_total 4
# TYPE b counter
b 5
"""
    assert samples(text) == [(name, {}, n) for n, name in enumerate(("hits", "hits_total", "x", "b_total", "b"), 1)]


def test_open_metrics():
    """Units, times in seconds, exemplars; created times belong to the series that were created then."""
    text = """# TYPE hits_seconds counter
# UNIT hits_seconds seconds
# HELP hits_seconds Hits.
hits_seconds_total{a="b"} 3.0 1700000000.5 # {trace_id="abc"} 0.5 1700000000.25
hits_seconds_created{a="b"} 1690000000.75 1700000000.5
# TYPE lat histogram
lat_bucket{le="1.0"} 1
lat_bucket{le="+Inf"} 2 # {} 7
lat_count 2
lat_sum 3
lat_created 5.5
# TYPE build info
build_info{version="1"} 1
# EOF
"""
    found = {(s.name, s.labels.get("le")): s for s in parse(text.encode(), OPEN)}
    hits = found["hits_seconds_total", None]
    assert (hits.value, hits.time_ms, hits.start_ms) == (3, 1_700_000_000_500, 1_690_000_000_750)
    assert (hits.family.type, hits.family.unit, hits.family.help) == ("counter", "seconds", "Hits.")
    assert hits.exemplar == Exemplar({"trace_id": "abc"}, 0.5, 1_700_000_000_250)
    assert found["lat_bucket", "+Inf"].exemplar == Exemplar({}, 7, None)
    assert {s.start_ms for s in found.values() if s.name.startswith("lat")} == {5_500}
    assert found["build_info", None].family.type == "info"
    assert not [name for name, _ in found if name.endswith("_created")]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"<html>", "text/html"), (b"a 1 2 3 x", "text/plain"), (b"\xff\xfe 1", "text/plain"), (b"a 1\n", OPEN)],
)
def test_other_texts_are_refused(body, content_type):
    """What is in neither format is an error, not an empty success."""
    with pytest.raises(ExpositionError, match="text format"):
        parse(body, content_type)
