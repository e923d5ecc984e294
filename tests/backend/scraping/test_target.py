from __future__ import annotations

import asyncio
import gzip
import re
import struct

import pytest
from remote_write_bodies import Request

from spanglass_server.ingest.prometheus.native import STALE_BITS
from spanglass_server.scraping.fetching import Answer, ScrapeError
from spanglass_server.scraping.jobs import Job, Rule
from spanglass_server.scraping.target import Target

NOW_MS = 1_800_000_000_000
OPEN = "application/openmetrics-text"
REPORT = {
    "scrape_duration_seconds",
    "scrape_samples_post_metric_relabeling",
    "scrape_samples_scraped",
    "scrape_series_added",
    "up",
}


class Lab:
    """A target whose answers are given, and what it delivers."""

    def __init__(self, **job):
        self.now_ms = NOW_MS
        self.answer = ""
        self.requests = []
        self.problem = ""
        self.target = Target(Job("j", ("h:1",), **job), "h:1", self, self, lambda: self.now_ms * 1_000_000)

    async def fetch(self, _target):
        """What the fetcher does."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, Answer) else Answer(self.answer.encode(), "text/plain", "")

    async def deliver(self, body, _target, *, patience_s):
        """What the delivery does."""
        self.patience_s = patience_s
        self.requests.append(Request.FromString(body))
        return self.problem

    def scrape(self, answer):
        """Scrape once, and return the series with what was said of them: name and labels, and value or "stale"."""
        self.answer = answer
        self.now_ms += 1000
        asyncio.run(self.target.scrape())
        return self.last()

    def last(self):
        """The series of the last request but those about the scrape, unless these ended or are asked for."""
        found = {}
        for series in self.requests[-1].timeseries:
            labels = self.labels(series.labels_refs)
            name = labels.pop("__name__")
            text = name + "".join(f",{k}={v}" for k, v in labels.items() if k not in ("job", "instance"))
            (sample,) = series.samples
            found[text] = "stale" if is_stale(sample.value) else sample.value
        return found

    def labels(self, references):
        """Labels of the last request."""
        texts = [self.requests[-1].symbols[place] for place in references]
        return dict(zip(texts[::2], texts[1::2], strict=True))


def is_stale(value):
    """Whether a value ends its series."""
    return struct.unpack("<Q", struct.pack("<d", value))[0] == STALE_BITS


def own(series):
    """All but what is about the scrape."""
    return {name: value for name, value in series.items() if name not in REPORT}


def test_a_scrape_and_what_is_said_about_it():
    """Each sample with job and instance, and Prometheus' series about the scrape itself."""
    lab = Lab(labels={"env": "x"})
    found = lab.scrape('a{b="c"} 1\nd 2\n')
    assert {name: found[name] for name in ("a,b=c,env=x", "d,env=x", "up,env=x")} == {
        "a,b=c,env=x": 1,
        "d,env=x": 2,
        "up,env=x": 1,
    }
    assert found["scrape_samples_scraped,env=x"] == found["scrape_samples_post_metric_relabeling,env=x"] == 2
    assert {name.removesuffix(",env=x") for name in found} == {"a,b=c", "d", *REPORT}
    labels = lab.labels(lab.requests[0].timeseries[0].labels_refs)
    assert labels == {"__name__": "a", "b": "c", "env": "x", "instance": "h:1", "job": "j"}
    assert list(labels) == sorted(labels)
    assert {s.samples[0].timestamp for s in lab.requests[0].timeseries} == {NOW_MS + 1000}
    assert (lab.target.health.state, lab.target.health.samples) == ("up", 2)


def test_series_that_vanish_are_ended_once():
    """A series that the target does not give any more ends at that scrape; one that comes back goes on."""
    lab = Lab()
    lab.scrape("a 1\nb 1\n")
    assert own(lab.scrape("a 2\n")) == {"a": 2, "b": "stale"}
    assert own(lab.scrape("a 3\n")) == {"a": 3}
    assert own(lab.scrape("b 1\n")) == {"a": "stale", "b": 1}


