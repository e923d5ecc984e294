"""Figures of spans of which a sampler kept only some: each stands for 1/probability, its own attribute says which.

Nothing here runs while no sampled span is stored in the range: the exact questions stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.attribute_names import SAMPLING_PROBABILITY
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import rows, statement
from spanglass_server.signals import AttributeColumn, ValueType, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spanglass_server.store.ports import QuerySession

#: The column that sampled spans have. It stands in the projection of questions about services.
PROBABILITY = AttributeColumn("span", SAMPLING_PROBABILITY, ValueType.DOUBLE).name
_COLUMN = quote_identifier(PROBABILITY)
#: How many spans one stands for; what is no probability counts as 1. At most a billion: sums of more fit into no
#: number.
WEIGHT = f"CASE WHEN {_COLUMN} > 0 AND {_COLUMN} < 1 THEN 1 / greatest({_COLUMN}, 1e-9) ELSE 1 END"
#: More groups than any question has.
_ALL = 1_000_000

#: Counts of spans and of those that failed, and how many are stored where that is another number.
EXACT = {"spans": Sql("count(*)"), "errors": Sql("count(*) FILTER (status_code = 2)"), "stored": Sql("NULL")}
ESTIMATED = {
    "spans": Sql(f"round(sum({WEIGHT}))::BIGINT"),
    "errors": Sql(f"round(coalesce(sum({WEIGHT}) FILTER (status_code = 2), 0))::BIGINT"),
    "stored": Sql("count(*)"),
}


def counting(known: Iterable[str]) -> tuple[dict[str, Sql], tuple[str, ...]]:
    """Return the counts for a range that has these columns, and the columns that they need besides the status."""
    return (ESTIMATED, (PROBABILITY,)) if PROBABILITY in known else (EXACT, ())


def estimate(
    session: QuerySession,
    relation: Sql,
    where: Sql,
    keys: Mapping[str, Sql],
    *,
    sets: Sequence[Sequence[str]] = (),
    order: str = "requests DESC",
    limit: int = _ALL,
) -> list[dict[str, Any]]:
    """Estimate requests, errors, total and percentiles of duration of groups of spans; ``stored`` are those there are.

    ``relation`` has start, duration, status and ``PROBABILITY``. ``keys`` are the groups' names and values; ``sets``
    are several groupings at once, by name (all keys unless given). Percentiles are right to 1 %.
    """
    names = ", ".join(keys)
    groupings = (", ".join((*grouping, "step")) for grouping in sets or (tuple(keys),))
    return rows(
        session,
        statement(
            "estimates",
            keys=Sql(
                ", ".join(f"{sql.text} AS {name}" for name, sql in keys.items()),
                tuple(parameter for sql in keys.values() for parameter in sql.parameters),
            ),
            names=Sql(names),
            weight=Sql(WEIGHT),
            relation=relation,
            where=where,
            sets=Sql(", ".join(f"({grouping})" for grouping in groupings)),
            order=Sql(f"{order}, {names}"),
            count=limit,
        ),
    )


def sampled_share(stored: int | None, estimated: int) -> float | None:
    """Return which share of what is counted was kept; null where all of it was, and the count is exact."""
    return stored / estimated if stored and stored < estimated else None
