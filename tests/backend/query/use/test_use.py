"""Users, sessions and features, told by hand-made spans and log records."""

from __future__ import annotations

import pytest
from use_records import DAY, HOUR, MINUTE, NOW_NS, record, request

from spanglass_server.query.errors import BadQuestionError, FilterError
from spanglass_server.query.use import activity
from spanglass_server.query.use.activity import UseQuestion
from spanglass_server.query.use.courses import course_of
from spanglass_server.query.use.features import list_features, list_paths
from spanglass_server.query.use.overview import Shown, use_overview
from spanglass_server.query.use.people import list_sessions, list_users
from spanglass_server.query.use.summary import active_users, summarize_use
from spanglass_server.store.ports import Window

WINDOW = Window(NOW_NS - 4 * HOUR, NOW_NS)
ALL = UseQuestion(WINDOW)


def shop():
    """Ann has two sessions by silence, Bob two by their ids, which overlap; somebody has a session and no name."""
    spans = [
        request("ann", 200 * MINUTE),
        request("ann", 190 * MINUTE, failed=True, name="POST /pay"),
        request("ann", 150 * MINUTE),  # 40 minutes later
        request("bob", 100 * MINUTE, session="b1"),
        request("bob", 95 * MINUTE, session="b2", kind=1),  # no request
        request("bob", 90 * MINUTE, session="b1"),
        request(None, 5 * MINUTE, session="c1"),
        request(None, 4 * MINUTE),
    ]
    logs = [
        record("ann", 189 * MINUTE, event="paid"),
        record("bob", 80 * MINUTE, event="paid", session="b2"),
        record("bob", 80 * MINUTE, event="paid", session="b2"),
        record("bob", 79 * MINUTE, event="exception", severity=17, session="b2"),
        record(None, 3 * MINUTE, event="seen"),
        record(None, 3 * MINUTE, event="spanglass.health.changed"),
    ]
    return {"spans": spans, "logs": logs}


def test_users_and_sessions_over_time(open_tables):
    """Users of each step are counted once, sessions where they begin; silence parts those without an id."""
    answer = summarize_use(open_tables(**shop()), ALL, 4)
    figures = ("users", "sessions", "anonymous", "requests", "errors", "events")
    assert [answer[name] for name in figures] == [2, 5, 1, 6, 1, 3]
    assert [(point["users"], point["sessions"]) for point in answer["points"]] == [(1, 1), (1, 1), (1, 2), (0, 1)]
    # 0 of ann's second and the nameless, 10 minutes of b1, 11 of ann's first, 16 of b2
    assert (answer["session_p50_ns"], answer["session_p95_ns"]) == (10 * MINUTE, 16 * MINUTE)
    assert answer["users_share"] is None
    paid = summarize_use(open_tables(**shop()), UseQuestion(WINDOW, 'name = "POST /pay" or event_name = paid'), 4)
    assert (paid["users"], paid["requests"], paid["events"]) == (2, 1, 3)


@pytest.mark.parametrize("few", [True, False])
def test_an_overview_is_what_each_answer_is(open_tables, monkeypatch, few):
    """Totals and lists of one look are those of three, also of some of very many users, and without anybody."""
    if not few:
        monkeypatch.setattr(activity, "_FEW_ROWS", 0)
        monkeypatch.setattr(activity, "MOST_USERS", 1)
    for tables in (shop(), {}):
        session = open_tables(**tables)
        assert use_overview(session, ALL, Shown(4, 2, 3, "", "requests")) == {
            "summary": summarize_use(session, ALL, 4),
            "users": list_users(session, ALL, "", "requests", 2),
            "sessions": list_sessions(session, ALL, "last", 3),
        }


def test_filters_of_one_signal(open_tables):
    """What only spans can have finds spans, what only log records can have finds these; what neither has is wrong."""
    session = open_tables(**shop())
    of_spans, of_logs = (UseQuestion(WINDOW, text) for text in ('trace(name = "POST /pay")', 'log.user.id = "ann"'))
    assert [summarize_use(session, of_spans, 4)[name] for name in ("users", "requests", "events")] == [1, 1, 0]
    assert [summarize_use(session, of_logs, 4)[name] for name in ("users", "requests", "events")] == [1, 0, 1]
    assert list_features(session, of_spans, 4)["features"] == []
    assert list_paths(session, of_logs, 4)["paths"] == []
    for ask in (summarize_use, list_features, list_paths):
        with pytest.raises(FilterError):
            ask(session, UseQuestion(WINDOW, "("), 4)


