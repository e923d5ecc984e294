"""The list of issues: figures, order, pages, states and filters."""

from __future__ import annotations

import pytest
from known_occurrences import DAY, NOW_NS, WINDOW, at

from spanglass_server.issues.model import IssueChange
from spanglass_server.issues.states import State
from spanglass_server.query.errors import BadQuestionError, FilterError
from spanglass_server.query.issues.listing import IssueOrder, IssueQuestion, list_issues
from spanglass_server.times import format_time


def ask(world, filter_text="", *, order=None, buckets=10, **question):
    """List issues of the range."""
    asked = IssueQuestion(WINDOW, filter_text, **question)
    return list_issues(world.session(), world.issues, asked, order or IssueOrder(), NOW_NS, buckets)


def ids(answer):
    """Return the ids of a list's issues."""
    return [issue["id"] for issue in answer["issues"]]


def test_one_issue(world):
    """An issue of a list has its figures in the range, and what the store knows of it."""
    world.see(1, 10, release="1.0", environment="prod", user="ann")
    world.see(1, 910, 3, release="1.1", environment="test", user="bob")
    world.see(1, 20, user="ann")

    answer = ask(world)

    assert answer["issues"] == [
        {
            "id": "SHOP-1",
            "title": "ValueError: no 1",
            "type": "ValueError",
            "message": "no 1",
            "culprit": "shop.f1",
            "service": "shop",
            "slot": answer["issues"][0]["slot"],
            "state": "new",
            "substate": "",
            "assignee": None,
            "is_overflow": False,
            "events": 5,
            "users": 2,
            "first_seen_time": format_time(at(10)),
            "last_seen_time": format_time(at(910)),
            "first_release": "1.0",
            "last_release": "1.1",
            "environments": ["prod", "test"],
            "series": answer["issues"][0]["series"],
            "trend": 0.447,
        }
    ]
    assert [count for count in answer["issues"][0]["series"] if count] == [2, 3]
    assert answer["counts"] == {"new": 1, "ongoing": 0, "regressed": 0, "resolved": 0, "ignored": 0}
    assert answer["next_cursor"] is None


def test_only_the_range_counts(world):
    """Occurrences outside of the range do not count, and an issue without one in it is not listed."""
    world.see(1, 10)
    world.see(1, -10)
    world.see(2, -10)

    answer = ask(world)

    assert [(issue["id"], issue["events"]) for issue in answer["issues"]] == [("SHOP-1", 1)]
    assert answer["issues"][0]["first_seen_time"] == format_time(at(-10))


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("last_seen", [3, 2, 1]),
        ("first_seen", [3, 2, 1]),
        ("events", [1, 2, 3]),
        ("users", [2, 3, 1]),
        ("trend", [2, 3, 1]),
    ],
)
@pytest.mark.parametrize("descending", [True, False])
def test_sorting_and_pages(world, sort, order, descending):
    """Each sort puts the largest first, or last; pages of one issue each give the same order."""
    world.see(1, 100, 5, user="ann")
    world.see(2, 700, 2, user="ann")
    world.see(2, 710, user="bob")
    world.see(2, 720, user="cay")
    world.see(3, 900, user="ann")
    world.see(3, 901, user="bob")
    found, cursor = [], None

    for _ in range(3):
        answer = ask(world, order=IssueOrder(sort, descending, 1, cursor))
        found += ids(answer)
        cursor = answer["next_cursor"]

    expected = [world.id_of(key) for key in order]
    assert found == (expected if descending else expected[::-1])
    assert cursor is None


def test_states(world):
    """Open issues are listed unless others are asked for; counts are of all states."""
    for key in (1, 2, 3):
        world.see(key, key)
    world.see(4, 4)
    world.store.observe([], NOW_NS)
    world.store.change([world.id_of(1)], IssueChange(state=State.RESOLVED), "ann", NOW_NS)
    world.store.change([world.id_of(2)], IssueChange(state=State.IGNORED), "ann", NOW_NS)
    world.store.change([world.id_of(3)], IssueChange(assignee="ann"), "ann", NOW_NS)

    assert ids(ask(world)) == [world.id_of(4), world.id_of(3)]
    assert ids(ask(world, states=("resolved", "ignored"))) == [world.id_of(2), world.id_of(1)]
    assert len(ids(ask(world, states=("all",)))) == 4
    assert ids(ask(world, assignee="ann")) == [world.id_of(3)]
    assert ids(ask(world, assignee="none")) == [world.id_of(4)]
    counts = ask(world, states=("regressed",))["counts"]
    assert counts == {"new": 1, "ongoing": 1, "regressed": 0, "resolved": 1, "ignored": 1}
    with pytest.raises(BadQuestionError, match="'done' is no state"):
        ask(world, states=("done",))


