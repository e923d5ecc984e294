"""Patterns of log lines: a labelled set, and lines worked out by hand."""

from __future__ import annotations

import random
import re
from uuid import UUID

from spanglass_core.log_patterns import MOST_WORDS, find_patterns, masked

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank")
ROUTES = ("/cart", "/orders", "/products/list", "/login", "/health")
#: The lines of an imagined shop; each is a label. Of what is in braces every line has another value.
TEMPLATES = (
    "GET {route} answered {status} in {number} ms",
    "POST {route} answered {status} in {number} ms",
    "user {name} signed in from {ip}",
    "user {name} failed to sign in from {ip}: wrong password",
    "payment {id} of {number}.{two} EUR accepted by provider {number}",
    "payment {id} declined: insufficient funds",
    "connection to database {name} lost, trying again in {number} s",
    "connection pool has {number} of {number} connections in use",
    "cache miss for key {name}:{number}",
    "cache evicted {number} entries",
    "order {id} placed by customer {number} with {number} items",
    "order {id} shipped with parcel {id}",
    "worker {number} started",
    "worker {number} stopped after {number} jobs",
    "job {name}-{number} took {number} ms, limit is {number} ms",
    "retry {two} of 5 for request {uuid}",
    'could not parse field "{name}" in message {uuid}',
    "disk {route} is {two} % full",
    "certificate of {name}.example expires in {number} days",
    "config reloaded from file /etc/shop/{name}.yaml",
    "garbage collection of generation {two} freed {number} objects in {number} ms",
    "queue orders has {number} messages waiting, oldest is {number} s old",
    "mail to customer {number} sent by template {name}",
    "Traceback (most recent call last):",
    "shutting down",
)


def _values(rnd):
    number = rnd.randrange(1, 100_000)
    return {
        "route": rnd.choice(ROUTES),
        "status": rnd.choice([200, 204, 404, 503]),
        "number": number,
        "two": rnd.randrange(1, 99),
        "name": rnd.choice(NAMES),
        "ip": f"10.0.{rnd.randrange(255)}.{rnd.randrange(255)}",
        "id": f"{rnd.getrandbits(48):012x}",
        "uuid": str(UUID(int=rnd.getrandbits(128))),
    }


def _labelled():
    """Two thousand lines with the numbers of their templates."""
    rnd = random.Random(17)  # noqa: S311 - the same lines each time
    labels = [rnd.randrange(len(TEMPLATES)) for _ in range(2000)]
    return [(TEMPLATES[label].format(**_values(rnd)), label) for label in labels]


def test_labelled_lines():
    """Of 25 kinds of lines nearly all get a pattern of their own: the grouping accuracy is above 0.95."""
    labelled = _labelled()
    distinct = dict.fromkeys(masked(line) for line, _ in labelled)
    pattern_of = {line: place for place, pattern in enumerate(find_patterns(distinct)) for line in pattern.lines}
    found, wanted = {}, {}
    for place, (line, label) in enumerate(labelled):
        found.setdefault(pattern_of[masked(line)], set()).add(place)
        wanted.setdefault(label, set()).add(place)
    right = sum(len(places) for places in found.values() if places in wanted.values())
    assert right / len(labelled) > 0.95
    assert len(found) <= len(TEMPLATES) + 2


def test_values_are_masked():
    """Numbers, ids and quoted texts are masked wherever they stand; words are not."""
    assert masked('took 12.5ms for "a b" of 4f1c2b77d06e at 10:00:01, feedback added') == (
        'took <*>ms for "<*>" of <*> at <*>, feedback added'
    )


def test_lines_join_the_pattern_that_they_are_most_like():
    """Lines of another length or first word are apart; where alike ones differ there is a wildcard."""
    patterns = find_patterns(
        ["user alice logged in", "user bob logged in", "user bob logged in again", "host bob logged in"]
    )
    assert [(pattern.text, len(pattern.lines)) for pattern in patterns] == [
        ("user <*> logged in", 2),
        ("user bob logged in again", 1),
        ("host bob logged in", 1),
    ]
    assert find_patterns(["", "<*>", "<*> <*>"])[2].text == "<*> <*>"


def test_a_pattern_finds_its_lines():
    """The regular expression of a pattern matches every line of it, whatever signs stand in it; and no other."""
    lines = [
        *("a.b (c) [d] 1 ok", "a.b (c) [d] 2 ok", "été 5 % fertig\\x", "long " * (MOST_WORDS + 5)),
        *("  retry 3 of 5", "a\u00a0b c", "   "),
    ]
    patterns = {masked(line): pattern for line in lines for pattern in find_patterns([masked(line)])}
    for line in lines:
        assert [bool(re.match(patterns[masked(line)].regex, other)) for other in lines] == [
            masked(other) == masked(line) for other in lines
        ]


def test_lines_that_have_nothing_in_common_are_few_patterns():
    """Of one length and first word there are so many patterns at most; every line belongs to one that finds it."""
    lines = [
        f"INFO {' '.join(f'{chr(97 + place % 26)}{place // 26:x}x{word}z' for word in range(9))}"
        for place in range(300)
    ]
    patterns = find_patterns(lines)
    assert len(patterns) == 50
    assert sorted(line for pattern in patterns for line in pattern.lines) == sorted(lines)
    assert all(re.match(pattern.regex, line) for pattern in patterns for line in pattern.lines)
    assert patterns[-1].text == "INFO" + " <*>" * 9
