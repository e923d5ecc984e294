"""A look into a few segments: who sends the largest attributes, how many values they have, debug logs, health checks.

At most ``PARTS`` segments of a signal, spread over the range, and only the columns that are asked about: 1 M rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import rows, statement
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import AttributeColumn, Signal, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.query.costs.answers import Values
    from spanglass_server.store.ports import Part, QuerySession

PARTS: Final = 4
_ENTRY: Final = 200
#: Where requests say what they asked for, the first that is there.
_PATHS: Final = ("span.http.route:str", "span.url.path:str", "span.http.target:str")
#: Paths of health checks, as a regular expression that RE2 and Python read alike.
PROBES: Final = "/(healthz?|healthcheck|livez|readyz|live|ready|liveness|readiness|ping)/?([?].*)?$"
_SERVER: Final = 2
#: Severity numbers of TRACE and DEBUG.
_DEBUG: Final = "severity_number BETWEEN 1 AND 8"
#: With as many distinct values for each record an attribute counts as unique: they are counted to 2 or 3 % only.
_UNIQUE: Final = 0.8
_FEW: Final = 20


@dataclass(slots=True)
class Look:
    """What was seen of one column: texts' bytes by service, values that are there, distinct ones."""

    sizes: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    filled: int = 0
    distinct: int = 0
    most_distinct: int = 0

    @property
    def values(self) -> Values | None:
        """What its values are like within services; None of too few to say."""
        if self.filled < _FEW:
            return None
        if self.most_distinct <= 1:
            return "constant"
        return "unique" if self.distinct >= _UNIQUE * self.filled else "repeated"


@dataclass(slots=True)
class Sample:
    """What was seen of a signal: ``marked`` are debug logs or spans of health checks by service."""

    records: int = 0
    marked: Counter[str] = field(default_factory=Counter)
    looks: dict[str, Look] = field(default_factory=dict)


def sample(session: QuerySession, signal: Signal, parts: Sequence[Part], columns: Sequence[str]) -> Sample:
    """Look at columns (stored names) of some of a signal's segments."""
    found = Sample(looks={name: Look() for name in columns})
    for part in spread(parts):
        for row in _rows(session, signal, part, tuple(sorted(part.columns.intersection(columns)))):
            found.records += row["records"]
            if row["marked"]:
                found.marked[row["service"]] += row["marked"]
            for name, (filled, size, distinct) in row["columns"].items():
                look = found.looks[name]
                look.filled += filled
                look.distinct += distinct
                look.most_distinct = max(look.most_distinct, distinct)
                if filled:
                    look.sizes[row["service"]] += size
    return found


def spread(parts: Sequence[Part]) -> list[Part]:
    """Some of the segments, at even distances from the first to the last in time."""
    in_time = sorted(parts, key=lambda part: (part.min_time_ns, part.key))
    if len(in_time) <= PARTS:
        return in_time
    return [in_time[place * (len(in_time) - 1) // (PARTS - 1)] for place in range(PARTS)]


def _rows(session: QuerySession, signal: Signal, part: Part, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    return session.kept.kept(
        ("sample for costs", part.key, columns),
        lambda: _asked(session, signal, part, columns),
        lambda found: _ENTRY * (1 + len(found) * (1 + len(columns))),
    )


def _asked(session: QuerySession, signal: Signal, part: Part, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    marked, needed = _marked(signal, part)
    figures = [f"{marked.text} AS marked"]
    for place, name in enumerate(columns):
        text = f"{quote_identifier(name)}::VARCHAR"
        figures += [
            f"count({text}) AS filled_{place}",
            f"coalesce(sum(strlen({text})), 0)::DOUBLE AS size_{place}",
            f"approx_count_distinct({text}) AS distinct_{place}",
        ]
    relation = session.part_relation(part, sorted({SERVICE, *needed, *columns}))
    sql = statement(
        "costs/sample",
        service=SERVICE_NAME,
        figures=Sql(", ".join(figures), marked.parameters),
        relation=Sql(relation),
    )
    return [
        {
            "service": row["service"],
            "records": row["records"],
            "marked": row["marked"],
            "columns": {
                name: (row[f"filled_{place}"], row[f"size_{place}"], row[f"distinct_{place}"])
                for place, name in enumerate(columns)
            },
        }
        for row in rows(session, sql)
    ]


def _marked(signal: Signal, part: Part) -> tuple[Sql, Sequence[str]]:
    """Count what can be told apart by its kind, and the columns for that."""
    if signal is Signal.LOGS and "severity_number" in part.columns:
        return Sql(f"count(*) FILTER ({_DEBUG})"), ("severity_number",)
    paths = [name for name in _PATHS if name in part.columns]
    if signal is Signal.SPANS and paths and "kind" in part.columns:
        path = f"coalesce({', '.join(map(quote_identifier, paths))})"
        return Sql(f"count(*) FILTER (kind = {_SERVER} AND regexp_matches({path}, ?))", (PROBES,)), ("kind", *paths)
    return Sql("0"), ()


def looked_at(columns: Mapping[str, float], most: int) -> list[str]:
    """The largest of a signal's columns that are worth a look: attributes, and the bodies of logs."""
    known = [name for name in columns if name == "body" or AttributeColumn.parse(name)]
    return sorted(known, key=lambda name: (-columns[name], name))[:most]