def test_new_issues_become_ongoing_with_age(world):
    """An issue that was seen first a week ago is ongoing, also to the filter."""
    world.see(1, 5, time_ns=NOW_NS - 7 * DAY)
    world.see(1, 5)
    world.see(2, 6)

    assert [issue["state"] for issue in ask(world)["issues"]] == ["new", "ongoing"]
    assert ids(ask(world, "state = ongoing")) == [world.id_of(1)]


def test_merged_issues_are_one(world):
    """A merged issue has the events and users of all its keys, each user once; unmerged they are two again."""
    world.see(1, 1, user="ann")
    world.see(2, 2, user="ann")
    world.see(2, 3, user="bob")
    first, second = world.id_of(1), world.id_of(2)
    merges = world.store.merge([second], first, "ann", NOW_NS)

    for sort in ("events", "users"):
        (issue,) = ask(world, order=IssueOrder(sort))["issues"]
        assert (issue["id"], issue["events"], issue["users"]) == (first, 3, 2)

    world.store.unmerge([merge.id for merge in merges], "ann", NOW_NS)
    assert {issue["id"]: issue["events"] for issue in ask(world)["issues"]} == {first: 1, second: 2}


def span(number, **attributes):
    """Make a stored span that tells of an exception."""
    return {
        "trace_id": bytes([number]) * 16,
        "span_id": bytes([number]) * 8,
        "start_time_ns": at(number),
        "duration_ns": 5,
        **attributes,
    }


@pytest.mark.parametrize(
    ("filter_text", "keys"),
    [
        ("type = KeyError", [2]),
        ("service = shop", [1, 2]),
        ("service = other", [3]),
        ("resource.service.name = other", [3]),
        ("handled = true", [1]),
        ("user = ann and not type = KeyError", [1]),
        ("assignee = ann", [2]),
        ("assignee exists", [2]),
        ("assignee != ann", [1, 3]),
        ("state = ongoing", [2]),
        ("state in (ongoing, new)", [1, 2, 3]),
        ("title ~ 'no [12]'", [1, 2]),
        ("title = *Error:*2", [2]),
        ("issue = SHOP-1", [1]),
        ("http.route = /buy", [1]),
        ("span.http.route = /buy", [1]),
        ("http.route != /buy", [2, 3]),
        ("tenant = acme", [3]),
        ("tenant = acme or http.route = /buy", [1, 3]),
        ("f2", [2]),
        ("'KeyError: no'", [2]),
        ("nothing.has.this exists", []),
    ],
)
def test_filters(world, filter_text, keys):
    """A filter takes fields of occurrences, of issues, attributes of what tells the exception, and free text."""
    world.see(1, 1, trace_id=b"\1" * 16, span_id=b"\1" * 8, handled=True, user="ann")
    world.see(2, 2, type="KeyError", trace_id=b"\2" * 16, span_id=b"\2" * 8, user="ann")
    world.see(3, 3, service_name="other", source=1, record_order=77)
    world.store.change([world.id_of(2)], IssueChange(assignee="ann"), "ann", NOW_NS)
    world.records["spans"] = [span(1, **{"span.http.route:str": "/buy"}), span(2, **{"span.http.route:str": "/"})]
    world.records["logs"] = [{"time_ns": at(3), "arrival_order": 77, "log.tenant:str": "acme"}]

    assert sorted(ids(ask(world, filter_text))) == sorted(map(world.id_of, keys))


@pytest.mark.parametrize("filter_text", ["state = done", "title ~ '('", "type = ", "event.nothing ~ '('"])
def test_wrong_filters(world, filter_text):
    """A filter that can't be understood is refused, with the place."""
    world.see(1, 1)

    with pytest.raises(FilterError) as refused:
        ask(world, filter_text)

    assert refused.value.column > 0


def test_a_cursor_of_another_order(world):
    """A cursor belongs to its sort."""
    for key in (1, 2):
        world.see(key, key)
    cursor = ask(world, order=IssueOrder(limit=1))["next_cursor"]

    with pytest.raises(BadQuestionError, match="sorted by last_seen desc"):
        ask(world, order=IssueOrder("events", limit=1, cursor=cursor))
