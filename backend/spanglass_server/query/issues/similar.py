"""Issues that look alike: the same frames, type, culprit or message under another fingerprint."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spanglass_server.issues.ports import UnknownIssueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.issues.model import Issue, IssueSummary, Snapshot
    from spanglass_server.query.issues.answers import Similar
    from spanglass_server.query.issues.known import KnownIssues

_SHOWN = 5
#: So many are compared by their frames, which the issue store must be asked for.
_COMPARED = 25
_LEAST = 0.3
#: What each part counts for; together 1.
_WEIGHTS = {"frames": 0.4, "culprit": 0.25, "message": 0.2, "type": 0.15}
_WORD = re.compile(r"[^\W\d_]{2,}")


def similar_issues(issues: KnownIssues, snapshot: Snapshot, issue: Issue, now_ns: int) -> list[Similar]:
    """Return issues of any service that look like one, the most alike first."""
    this = issue.summary
    words = _words(this.message)
    others = (other for other in snapshot.issues.values() if other.id != this.id and not other.is_overflow)
    plain = [(_plain(this, words, other), other) for other in others]
    nearest = sorted((pair for pair in plain if pair[0]), key=lambda pair: (-sum(pair[0].values()), pair[1].id))
    frames = _frames(issue)
    found = []
    for parts, other in nearest[:_COMPARED]:
        shared = _overlap(frames, _frames_of(issues, other)) if frames else 0.0
        likeness = parts | ({"frames": _WEIGHTS["frames"] * shared} if shared else {})
        total = sum(likeness.values())
        if total >= _LEAST:
            found.append((total, likeness, other))
    found.sort(key=lambda each: (-each[0], each[2].id))
    return [
        {
            "id": other.id,
            "title": other.title,
            "state": other.state(now_ns).value,
            "service": other.service,
            "shared": [name for name in _WEIGHTS if name in likeness],  # type: ignore[misc]
            "likeness": round(total, 2),
        }
        for total, likeness, other in found[:_SHOWN]
    ]


def _plain(this: IssueSummary, words: frozenset[str], other: IssueSummary) -> dict[str, float]:
    """Compare what the snapshot has of two issues; nothing where only the type is the same."""
    parts = {}
    if this.culprit and this.culprit == other.culprit:
        parts["culprit"] = _WEIGHTS["culprit"]
    if this.type == other.type and this.type:
        parts["type"] = _WEIGHTS["type"]
    if parts and words:
        shared = _overlap(words, _words(other.message))
        if shared:
            parts["message"] = _WEIGHTS["message"] * shared
    return parts


def _words(message: str) -> frozenset[str]:
    return frozenset(_WORD.findall(message[:500].lower()))


def _frames(issue: Issue) -> frozenset[str]:
    return frozenset(value for key in issue.keys for kind, value in key.inputs if kind == "frame")


def _frames_of(issues: KnownIssues, other: IssueSummary) -> frozenset[str]:
    try:
        return _frames(issues.store.issue(other.id))
    except UnknownIssueError:  # gone since the snapshot
        return frozenset()


def _overlap(these: Iterable[str], those: Iterable[str]) -> float:
    """Return how much of two sets is in both, 0 to 1."""
    left, right = frozenset(these), frozenset(those)
    return len(left & right) / len(left | right) if left | right else 0.0
