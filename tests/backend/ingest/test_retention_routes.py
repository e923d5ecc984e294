"""Policies over the API: shown, checked, previewed, changed by the version that was seen, and carried out as told."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from aged import DAY_NS, FAILED, Attic, ids, of_place, request

from spanglass_server.api.errors import ApiError
from spanglass_server.api.retention.routes import retention_routes
from spanglass_server.settings.table import Retention as Settings
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME

MANY = range(1000)
POLICIES = {
    "policies": [
        {"name": "failed", "keep": "errors", "age": "90d"},
        {"name": "probes", "keep": "matching", "services": ["probe"], "age": "2d"},
    ],
    "ordinary": {"after": "7d", "keep_one_in": 10},
}


@pytest.fixture(scope="module")
def attic(tmp_path_factory):
    """Make a store of a thousand traces in four segments, without policies."""
    made = Attic(tmp_path_factory.mktemp("attic") / "data")
    made.put(*(request(range(first, first + 250)) for first in range(0, 1000, 250)))
    made.put(*(request(range(first, first + 250), 1) for first in range(0, 1000, 250)))
    yield made
    made.close()


@pytest.fixture
def call(attic):
    """Return a function that calls a route as the API does."""
    desk = attic.node.real.retention.desk(frozenset, Settings().max_bytes)
    routes = {(route.method, route.path): route for route in retention_routes(desk, 30.0)}

    def ask(method, path, **params):
        given = {"now_ns": attic.clock.now_ns, "x_spanglass_user": None, "X-Spanglass-User": None, **params}
        return attic.ask(lambda session: routes[method, path].query(session, given))

    return ask


def test_what_is_previewed_is_what_happens(attic, call):
    """The preview of a small store is exact; what is then put in force frees just that, and is told with who did it."""
    attic.clock.now_ns += 8 * DAY_NS
    before = call("GET", "/retention")
    assert (before["policies"], before["ordinary"], before["version"], before["file"]) == ([], None, 0, None)

    told = call("POST", "/retention/preview", body=POLICIES)
    classes = {each["name"]: each for each in told["classes"]}
    assert (told["segments"], told["segments_read"], told["stored"]["spans"]) == (8, 8, 2000)
    assert told["freed"]["bytes_error"] == 0
    # a range of one segment is judged by itself: of two spans of a failed trace, the failed one lies in four of them
    assert classes["probes"]["freed"]["spans"] == classes["probes"]["stored"]["spans"] == 200
    assert classes["failed"]["freed"]["spans"] == 0
    assert classes["all others"]["freed"]["spans"] == pytest.approx(0.9 * classes["all others"]["stored"]["spans"])
    assert sum(each["freed_spans"] for each in told["services"]) == pytest.approx(told["freed"]["spans"])
    assert told["bytes_at_pace"] < told["bytes_at_pace_before"]
    assert call("GET", "/retention")["version"] == 0  # nothing is changed by asking

    now = call("PUT", "/retention", body={**POLICIES, "version": 0, "note": "the disk is small", "by": "Ada"})
    assert (now["version"], now["ordinary"]) == (1, POLICIES["ordinary"])
    assert now["standing"]["segments_due"] == 8
    attic.age(8)
    left = attic.traces()
    assert 2000 - sum(left.values()) == pytest.approx(told["freed"]["spans"], rel=0.03)
    assert ids(of_place(MANY, FAILED)) <= left.keys()
    assert call("GET", "/retention")["standing"]["segments_due"] == 0
    assert call("POST", "/retention/preview", body=POLICIES)["freed"]["spans"] == 0

    (change,) = call("GET", "/retention/changes", limit=10)["changes"]
    assert (change["version"], change["by"], change["note"]) == (1, "Ada", "the disk is small")
    assert call("POST", "/retention/check", body={"yaml": change["yaml"]}) == {"yaml": change["yaml"], "problems": []}


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"policies": [{"name": "a", "keep": "all", "age": "1d"}], "version": 0}, "bad_request", "policies[0].keep"),
        ({"yaml": "ordinary: {after: 1d}", "version": 0}, "bad_request", "ordinary"),
        ({"yaml": "", "policies": [], "version": 0}, "bad_request", "yaml"),
        ({"policies": []}, "bad_request", "version"),
        ({"policies": [], "version": "1"}, "bad_request", "version"),
        ({"policies": [], "version": 77}, "conflict", "version"),
        ({"colour": "red", "version": 0}, "bad_request", "colour"),
    ],
)
def test_a_wrong_change_is_refused_by_its_field(call, body, code, field):
    """What can't be taken names its field, and nothing is changed."""
    version = call("GET", "/retention")["version"]
    with pytest.raises(ApiError) as refused:
        call("PUT", "/retention", body=body)
    assert (refused.value.problem.code, refused.value.problem.field) == (code, field)
    assert call("GET", "/retention")["version"] == version