@pytest.mark.parametrize("failure", [ScrapeError("refused"), "no metrics at all {"])
def test_a_target_that_fails_ends_its_series(failure):
    """Its series end, up is 0, and health says why; with the next good answer it is up again."""
    lab = Lab()
    lab.scrape("a 1\n")
    found = lab.scrape(failure)
    assert (own(found), found["up"], found["scrape_samples_scraped"]) == ({"a": "stale"}, 0, 0)
    assert lab.target.health.state == "down"
    assert lab.target.health.error
    assert lab.scrape("a 2\n")["up"] == 1
    assert (lab.target.health.state, lab.target.health.error) == ("up", "")


def test_the_end_of_scraping_ends_everything():
    """When the server stops, all series end, those about the scrape too."""
    lab = Lab()
    lab.scrape("a 1\n")
    asyncio.run(lab.target.end())
    assert lab.last() == dict.fromkeys(["a", *REPORT], "stale")
    asyncio.run(lab.target.end())
    assert len(lab.requests) == 2


def test_samples_with_times_of_their_own_are_not_ended():
    """A target that gives a time says itself how old a value is, as for Prometheus."""
    lab = Lab()
    lab.scrape("a 1 1700000000000\n")
    assert lab.requests[0].timeseries[0].samples[0].timestamp == 1_700_000_000_000
    assert own(lab.scrape("b 1\n")) == {"b": 1}


def test_labels_that_meet_those_of_the_target():
    """Ours stay and theirs are called exported_, unless theirs are to be honoured; the first of two series stays."""
    text = 'a{job="own",exported_job="x",instance=""} 1\nb 1\nb 2\n'
    assert own(Lab().scrape(text)) == {"a,exported_exported_job=own,exported_job=x": 1, "b": 1}
    lab = Lab(honor_labels=True)
    lab.scrape(text)
    assert lab.labels(lab.requests[0].timeseries[0].labels_refs)["job"] == "own"


def test_relabelling():
    """Rules keep and drop series by a label's whole value, rename and remove labels, in their order."""
    rules = (
        Rule("keep", "__name__", re.compile("a|b|c")),
        Rule("drop", "code", re.compile("5..")),
        Rule("rename", "pod", to="container"),
        Rule("remove", "code"),
    )
    lab = Lab(relabel=rules)
    found = lab.scrape('a{code="200",pod="p"} 1\na{code="500"} 2\nb 3\nabc 4\nc{pod=""} 5\n')
    assert own(found) == {"a,container=p": 1, "b": 3, "c": 5}
    assert (found["scrape_samples_scraped"], found["scrape_samples_post_metric_relabeling"]) == (5, 3)


def test_exemplars_and_start_times():
    """An exemplar is sent once, however often the target shows it, and created times go with each sample."""
    lab = Lab()
    text = '# TYPE a counter\na_total 1 # {{trace_id="{}"}} 0.5\na_created 5.5\n# EOF\n'
    shown = []
    for trace in ("t1", "t1", "t2"):
        lab.scrape(Answer(text.format(trace).encode(), OPEN, ""))
        series = lab.requests[-1].timeseries[0]
        shown.append([lab.labels(exemplar.labels_refs) for exemplar in series.exemplars])
        assert series.samples[0].start_timestamp == 5_500
    assert shown == [[{"trace_id": "t1"}], [], [{"trace_id": "t2"}]]


def test_packed_answers_have_a_limit():
    """An answer in gzip is unpacked up to the limit; a larger or damaged one is the target's failure."""
    lab = Lab(max_body_bytes=1000)
    assert own(lab.scrape(Answer(gzip.compress(b"a 1\n"), "text/plain", "gzip"))) == {"a": 1}
    for content in (gzip.compress(b"#" * 2000), b"junk"):
        assert lab.scrape(Answer(content, "text/plain", "gzip"))["up"] == 0
        assert "max_body" in lab.target.health.error


def test_what_can_not_be_stored_is_said():
    """When ingest refuses, health says so, and the time left to the next scrape is what is tried in."""
    lab = Lab(interval_s=10)
    lab.problem = "not stored: disk full"
    lab.scrape("a 1\n")
    assert (lab.target.health.state, lab.target.health.error) == ("down", "not stored: disk full")
    assert 9 < lab.patience_s <= 10
