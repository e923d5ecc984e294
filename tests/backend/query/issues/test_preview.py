"""What a rule of grouping would do to stored occurrences."""

from __future__ import annotations

import pytest
from known_occurrences import WINDOW, at

from spanglass_core.grouping.exception import ExceptionReport
from spanglass_core.grouping.fingerprint import fingerprint
from spanglass_core.grouping.rules import NO_RULES, Rule
from spanglass_server.query.issues.preview import preview_rule

STACK = 'Traceback (most recent call last):\n  File "/srv/shop/{0}.py", line 3, in {0}\n    x\n{1}: no\n'


def tell(world, number, kind, function, tenant):
    """Let a log record tell an exception, grouped as it would be."""
    stack = STACK.format(function, kind)
    key = fingerprint(1, ExceptionReport("shop", kind, "no", stack)).key
    world.see(
        key, number, type=kind, source=1, record_order=number, record_time_ns=at(number), trace_id=None, message="no"
    )
    world.records["logs"].append(
        {
            "time_ns": at(number),
            "arrival_order": number,
            "resource.service.name:str": "shop",
            "log.exception.type:str": kind,
            "log.exception.message:str": "no",
            "log.exception.stacktrace:str": stack,
            "log.tenant.id:str": tenant,
        }
    )
    return world.id_of(key)


@pytest.fixture
def two(world):
    """Return the ids of two issues, with 3 occurrences and 1."""
    first = tell(world, 1, "ValueError", "take", "a")
    tell(world, 2, "ValueError", "take", "b")
    tell(world, 3, "ValueError", "take", "b")
    return first, tell(world, 4, "KeyError", "put", "a")


def preview(world, **rule):
    """Try a rule."""
    return preview_rule(world.session(), world.issues, NO_RULES, Rule.read(rule), WINDOW)


def test_a_rule_that_joins(world, two):
    """Issues whose occurrences would be one group are told, with how many each gives."""
    answer = preview(world, match={"type": "*Error"}, action={"join": "all"})

    assert (answer["compared"], answer["moved"], answer["splits"]) == (4, 4, [])
    (joined,) = answer["merges"]
    assert (joined["into"]["issue"], joined["into"]["events"]) == (None, 4)
    assert [(each["issue"], each["events"]) for each in joined["from"]] == [(two[0], 3), (two[1], 1)]


def test_a_rule_that_splits(world, two):
    """An issue whose occurrences would be several groups is told, with the groups."""
    answer = preview(world, match={"type": "ValueError"}, action={"split_by": ["tenant.id"]})

    (split,) = answer["splits"]
    assert (split["issue"], split["events"]) == (two[0], 3)
    assert [(each["issue"], each["events"]) for each in split["to"]] == [(None, 2), (None, 1)]
    assert (answer["moved"], answer["merges"]) == (3, [])


@pytest.mark.usefixtures("two")
def test_a_rule_that_changes_nothing(world):
    """A rule that matches nothing, or another service, moves nothing."""
    for rule in ({"match": {"type": "Other"}}, {"match": {"type": "*"}, "service": "cart"}):
        answer = preview(world, **rule, action={"join": "all"})
        assert (answer["moved"], answer["splits"], answer["merges"]) == (0, [], [])


@pytest.mark.usefixtures("two")
def test_records_that_are_deleted(world):
    """What can't be grouped anew is counted apart."""
    del world.records["logs"][0]

    answer = preview(world, match={"type": "*"}, action={"join": "all"})

    assert (answer["compared"], answer["not_stored"]) == (3, 1)
