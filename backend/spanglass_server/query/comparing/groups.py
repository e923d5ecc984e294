"""Records of one kind in two groups: the bad ones of a stretch of time, and all others of it and of the time before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict

from spanglass_core.differences.shares import difference
from spanglass_server.query.comparing.candidates import Candidate, Usual, attribute_columns, candidates_among, count
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.rows.json_values import json_value
from spanglass_server.query.statements import rows, run, statement
from spanglass_server.signals import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.comparing.candidates import Counted
    from spanglass_server.query.records import Records
    from spanglass_server.store.ports import QuerySession

#: So many of the bad ones, the newest, are looked at for values that stand out.
_MOST_BAD = 5_000
#: What fewer of the bad ones have, and none of the others, is an id.
_LEAST_COUNT = 3


class StandingOut(TypedDict):
    """A value that the bad records have more often than the others.

    Shares are of all records of each group. ``lift`` is how many times more often, null if none of the others has it;
    ``difference`` by how much the share is larger at least, whatever the size of the groups: a few cases prove nothing.
    """

    key: str
    value: Any
    share: float
    other_share: float
    lift: float | None
    count: int
    other_count: int
    difference: float


class Comparison(TypedDict):
    """How many are bad, with how many others the newest of them were compared, and what sets them apart.

    The largest difference comes first.
    """

    bad: int
    others: int
    attributes: list[StandingOut]


@dataclass(frozen=True, slots=True)
class Groups:
    """All records of a kind, of two stretches of time in a row; ``bad`` says which are bad, from ``start_ns`` on.

    ``columns`` are the fixed columns that ``bad`` reads.
    """

    records: Records
    bad: Sql
    columns: frozenset[str]
    start_ns: int

    @property
    def is_bad(self) -> Sql:
        """SQL that is true for bad records and false for all others."""
        text = f"coalesce({self.records.time} >= ? AND ({self.bad.text}), false)"
        return Sql(text, (self.start_ns, *self.bad.parameters))

    def relation(self, session: QuerySession, names: Sequence[str]) -> Sql:
        """The records that are meant, with some columns, and ``is_bad``; without those only bad before ``start_ns``."""
        return statement(
            "comparing/grouped",
            columns=Sql("".join(f"{quote_identifier(name)}, " for name in names)),
            is_bad=self.is_bad,
            relation=self.records.relation(session, {*names, *self.columns}),
            where=self.records.predicate,
            start_ns=self.start_ns,
            time=Sql(self.records.time),
            bad=self.bad,
        )

    def usual(self, session: QuerySession) -> Sequence[Groups]:
        """The same of as many of the newest others as are enough to tell what is usual."""
        records = self.records
        usual = Usual(records.signal, records.window, self.start_ns)
        windows = usual.newest(session, self.relation(session, [records.time]), Sql("NOT is_bad"))
        return [replace(self, records=records.narrowed(window)) for window in windows]


def standing_out(session: QuerySession, groups: Groups, skipped: tuple[str, ...], limit: int) -> Comparison:
    """What sets the bad records apart; keys that begin with a text of ``skipped`` are left out."""
    records = groups.records
    names = [column.name for column in attribute_columns(session, records.signal, records.window, skipped)]
    latest = statement("comparing/latest_bad", relation=groups.relation(session, [*names, records.time]),
                       time=Sql(records.time), count=_MOST_BAD)  # fmt: skip
    bad = run(session, latest)
    candidates = candidates_among(bad)
    wanted = list(dict.fromkeys(each.column.name for each in candidates))
    relations = [each.relation(session, wanted) for each in groups.usual(session)]
    others = count(session, relations, Sql("NOT is_bad"), candidates)
    found = [_standing_out(each, place, bad.num_rows, others) for place, each in enumerate(candidates)]
    found = [each for each in found if each["difference"] > 0 and is_no_id(each["count"], each["other_count"])]
    found.sort(key=lambda each: (-each["difference"], each["key"]))
    all_bad = _count_bad(session, groups) if bad.num_rows == _MOST_BAD else bad.num_rows
    return {"bad": all_bad, "others": others.records, "attributes": found[:limit]}


def _count_bad(session: QuerySession, groups: Groups) -> int:
    relation = groups.relation(session, [groups.records.time])
    (row,) = rows(
        session, statement("comparing/counts", counts=Sql("count(*) AS bad"), relation=relation, where=Sql("is_bad"))
    )
    return int(row["bad"])


def is_no_id(count: int, others: int) -> bool:
    """Whether a value may say something: enough of the bad records have it, or others have it too."""
    return count >= _LEAST_COUNT or others > 0


def _standing_out(each: Candidate, place: int, bad: int, others: Counted) -> StandingOut:
    having, other = each.count, others.having[place]
    share = having / bad
    other_share = other / others.records if others.records else 0.0
    return {
        "key": each.column.key,
        "value": json_value(each.value),
        "share": round(share, 4),
        "other_share": round(other_share, 4),
        "lift": round(share / other_share, 2) if other_share else None,
        "count": having,
        "other_count": other,
        "difference": round(difference(having, bad, other, others.records), 4),
    }
