from __future__ import annotations

import re
from pathlib import Path

import pytest

from spanglass_core.settings_types import SettingsError
from spanglass_server.process.parts import scraping
from spanglass_server.scraping.jobs import Job
from spanglass_server.scraping.reading import read_jobs
from spanglass_server.settings.settings import load


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a settings file and returns its path."""

    def write(text):
        path = tmp_path / "settings.yaml"
        path.write_text(text)
        return path

    return write


def test_a_job_with_everything(file):
    """Each key has its place, and other parts of the file are none of scraping's business."""
    path = file(
        """
server: {port: 4318}
scrape:
  - job: team/node
    targets: [127.0.0.1:9100, "[::1]:9100", host.example]
    interval: 30s
    timeout: 5s
    path: /probe?module=x
    scheme: https
    headers: {X-Scope: a, Accept: text/plain}
    bearer_token_file: /run/token
    ca_file: ca.pem
    labels: {env: prod}
    honor_labels: true
    max_body: 1MiB
    relabel:
      - {action: keep, regex: "a|b.*"}
      - {action: drop, label: code, regex: "5.."}
      - {action: rename, label: pod, to: instance}
      - {action: remove, label: le}
  - {job: other, targets: [x:1]}
"""
    )
    first, other = read_jobs(path)
    assert (first.targets, first.interval_s, first.timeout_s) == (
        ("127.0.0.1:9100", "[::1]:9100", "host.example"),
        30,
        5,
    )
    assert first.url("h:1") == "https://h:1/probe?module=x"
    assert (first.headers, first.labels) == ({"X-Scope": "a", "Accept": "text/plain"}, {"env": "prod"})
    assert (first.bearer_token_file, first.ca_file) == (Path("/run/token"), Path("ca.pem"))
    assert (first.honor_labels, first.max_body_bytes) == (True, 1 << 20)
    assert [(rule.action, rule.label, rule.to) for rule in first.relabel] == [
        ("keep", "__name__", ""),
        ("drop", "code", ""),
        ("rename", "pod", "instance"),
        ("remove", "le", ""),
    ]
    assert other == Job("other", ("x:1",))
    assert load(file=path).server.port == 4318


def test_what_is_left_out_has_defaults(file):
    """Without a part scrape nothing is scraped; a short interval shortens the timeout."""
    assert read_jobs(None) == read_jobs(file("")) == read_jobs(file("server:\n  port: 1\nscrape:\n")) == ()
    (job,) = read_jobs(file("scrape:\n  - {job: a, targets: [], interval: 2s}\n"))
    assert (job.timeout_s, job.targets) == (2, ())


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("{job: a, target: [x:1]}", r":2:14: scrape\[0\]: unknown key 'target'; did you mean 'targets'"),
        ("{targets: [x:1]}", r":2:5: scrape\[0\]\.job: it is missing"),
        ("{job: a}", r"scrape\[0\]\.targets: it is missing"),
        ("{job: a, targets: x:1}", r":2:23: scrape\[0\]\.targets: expected a list"),
        ("{job: a, targets: ['http://x:1/m']}", r"expected host:port, got 'http://x:1/m'; scheme and path are keys"),
        ("{job: a, targets: ['x y']}", r"expected host:port"),
        ("{job: a, targets: [x:1], interval: soon}", r":2:40: scrape\[0\]\.interval: .*\(got 'soon'\)"),
        ("{job: a, targets: [x:1], interval: 1ms}", r"scrape\[0\]\.interval: must be 0.1 s at least"),
        ("{job: a, targets: [x:1], timeout: 20s}", r"scrape\[0\]\.timeout: .* at most the interval, 15 s"),
        ("{job: a, targets: [x:1], scheme: ftp}", r"scrape\[0\]\.scheme"),
        ("{job: a, targets: [x:1], path: metrics}", r"scrape\[0\]\.path: must begin with /"),
        ("{job: a, targets: [x:1], labels: {a-b: c}}", r"'a-b' is no name of a label"),
        ("{job: a, targets: [x:1], labels: {__a: c}}", r"'__a' is no name of a label"),
        ("{job: a, job: b, targets: [x:1]}", r"scrape\[0\]\.job is given twice"),
        ("{job: a, targets: [x:1], relabel: [{regex: a}]}", r"relabel\[0\]\.action: it is missing: one of keep"),
        (
            "{job: a, targets: [x:1], relabel: [{action: keep}]}",
            r"relabel\[0\]: keep has the keys action, label, regex",
        ),
        ("{job: a, targets: [x:1], relabel: [{action: keep, regex: '('}]}", r"relabel\[0\]\.regex: .*\(got '\('\)"),
        ("{job: a, targets: [x:1], relabel: [{action: replace, label: a}]}", r"relabel\[0\]\.action"),
        ("[]", r":2:5: expected the keys of scrape\[0\]"),
        (
            "{job: a, targets: [x:1]}\n  - {job: a, targets: [y:1]}",
            r":3:5: scrape\[1\]\.job: there is a job 'a' already",
        ),
    ],
)
def test_mistakes_are_named_with_their_place(file, job, said):
    """An error says the file, the line and the key, and what to write instead."""
    with pytest.raises(SettingsError) as error:
        read_jobs(file(f"scrape:\n  - {job}\n"))
    assert re.search(said, str(error.value)), error.value


def test_missing_libraries_are_named(file, monkeypatch):
    """Without the extra the server says how to get it, and only where something is to be scraped."""
    monkeypatch.setattr(scraping, "find_spec", lambda _: None)
    assert scraping.jobs_of(load(file=file("server:\n  port: 1\n"))) == ()
    with pytest.raises(SettingsError, match=r"prometheus_client and httpx: pip install 'spanglass-server\[scrape\]'"):
        scraping.jobs_of(load(file=file("scrape:\n  - {job: a, targets: [x:1]}\n")))
