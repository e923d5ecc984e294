"""The order of releases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanglass_server.issues.releases import Releases, semantic_version


def test_semantic_versions_are_ordered_by_version():
    """As semver.org orders them, two to four numbers, Python's pre-releases and a name before @ too."""
    ordered = [
        "0.9",
        "v1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "shop@1.0.0-rc.1",
        "1.0.0",
        "1.1.0.dev3",
        "1.1.0a1",
        "1.1.0rc1",
        "1.1.0+build.7",
        "1.2",
        "1.10.0",
        "2026.01.05",
        "2026.1.5.1",
    ]

    assert sorted(ordered[1:] + ordered[:1], key=semantic_version) == ordered
    assert Releases(dict.fromkeys(ordered, 5)).oldest_first == ordered


@pytest.mark.parametrize("release", ["", "4f2a9c1", "1234567", "blue", "1.", "1.2.3.4.5", "v", "release-1.2", "1.2 "])
def test_what_is_no_version(release):
    """Hashes, also of digits alone, words and what only looks like a version are ordered by first seen."""
    assert semantic_version(release) is None


def test_others_are_ordered_by_first_seen():
    """Hashes and words stand in the order in which they came."""
    releases = Releases({"f00": 30, "blue": 10, "abc": 20})

    assert (releases.oldest_first, releases.newest) == (["blue", "abc", "f00"], "f00")


def test_an_old_version_shipped_late_stays_old():
    """A 1.4.1 shipped after 2.0 and after a hash is older than both."""
    releases = Releases({"1.4.0": 1, "2.0.0": 2, "f00": 3, "1.4.1": 4})

    assert releases.oldest_first == ["1.4.0", "1.4.1", "2.0.0", "f00"]


def test_a_release_never_seen_is_to_come():
    """It is newer than all others, unless both are versions: then the version says."""
    releases = Releases({"1.0": 1, "f00": 2, "3.0": 3})

    assert releases.is_older("f00", "new")
    assert not releases.is_older("new", "f00")
    assert releases.is_older("2.0", "3.0")
    assert not releases.is_older("4.0", "3.0")
    assert Releases({}).newest == ""


names = st.one_of(st.from_regex(r"[0-3]\.[0-3](-(a|b|1))?", fullmatch=True), st.sampled_from(["a", "b", "f00"]))


@given(st.dictionaries(names, st.integers(0, 9)), names, names)
def test_it_is_one_order(first_seen, one, other):
    """Two releases are ordered one way only, versions always by version, and a list in any order gives one result."""
    releases = Releases(first_seen)
    a, b = semantic_version(one), semantic_version(other)

    assert (releases.is_older(one, other) + releases.is_older(other, one)) == (one != other)
    if a and b and a != b:
        assert releases.is_older(one, other) == (a < b)
    assert Releases(dict(reversed(first_seen.items()))).oldest_first == releases.oldest_first


@given(st.text())
def test_any_text_can_be_a_release(text):
    """No text of a sender breaks the order."""
    assert Releases({text: 1, "1.0": 2}).is_older(text, text) is False
