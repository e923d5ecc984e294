"""What a rule of grouping would do: stored occurrences are grouped without it and with it, and compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from spanglass_core.grouping.rules import Rules
from spanglass_server.issues.occurrences.grouper import Grouper
from spanglass_server.query.issues.occurrences.sources import PLACE, told_of
from spanglass_server.query.issues.one import key_text
from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.statements import run, statement
from spanglass_server.signals import Signal, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from spanglass_core.grouping.rules import Rule
    from spanglass_server.issues.model import IssueSummary
    from spanglass_server.query.issues.answers import GroupingPreview, Joined, MovedTo, MovingIssue
    from spanglass_server.query.issues.known import KnownIssues
    from spanglass_server.store.ports import QuerySession, Window

#: So many of the latest occurrences are grouped anew: 0.1 ms each.
MAX_GROUPED = 10_000
_SHOWN = 200
_COLUMNS = ("time_ns", "issue_key", "service_name", *PLACE)


def preview_rule(
    session: QuerySession, issues: KnownIssues, standing: Rules, rule: Rule, window: Window
) -> GroupingPreview:
    """Answer ``POST /api/v1/grouping/preview``."""
    snapshot = issues.snapshot()
    occurrences = _latest(session, rule, window)
    with_rule = Rules((*standing.rules, replace(rule, id="preview")))
    keys = tuple(sorted(with_rule.attribute_keys))
    before, after = Grouper(standing), Grouper(with_rule)
    moved: Counter[tuple[int, int]] = Counter()
    titles: dict[int, str] = {}
    compared = 0
    stored = occurrences["issue_key"].to_pylist()
    for key, told in zip(stored, told_of(session, occurrences, keys), strict=True):
        if told is None:
            continue
        compared += 1
        now = before.group(told._replace(attributes=_only(told.attributes, before.keys))).fingerprint
        then = after.group(told).fingerprint
        moved[key, key if now.key == then.key else then.key] += 1
        titles.setdefault(then.key, then.title)
    moves = _moves(moved, snapshot.by_key)
    return {
        "compared": compared,
        "not_stored": len(stored) - compared,
        "is_sample": len(stored) == MAX_GROUPED,
        "moved": sum(count for (old, new), count in moved.items() if old != new),
        "splits": _splits(moves, titles, snapshot.by_key)[:_SHOWN],
        "merges": _merges(moves, titles, snapshot.by_key)[:_SHOWN],
    }


def _latest(session: QuerySession, rule: Rule, window: Window) -> pa.Table:
    relation = Sql(session.relation(Signal.OCCURRENCES, window, _COLUMNS))
    table = run(
        session,
        statement(
            "issues/latest",
            columns=Sql(", ".join(map(quote_identifier, _COLUMNS))),
            relation=relation,
            where=Sql("service_name = ?", (rule.service,)) if rule.service else TRUE,
            count=MAX_GROUPED,
        ),
    )
    return table.filter(pc.is_valid(table["record_time_ns"]))


def _only(attributes: Mapping[str, str], keys: Sequence[str]) -> dict[str, str]:
    return {key: attributes[key] for key in keys if key in attributes}


_Moves = dict[str, Counter[str]]


def _name(key: int, by_key: Mapping[int, IssueSummary]) -> str:
    """Name where occurrences of a key go: the issue that has it, or the key in hex."""
    issue = by_key.get(key)
    return issue.id if issue else key_text(key)


def _moves(moved: Counter[tuple[int, int]], by_key: Mapping[int, IssueSummary]) -> _Moves:
    """Count, by issue, where its occurrences go; those that stay go to itself."""
    moves: _Moves = defaultdict(Counter)
    for (old, new), count in moved.items():
        if old in by_key:
            moves[by_key[old].id][_name(new, by_key)] += count
    return moves


def _to(name: str, count: int, titles: Mapping[str, str]) -> MovedTo:
    is_issue = "-" in name  # as all ids have, and no hex digits
    return {
        "issue": name if is_issue else None,
        "key": None if is_issue else name,
        "title": titles.get(name, ""),
        "events": count,
    }


def _named(titles: Mapping[int, str], by_key: Mapping[int, IssueSummary]) -> dict[str, str]:
    """Return titles by the names of issues and keys."""
    named = {key_text(key): title for key, title in titles.items()}
    return named | {issue.id: issue.title for issue in by_key.values()}


def _splits(moves: _Moves, titles: Mapping[int, str], by_key: Mapping[int, IssueSummary]) -> list[MovingIssue]:
    """Return issues whose occurrences would be in several groups, the largest first."""
    named = _named(titles, by_key)
    found: list[MovingIssue] = [
        {
            "issue": issue,
            "title": named[issue],
            "events": counts.total(),
            "to": [_to(name, count, named) for name, count in counts.most_common(_SHOWN)],
        }
        for issue, counts in moves.items()
        if len(counts) > 1
    ]
    return sorted(found, key=lambda each: (-each["events"], each["issue"]))


def _merges(moves: _Moves, titles: Mapping[int, str], by_key: Mapping[int, IssueSummary]) -> list[Joined]:
    """Return groups that would have occurrences of several issues, the largest first."""
    named = _named(titles, by_key)
    joined: dict[str, Counter[str]] = defaultdict(Counter)
    for issue, counts in moves.items():
        for name, count in counts.items():
            joined[name][issue] += count
    found: list[Joined] = [
        {
            "into": _to(name, counts.total(), named),
            "from": [{"issue": issue, "title": named[issue], "events": count} for issue, count in counts.most_common()],
        }
        for name, counts in joined.items()
        if len(counts) > 1
    ]
    return sorted(found, key=lambda each: -each["into"]["events"])
