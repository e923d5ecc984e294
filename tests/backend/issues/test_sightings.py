"""What is seen of a key until the issue store is told."""

from __future__ import annotations

from spanglass_core.grouping.fingerprint import Fingerprint
from spanglass_server.issues.occurrences.sightings import Sightings
from spanglass_server.issues.occurrences.told import Told

GROUP = Fingerprint(
    key=7, version=1, title="ValueError", type="ValueError", message="", culprit="Stock.take", inputs=()
)
NOTHING = Told(*[None] * len(Told._fields))


def told(time_ns, message, release="1.0"):
    """An exception of a service at a time."""
    texts = {"service": "checkout", "environment": "", "message": message, "release": release}
    return NOTHING._replace(time_ns=time_ns, **texts)


def summaries(sightings):
    """When, in which release and in which words keys were seen."""
    return [(one.first_ns, one.last_ns, one.release, one.title) for one in sightings]


def test_many_exceptions_are_one_sighting_in_the_words_of_the_earliest():
    """In whatever order they come; a release is a sighting of its own, and what was taken does not come again."""
    seen = Sightings()
    for one in (told(20, "b"), told(10, "a"), told(30, "c"), told(25, "d", release="2.0")):
        seen.see(7, one, GROUP)

    assert seen.has_news()
    assert summaries(seen.take()) == [(10, 30, "1.0", "ValueError: a"), (25, 25, "2.0", "ValueError: d")]
    assert (seen.has_news(), seen.take()) == (False, [])


def test_what_could_not_be_told_is_joined_with_what_came_since():
    """It is told once, in the words of the earliest of both."""
    seen = Sightings()
    seen.see(7, told(20, "b"), GROUP)
    seen.put_back(seen.take())
    first = summaries(seen.take())
    seen.see(7, told(20, "b"), GROUP)
    seen.put_back(seen.take())
    seen.see(7, told(15, "a"), GROUP)
    seen.see(7, told(40, "c"), GROUP)

    assert first == [(20, 20, "1.0", "ValueError: b")]
    assert summaries(seen.take()) == [(15, 40, "1.0", "ValueError: a")]
