"""Every situation of tests/data/cases is taken by the server: what must be seen of each is tested by signal."""

from __future__ import annotations

import time

import pytest
from cases import CASES, Case

#: Statements, not telemetry; and what a sender wrote that is no valid OTLP/JSON: ``input.json`` beside it is.
_OTHERS = {
    "14-sql-comment-after-semicolon/input.json",
    "sender-01-json-int-out-of-range/as-sent.json",
}
FILES = sorted({path.relative_to(CASES).as_posix() for path in CASES.glob("*/*.json")} - _OTHERS)


@pytest.mark.parametrize("file", FILES)
def test_every_case_is_stored(cases_server, file):
    """A server answers each of the files with full success."""
    name, _, part = file.partition("/")
    Case(name, time.time_ns()).send(cases_server, part)
