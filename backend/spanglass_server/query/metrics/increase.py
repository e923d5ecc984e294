"""Increases of sums and histograms between points, by the data model's rules, spread over the steps they cover.

- A delta point is its own increase over (start, time]. One that begins before the end of an earlier point of its
  series overlaps it and is dropped, unless by so little that it is the next one (``_SLACK``): then it is trimmed. Of
  points with the same start and time only copies are dropped: others are what was counted besides (Micrometer sends
  the last, partial interval of a process with the start and time of the one before it).
- A cumulative point adds its difference to the point before of the same writer, over the time between. Which start
  times are those of one writer is decided in ``sql/metrics/writers.sql``. The first point of a writer counts from zero
  when it began inside what is read, and nothing when its true start is unknown (start = time or later, or none) or
  earlier. A value that fell is a reset as well, of a histogram also one of a bucket.
- Nothing is known about the time between two far points, or two with a marker between them: their increase belongs to
  the step of the later one, and steps between stay empty.

(opentelemetry.io/docs/specs/otel/metrics/data-model: "Sums", "Resets and gaps", "Overlap".)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.metrics.identity import DELTA
from spanglass_server.query.metrics.points import reach_of
from spanglass_server.query.metrics.question import GAP_NS
from spanglass_server.query.statements import rows, statement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.query.metrics.points import Selection, Values
    from spanglass_server.query.metrics.question import Notes

Row = dict[str, Any]

NUMBER_COLUMNS = frozenset({"value_int", "value_double"})
#: Starts no further apart than this may be those of one writer: senders compute theirs anew at each export, from clocks
#: and uptimes in whole seconds.
_NEAR_NS = 10_000_000_000
#: Starts that differ by less are always one start; by more, one that is not before the last point of all
#: earlier ones is a restart.
_JITTER_NS = 100_000_000
#: By how much a delta may begin before the one before it ends: a tenth of its length, at most a second.
_SLACK = Sql("least(1000000000, greatest(time_ns - start_ns, 0) // 10)")
_NO_TWINS = Sql("false AS is_twin,")
_RUNS = Sql("(SELECT *, NULL::BIGINT AS gap_ns FROM runs)")

#: What pieces of increases say besides values, in an aggregate over them.
FACTS = statement("metrics/facts")


@dataclass(frozen=True, slots=True)
class Measures:
    """What points are subtracted by: value columns, of which the first tells which writers there are.

    ``fell`` is the condition for a reset between a point and the one before it (``prev_<name>``); points that are not
    ``comparable`` count for nothing. ``prepared`` adds columns to points with those before them; ``spent`` are not
    needed once resets are known.
    """

    values: Values
    names: Sequence[str]
    fell: Sql
    comparable: Sql = TRUE
    prepared: Callable[[Sql], Sql] = lambda runs: runs
    spent: Sequence[str] = ()

    @property
    def content(self) -> Sql:
        """What a point says, as one number."""
        return Sql(f"hash({', '.join(self.names)})")

    @property
    def key(self) -> Sql:
        """The key of a delta point; copies are told apart by place, so that all but the first can go."""
        same = f"series, start_ns, time_ns, {self.content.text}"
        return Sql(f"hash({same}, row_number() OVER (PARTITION BY {same}))")

    @property
    def twins(self) -> Sql:
        """The column ``is_twin``: whether a delta has the start and time of the one before it, and says other."""
        other = " OR ".join(f"{name} IS DISTINCT FROM lag({name}) OVER run" for name in self.names)
        equal = "start_ns = lag(start_ns) OVER run AND time_ns = lag(time_ns) OVER run"
        return Sql(f"coalesce(is_delta AND {equal} AND ({other}), false) AS is_twin,")


class Pieces:
    """Increases of a selection's points, one row for each step that an increase covers.

    Rows have ``step`` (its start in ns), ``share`` (of the increase in this step), ``paced`` (the same, as it counts
    for rates), ``from_ns`` and ``to_ns`` (the piece's time), ``is_last``, ``is_reset``, ``is_overlap``, ``mode``
    (``diff``: subtract the previous values; ``whole``: take the values as they are), all columns of the points, and
    ``prev_<measure>`` of each.
    """

    def __init__(self, selection: Selection, measures: Measures) -> None:
        self.selection = selection
        self._measures = measures
        margin_ns = max(GAP_NS, selection.buckets.step_ns)
        self._reach = reach_of(selection, margin_ns, margin_ns)
        self._points = selection.points(measures.values, self._reach, with_markers=True, as_sent=False)

    def largest(self, grouped: Callable[[Sql], Sql], notes: Notes) -> list[Row]:
        """Run a statement over pieces, only its largest groups; where deltas overlap, without those to drop."""
        found = self.selection.largest(grouped(self._sql(())))
        overlapping = 0
        if any(row["overlapping"] for row in found):
            dropped = self._overlapping()
            overlapping = len(dropped)
            found = self.selection.largest(grouped(self._sql(dropped)))
        notes.count(overlapping, "overlapping delta point was left out", "overlapping delta points were left out")
        self._note_deltas(notes)
        return found

    def unusable(self) -> Sql:
        """Rows for points with values that can't be added up, for a union with the pieces; it is none of them."""
        buckets = self.selection.buckets
        return statement("metrics/unusable", step_ns=buckets.step_ns, start_ns=buckets.first_ns, end_ns=self._end_ns)

    @property
    def _end_ns(self) -> int:
        buckets = self.selection.buckets
        return buckets.first_ns + buckets.count * buckets.step_ns

    def _sql(self, dropped: Sequence[int]) -> Sql:
        measures, buckets = self._measures, self.selection.buckets
        runs = statement("metrics/runs_with_gaps") if self.selection.metric.has_markers else _RUNS
        first = Sql(measures.names[0])
        return statement(
            "metrics/pieces",
            points=self._points,
            writers=statement("metrics/writers", measure=first, near_ns=_NEAR_NS, jitter_ns=_JITTER_NS),
            kept=_without(dropped, measures.key),
            twins=measures.twins if DELTA in self.selection.metric.temporalities else _NO_TWINS,
            lags=Sql(", ".join(f"lag({name}) OVER run AS prev_{name}" for name in measures.names)),
            measure=first,
            slack=_SLACK,
            runs=measures.prepared(runs),
            fell=measures.fell,
            spent=Sql(f"EXCLUDE ({', '.join(measures.spent)})" if measures.spent else ""),
            comparable=measures.comparable,
            from_ns=self._reach.start_ns,
            gap_ns=max(GAP_NS, buckets.step_ns),
            step_ns=buckets.step_ns,
            first_ns=buckets.first_ns,
            end_ns=self._end_ns,
        )

    def _overlapping(self) -> list[int]:
        """Find the delta points to drop so that none overlap: of each series, keep every point that ends first.

        Its twins stay too: points of the same start and time that say other.
        Which points fall depends on which were kept before, so this runs over rows; only series with an overlap are
        read.
        """
        measures = self._measures
        text = statement(
            "metrics/overlaps", points=self._points, slack=_SLACK, content=measures.content, key=measures.key
        )
        dropped, series, last, said = [], None, (0, 0), set[int]()
        for row in rows(self.selection.session, text):
            if row["series"] != series:
                series, last = row["series"], (0, 0)
            if (row["start_ns"], row["time_ns"]) == last and row["content"] not in said:
                said.add(row["content"])
            elif row["start_ns"] < last[1] - row["slack_ns"]:
                dropped.append(row["key"])
            else:
                last, said = (row["start_ns"], row["time_ns"]), {row["content"]}
        return dropped

    def _note_deltas(self, notes: Notes) -> None:
        """Note how many deltas were left out for cumulative points that carry the same."""
        if self.selection.of_one_temporality(self._reach) is TRUE:
            return
        every = self.selection.points(self._measures.values, self._reach, with_markers=True)
        (left_out,) = rows(self.selection.session, statement("metrics/left_out", all=every, kept=self._points))
        notes.count(
            left_out["points"],
            "delta point was left out, whose sender also sends cumulative ones",
            "delta points were left out, whose senders also send cumulative ones",
        )


def _without(dropped: Sequence[int], key: Sql) -> Sql:
    if not dropped:
        return Sql("")
    return Sql(f"QUALIFY NOT list_contains(?::UBIGINT[], {key.text})", (list(dropped),))
