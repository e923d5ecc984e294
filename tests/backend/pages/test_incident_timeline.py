"""The timeline of an incident's page, from the lines of the API."""

from __future__ import annotations

from spanglass_server.pages.incidents.reading import folded

SECOND = 1_000_000_000


def test_what_is_told_of_many_alerts_at_once_is_one_line():
    """A group that is told over a channel is one line with the number of its other alerts; all else stays apart."""

    def told(time_s, title, text, kind="alert.notified"):
        return {"time_ns": round(time_s * SECOND), "title": title, "kind": kind, "text": text, "who": "",
                "is_alert": kind != "note"}  # fmt: skip

    lines = [
        told(0, "A", "mail was told"), told(0.1, "B", "mail was told"), told(0.2, "A", "mail was told"),
        told(0.3, "A", "slack was told"), told(9, "A", "slack was told"),
        told(9.1, "", "looking", "note"), told(9.2, "", "looking", "note"),
    ]  # fmt: skip
    found = [(line["title"], line["text"], line["more"]) for line in folded(lines)]
    assert found == [
        ("A", "mail was told", 1), ("A", "slack was told", 0), ("A", "slack was told", 0),
        ("", "looking", 0), ("", "looking", 0),
    ]  # fmt: skip