def test_no_ids_are_no_users(open_tables):
    """Without ids there is nobody, without records too."""
    nameless = [
        {key: value for key, value in request(None, HOUR).items() if "user" not in key and "session" not in key}
    ]
    for tables in ({}, {"spans": nameless}):
        session = open_tables(**tables)
        assert summarize_use(session, ALL, 4)["users"] == 0
        assert active_users(session, ALL)["month"] == 0
        assert list_users(session, ALL, "", "last", 5)["users"] == []
        assert list_sessions(session, ALL, "last", 5)["sessions"] == []
        assert course_of(session, UseQuestion(WINDOW, user="ann"), 5)["steps"] == []


def test_users_of_days(open_tables):
    """Whoever was there within 1, 7 and 30 days, by any of the ids; not who was there before."""
    spans = [
        request("a", HOUR),
        request("b", DAY + HOUR),
        request("a", 3 * DAY),
        request("c", 8 * DAY),
        request("d", 31 * DAY),
        request(None, 2 * HOUR, **{"span.enduser.id:str": "e"}),
    ]
    answer = active_users(open_tables(spans=spans, logs=[record("f", 29 * DAY)]), ALL)
    assert (answer["day"], answer["week"], answer["month"]) == (2, 3, 5)
    assert answer["since"] == "2026-10-20T11:00:00.000000000Z"


def test_of_very_many_users_some_are_counted(open_tables, monkeypatch):
    """Past a million users (here: 100) every so many-th is counted, whole, and the answer says so."""
    monkeypatch.setattr(activity, "_FEW_ROWS", 10)
    monkeypatch.setattr(activity, "MOST_USERS", 100)
    session = open_tables(spans=[request(f"u{number % 400}", MINUTE, session=f"s{number}") for number in range(800)])
    answer = summarize_use(session, ALL, 4)
    assert answer["users_share"] in (1 / 4, 1 / 5, 1 / 3)
    assert 300 < answer["users"] < 500
    assert 2 * answer["users"] == answer["requests"]
    assert 600 < answer["sessions"] < 1_000
    assert list_users(session, ALL, "", "last", 5)["total"] == answer["users"]


def test_of_sampled_sessions_each_is_whole(open_tables, monkeypatch):
    """Sessions are chosen by their id: one that begins before its user is known is one session, and whole."""
    monkeypatch.setattr(activity, "_FEW_ROWS", 10)
    monkeypatch.setattr(activity, "MOST_USERS", 200)
    spans = [
        request(f"u{number}" if who else None, ago * MINUTE, session=f"s{number}")
        for number in range(800) for who, ago in ((False, 9), (True, 8))
    ]  # fmt: skip
    spans += [request(f"u{number}", 7 * MINUTE) for number in range(800)]  # of no session: none of its own
    session = open_tables(spans=spans)
    answer = summarize_use(session, ALL, 4)
    assert answer["users_share"] in {1 / number for number in range(6, 11)}
    assert (answer["anonymous"], answer["session_p50_ns"]) == (0, MINUTE)
    assert 500 < answer["sessions"] < 1_100
    assert 500 < answer["users"] < 1_100
    listed = list_sessions(session, ALL, "last", 500)
    assert listed["total"] == answer["sessions"]
    assert {row["requests"] for row in listed["sessions"]} == {2}


