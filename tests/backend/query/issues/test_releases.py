"""Releases with their issues, and the share of their requests that went well, beside the release before."""

from __future__ import annotations

from known_occurrences import NOW_NS, WINDOW, at

from spanglass_server.issues.model import IssueChange
from spanglass_server.issues.states import ResolvedIn, State
from spanglass_server.query.issues.releases import list_releases


def request(number, release, **fields):
    """Make a stored request."""
    return {
        "trace_id": bytes([number]) * 16,
        "span_id": b"\1" * 8,
        "kind": 2,
        "status_code": 0,
        "start_time_ns": at(number),
        "resource.service.name:str": "shop",
        "resource.service.version:str": release,
        **fields,
    }


def test_releases(world):
    """A request failed by its status or an exception that nobody handled; issues are those that a release changed."""
    world.see(1, 1, release="1.0", trace_id=b"\1" * 16, handled=False)
    world.see(2, 12, release="1.1", trace_id=b"\x0c" * 16, handled=True)
    world.store.change(
        [world.id_of(1)], IssueChange(state=State.RESOLVED, resolved=ResolvedIn.RELEASE, release="1.0"), "ann", at(5)
    )
    world.store.change(
        [world.id_of(2)], IssueChange(state=State.RESOLVED, resolved=ResolvedIn.RELEASE, release="1.1"), "ann", NOW_NS
    )
    world.see(1, 20, release="1.1", trace_id=b"\x14" * 16, handled=False)
    world.records["spans"] = [
        *(request(number, "1.0") for number in (1, 2, 3, 4)),
        *(request(number, "1.1") for number in (11, 12, 20)),
        request(13, "1.1", status_code=2),
        request(14, "1.1", kind=3, status_code=2),
    ]

    answer = list_releases(world.session(), world.issues, WINDOW, None, 50)

    shown = ("release", "new_issues", "regressed_issues", "resolved_issues", "requests", "failed_requests")
    assert [tuple(release[name] for name in shown) for release in answer["releases"]] == [
        ("1.1", 1, 1, 1, 4, 2),
        ("1.0", 1, 0, 0, 4, 1),
    ]
    newest, oldest = answer["releases"]
    assert (newest["crash_free_share"], newest["before"], newest["crash_free_share_before"]) == (0.5, "1.0", 0.75)
    assert (oldest["before"], oldest["crash_free_share_before"]) == (None, None)
    assert list_releases(world.session(), world.issues, WINDOW, "shop", 1)["releases"] == [newest]
    assert list_releases(world.session(), world.issues, WINDOW, "none", 1)["releases"] == []


def test_a_release_without_requests(world):
    """Its share is not known; the newest by version comes first, whatever was seen last."""
    for release, second in (("2.0", 1), ("1.9", 9)):
        world.see(1, second, release=release)

    releases = list_releases(world.session(), world.issues, WINDOW, "shop", 50)["releases"]

    assert [(each["release"], each["crash_free_share"]) for each in releases] == [("2.0", None), ("1.9", None)]