def test_policies_of_a_file_are_changed_there(tmp_path):
    """A server whose settings name a file shows it, and refuses changes; by one with a mistake nothing is deleted."""
    file = tmp_path / "retention.yaml"
    file.write_text("ordinary: {after: 7d, keep_one_in: 10}\n")
    attic = Attic(tmp_path / "data", policies_file=file)
    desk = attic.node.real.retention.desk(frozenset, 0)
    show, change = (route.query for route in retention_routes(desk, 30.0)[:2])
    params = {"now_ns": attic.clock.now_ns, "X-Spanglass-User": None, "body": {"policies": [], "version": 0}}
    assert attic.ask(lambda session: show(session, params))["file"] == str(file)
    with pytest.raises(ApiError) as refused:
        attic.ask(lambda session: change(session, params))
    assert refused.value.problem.code == "forbidden"
    attic.close()

    file.write_text("ordinary: {after: 7d}\n")
    attic = Attic(tmp_path / "data", policies_file=file)
    said(attic, "retention.yaml:1:11: ordinary: keep_one_in is missing")
    attic.close()


def said(attic, problem):
    """Health tells of policies that can't be read, and housekeeping deletes nothing, whatever its age."""
    attic.put(request(range(50)))
    attic.clock.now_ns += 400 * DAY_NS
    attic.node.real.retention.run(1.0, lambda: False)
    assert len(attic.traces()) == 50
    (told,) = attic.node.real.problems
    assert told.startswith("nothing is deleted, since policies of retention can't be read: ")
    assert problem in told


def test_a_preview_counts_ages_as_they_are_judged(tmp_path):
    """Spans of last year that came today are as old as today's."""
    attic = Attic(tmp_path / "data")
    attic.clock.now_ns += 400 * DAY_NS
    attic.put(request(range(100)))
    desk = attic.node.real.retention.desk(frozenset, 0)
    route = next(route for route in retention_routes(desk, 30.0) if route.path == "/retention/preview")
    told = attic.ask(lambda session: route.query(session, {"now_ns": attic.clock.now_ns, "body": POLICIES}))
    assert (told["stored"]["spans"], told["freed"]["spans"]) == (100, 0)
    attic.close()


def test_a_preview_tells_what_waits_for_its_segment(tmp_path):
    """While the newest span of a segment is not past its age nothing goes, and what is past it is told."""
    attic = Attic(tmp_path / "data")
    attic.put(request(range(100)))
    desk = attic.node.real.retention.desk(frozenset, 0)
    route = next(route for route in retention_routes(desk, 30.0) if route.path == "/retention/preview")
    (part,) = attic.ask(lambda session: session.parts(Signal.SPANS, ALL_TIME))
    lasts_ns = part.max_time_ns - part.min_time_ns
    newest = max(part.max_time_ns, part.arrived_ns)
    policies = {"policies": [{"name": "all", "keep": "matching", "filter": "duration >= 0s", "age": "2d"}]}
    told = [
        attic.ask(lambda session, at=at: route.query(session, {"now_ns": newest + 2 * DAY_NS + at, "body": policies}))
        for at in (-2 * lasts_ns, -lasts_ns // 2, 1)
    ]
    sizes = [(each["waiting_bytes"] / part.bytes, each["freed"]["bytes"] / part.bytes) for each in told]
    assert sizes == [pytest.approx((0, 0)), pytest.approx((0.5, 0), abs=0.01), pytest.approx((0, 1))]
    attic.close()


def test_policies_that_could_not_be_read_again_are_refused(call):
    """What is too long as YAML is refused before it is kept, and a name has an end."""
    version = call("GET", "/retention")["version"]
    services = ["\ufeff" * 200] * 100  # six characters each in YAML
    long = [{"name": str(place), "keep": "errors", "services": services, "age": "9d"} for place in range(20)]
    named = [{"name": "n" * 201, "keep": "errors", "age": "9d"}]
    for policies, field in ((long, "policies"), (named, "policies[0].name")):
        with pytest.raises(ApiError) as refused:
            call("PUT", "/retention", body={"policies": policies, "version": version})
        assert (refused.value.problem.code, refused.value.problem.field) == ("bad_request", field)
    assert call("GET", "/retention")["version"] == version


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda file: file.write_bytes(b"no database at all" * 100), "is damaged"),
        (lambda file: put_text(file, "policies: ["), "not valid YAML"),
    ],
)
def test_a_server_starts_with_policies_that_cannot_be_read(tmp_path, spoil, problem):
    """It says so, and keeps everything."""
    attic = Attic(tmp_path / "data", "ordinary: {after: 7d, keep_one_in: 10}")
    attic.close()
    spoil(tmp_path / "data" / "retention.sqlite")
    attic = Attic(tmp_path / "data")
    said(attic, problem)
    attic.close()


def put_text(file, text):
    """Have other text in the newest version, as an older server may have kept it."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE versions SET text = ?", (text,))
