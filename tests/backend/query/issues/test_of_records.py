"""Which issues the exceptions of traces and log records belong to."""

from __future__ import annotations

import pytest
from known_occurrences import NOW_NS, at

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.issues.occurrences.of_records import issues_of


def ask(world, traces=(), logs=()):
    """Return (issue, source, span, log) of what is found."""
    found = issues_of(world.session(), world.issues, traces, logs, NOW_NS)["occurrences"]
    return [(each["issue"], each["source"], each["span_id"], each["log"]) for each in found]


def test_of_traces_and_logs(world):
    """The exceptions of a trace are found with their spans, that of a log record by the record's id; merged too."""
    world.see(1, 1, trace_id=b"\1" * 16, span_id=b"\2" * 8)
    world.see(2, 2, trace_id=b"\1" * 16, span_id=b"\3" * 8)
    world.see(3, 3, source=1, record_order=0xAB, record_time_ns=at(3))
    world.see(1, 4, trace_id=b"\4" * 16)
    world.store.merge([world.id_of(2)], world.id_of(1), "ann", NOW_NS)
    log = f"{at(3):x}-ab"

    assert ask(world, ["01" * 16]) == [
        ("SHOP-1", "span", "02" * 8, None),
        ("SHOP-1", "span", "03" * 8, None),
    ]
    assert ask(world, logs=[log]) == [(world.id_of(3), "log", None, log)]
    assert len(ask(world, ["01" * 16, "04" * 16], [log])) == 4
    assert ask(world, ["05" * 16], ["1-1"]) == ask(world) == []


@pytest.mark.parametrize(("traces", "logs", "field"), [(["x"], [], "traces"), ([], ["1"], "logs")])
def test_no_ids(world, traces, logs, field):
    """A text that is no id is refused, and the parameter named."""
    with pytest.raises(BadQuestionError) as refused:
        ask(world, traces, logs)

    assert refused.value.field == field