def test_lists(open_tables):
    """Users and sessions with what was seen of each, sorted and searched."""
    session = open_tables(**shop())
    answer = list_users(session, ALL, "", "errors", 5)
    assert [
        (row["user"], row["sessions"], row["requests"], row["errors"], row["events"]) for row in answer["users"]
    ] == [
        ("ann", 2, 3, 1, 1),
        ("bob", 2, 2, 0, 2),
    ]
    assert list_users(session, ALL, "OB", "last", 5)["total"] == 1
    answer = list_sessions(session, ALL, "last", 4)
    assert answer["total"] == 5
    assert [(row["session"], row["user"], row["duration_ns"] // MINUTE) for row in answer["sessions"]] == [
        ("c1", None, 0),
        ("b2", "bob", 16),
        ("b1", "bob", 10),
        (None, "ann", 0),
    ]
    assert list_sessions(session, UseQuestion(WINDOW, user="ann"), "duration", 4)["sessions"][0]["requests"] == 2


def test_users_who_share_a_session(open_tables):
    """Both are users with their own figures; the session is of whom it was last. What is of none counts, too."""
    spans = [request(who, ago * MINUTE, session="s") for who, ago in (("ann", 9), ("ann", 8), ("bob", 7))]
    session = open_tables(spans=[*spans, request("bob", 90 * MINUTE)])  # the last one is of no session
    assert {row["user"]: row["requests"] for row in list_users(session, ALL, "", "last", 5)["users"]} == {
        "bob": 2,
        "ann": 2,
    }
    assert [summarize_use(session, ALL, 4)[name] for name in ("users", "sessions", "requests")] == [2, 1, 4]
    (one,) = list_sessions(session, ALL, "last", 5)["sessions"]
    assert (one["user"], one["requests"]) == ("bob", 3)


def test_features_and_paths(open_tables):
    """Events by name without those that are ours, and requests by name and route, with how many users each has."""
    routed = {"span.http.route:str": "/pay/{id}"}
    spans = [
        *shop()["spans"],
        request("ann", MINUTE, name="POST", **routed),
        request("bob", MINUTE, name="POST", **routed),
    ]
    inner = [request(None, MINUTE, name="GET /stock") for _ in range(9)]
    session = open_tables(spans=[*spans, *inner], logs=shop()["logs"])
    features = list_features(session, ALL, 5)["features"]
    assert [(row["name"], row["events"], row["users"], row["sessions"]) for row in features] == [
        ("paid", 3, 2, 1),
        ("seen", 1, 0, 0),
    ]
    paths = list_paths(session, ALL, 5)["paths"]
    assert [(row["operation"], row["route"], row["requests"], row["users"], row["errors"]) for row in paths] == [
        ("GET /cart", None, 6, 2, 0),
        ("POST", "/pay/{id}", 2, 2, 0),
        ("POST /pay", None, 1, 1, 1),
        ("GET /stock", None, 9, 0, 0),
    ]
    assert paths[0]["p95_ns"] == 10_000_000


def test_paths_of_a_filter_with_or(open_tables):
    """Spans that are no requests are none of the paths, whichever condition they match."""
    spans = [request("ann", MINUTE), request("ann", MINUTE, name="SELECT", kind=3)]
    session, either = open_tables(spans=spans), UseQuestion(WINDOW, "name = SELECT or name = none")
    assert list_paths(session, either, 5)["paths"] == []
    both = UseQuestion(WINDOW, "kind:client or kind:server")
    assert [row["operation"] for row in list_paths(session, both, 5)["paths"]] == ["GET /cart"]


def test_features_and_paths_of_one(open_tables):
    """The first of several ids is who it is, here as in the course: what Bob does for Ann is Bob's."""
    other = {"log.enduser.id:str": "ann"}
    logs = [record("ann", 9 * MINUTE, event="paid"), record("bob", 8 * MINUTE, event="sold", **other)]
    spans = [
        request("ann", MINUTE, session="a1"),
        request("bob", MINUTE, name="GET /other", **{"span.enduser.id:str": "ann"}),
    ]
    session, ann = open_tables(spans=spans, logs=logs), UseQuestion(WINDOW, user="ann")
    of_session = UseQuestion(WINDOW, session="a1")
    assert [row["name"] for row in list_features(session, ann, 5)["features"]] == ["paid"]
    assert [row["operation"] for row in list_paths(session, ann, 5)["paths"]] == ["GET /cart"]
    assert summarize_use(session, ann, 4)["requests"] == 1
    assert [row["operation"] for row in list_paths(session, of_session, 5)["paths"]] == ["GET /cart"]


def test_the_course_of_a_user(open_tables):
    """Traces by the first span that is theirs, events and errors, newest first; or only what failed."""
    begun = request("ann", 100 * MINUTE, trace=7, name="POST /order")
    logs = [
        record("ann", 98 * MINUTE, event="ordered", body="ordered 2 books"),
        record("ann", 97 * MINUTE, severity=17, body="no paper", **{"log.exception.type:str": "OutOfPaper"}),
        record("ann", 96 * MINUTE, body="not told"),
        record("bob", 95 * MINUTE, event="ordered"),
        # the first of several ids is who it is
        record("bob", 94 * MINUTE, event="ordered", **{"log.enduser.id:str": "ann"}),
    ]
    within = request("ann", 99 * MINUTE, trace=7, kind=3, failed=True, name="SELECT")
    spans = [begun, within, request("ann", 90 * MINUTE), request("bob", MINUTE)]
    session = open_tables(spans=spans, logs=logs)
    ann = UseQuestion(WINDOW, user="ann")
    answer = course_of(session, ann, 10)
    assert [(step["kind"], step["name"], step["text"], step["spans"], step["failed"]) for step in answer["steps"]] == [
        ("request", "GET /cart", None, 1, False),
        ("error", "OutOfPaper", "no paper", 0, True),
        ("event", "ordered", "ordered 2 books", 0, False),
        ("request", "POST /order", None, 2, True),
    ]
    assert answer["steps"][3]["span_id"] == begun["span_id"].hex()
    assert answer["more"] is False
    assert course_of(session, ann, 2)["more"] is True
    failed = course_of(session, ann, 10, failed_only=True)["steps"]
    assert [step["name"] for step in failed] == ["OutOfPaper", "POST /order"]
    with pytest.raises(BadQuestionError, match="of a user or of a session"):
        course_of(session, ALL, 10)
