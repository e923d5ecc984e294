"""Stored points as the series that PromQL works on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import execution_error
from spanglass_server.promql.ports import Selector
from spanglass_server.promql.series.labels import NAME, LabelColumn, LabelSets
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.stored.choice import may_be_thinned, shares_of, wanted, window_of
from spanglass_server.promql.stored.counting.announcing import announce
from spanglass_server.promql.stored.counting.families import COUNTED
from spanglass_server.promql.stored.counting.filters import refuse_filters
from spanglass_server.promql.stored.counting.source import Records, asked_of, counted, counted_samples
from spanglass_server.promql.stored.decoding.reading import Reader
from spanglass_server.promql.stored.discovery.directory import directory
from spanglass_server.promql.stored.discovery.exemplars import exemplars
from spanglass_server.promql.stored.discovery.kinds import kind_of
from spanglass_server.promql.stored.discovery.metadata import counted_metadata, metadata
from spanglass_server.promql.stored.gathering import samples_of
from spanglass_server.promql.stored.matching import accepted, matching
from spanglass_server.promql.stored.naming.identity import catalogue
from spanglass_server.promql.stored.naming.labels import labels_of
from spanglass_server.promql.stored.resolving import Chosen, Resolved, resolved
from spanglass_server.promql.stored.sharing import Found, Sharing
from spanglass_server.signals import Signal
from spanglass_server.store.part_cache import PartCache

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from spanglass_server.promql.engine import Options
    from spanglass_server.promql.ports import ObjectiveCounts
    from spanglass_server.promql.series.vectors import Steps
    from spanglass_server.promql.stored.choice import Share, Wanted
    from spanglass_server.promql.stored.counting.families import Counted
    from spanglass_server.promql.stored.decoding.pieces import Piece
    from spanglass_server.promql.stored.discovery.exemplars import SeriesExemplars
    from spanglass_server.promql.stored.discovery.kinds import MetricKind
    from spanglass_server.promql.stored.discovery.metadata import Metadata
    from spanglass_server.query.issues.event_log import EventLog
    from spanglass_server.store.ports import Part, QuerySession

#: Rollups of any step will do for lists.
_LIST_GRID_MS = 3_600_000
MAX_SAMPLES = 50_000_000
#: A column of the labels of some streams, whose texts others have too.
_BYTES_PER_COLUMN = 200
#: A sample takes so much while it is read: time and value, decoded and once more in the order of series.
_BYTES_PER_SAMPLE = 32
_COUNTED = frozenset(COUNTED)


def most_samples(memory_bytes: int) -> int:
    """How many samples a selector may read where queries may use so much memory."""
    return min(MAX_SAMPLES, memory_bytes // _BYTES_PER_SAMPLE)


class StoredSeries:
    """A ``SeriesSource`` over one session. ``cache`` and ``events`` are to be those of the whole process.

    Without ``events`` issues have none; without ``objectives`` there are none.
    """

    def __init__(
        self,
        session: QuerySession,
        cache: PartCache | None = None,
        *,
        max_samples: int = MAX_SAMPLES,
        events: EventLog | None = None,
        objectives: ObjectiveCounts | None = None,
    ) -> None:
        self._session = session
        self._cache = cache or PartCache()
        self._max_samples = max_samples
        self._records = Records(session, self._cache, events, objectives)
        self._sharing: Sharing | None = None
        self._shares: dict[tuple[int, int, int], list[Share]] = {}  # a session sees one snapshot
        self._held_names: dict[tuple[tuple[str, int], ...], frozenset[str]] = {}
        self._countable_names: dict[tuple[int, int], frozenset[str]] = {}

    def select(self, selector: Selector) -> Samples:
        """See ``SeriesSource``."""
        metric = counted(selector)
        if metric is not None:
            return self._counted(selector, metric)
        refuse_filters(selector)
        selector = replace(selector, summed_by=None) if selector.summed_by is not None else selector
        if self._sharing is not None and not selector.any_of:
            return self._sharing.select(selector, self._read)
        return self._read(selector, self._max_samples).samples

    def _counted(self, selector: Selector, metric: Counted) -> Samples:
        """Counts of records; equal ones of expressions that name other labels are put together once."""
        if self._sharing is None:
            return counted_samples(self._records, selector, metric, self._max_samples)
        asked, on_labels = asked_of(selector, metric)
        key = (asked, tuple(on_labels), replace(selector, matchers=(), named=frozenset()))
        return self._sharing.once(key, lambda: counted_samples(self._records, selector, metric, self._max_samples))

    def _read(self, selector: Selector, max_samples: int) -> Found:
        shares = self._shares_of(selector)
        forms = self._wanted(selector, shares)
        if selector.grid_ms and not may_be_thinned(forms, selector):
            selector = replace(selector, grid_ms=0)
            shares = self._shares_of(selector)
            forms = self._wanted(selector, shares)
        if not forms:
            return Found(Samples.none(), is_plain=True)
        found = self._resolved(selector, forms, shares, max_samples)
        return Found(samples_of(found, shares), found.is_plain)

    def announce(self, texts: Iterable[str], steps: Steps, options: Options) -> None:
        """Many expressions are about to be evaluated, now and again and again, as those of rules.

        What they count is read once for all of them, and what they select in this session too.
        """
        self.share()
        announce(self._records.cache, texts, steps, options)

    def share(self) -> StoredSeries:
        """Many metrics of the same parts are about to be asked for, here or in the next sessions: read them at once."""
        self._sharing = self._sharing or Sharing(self._cache, self._max_samples)
        return self

    def lacking(self, names: frozenset[str], start_ms: int, end_ms: int) -> frozenset[str]:
        """See ``SeriesSource``."""
        missing = names - self._held(self._shares_of(Selector((), start_ms, end_ms)))
        return missing - self._countable(start_ms, end_ms) if missing & _COUNTED else missing

    def label_names(self, selectors: Sequence[Selector]) -> list[str]:
        """See ``SeriesSource``."""
        return sorted({name for labels in self._label_sets(selectors) for name in _used(labels)})

    def label_values(self, name: str, selectors: Sequence[Selector]) -> list[str]:
        """See ``SeriesSource``; attributes of resources have values too."""
        if name == NAME and not any(each.any_of or _on_labels(each) for each in selectors):
            return sorted({found for each in selectors for found in self._names(each)})
        found: set[str] = set()
        for labels in self._label_sets(selectors, frozenset({name})):
            column = labels.column(name)
            found.update(column.values[code] for code in np.unique(column.codes).tolist())
        return sorted(found - {""})

    def series(self, selectors: Sequence[Selector]) -> list[dict[str, str]]:
        """See ``SeriesSource``."""
        every = LabelSets.concat(list(self._label_sets(selectors)))
        distinct = every.take(every.groups().first)
        return distinct.take(distinct.order()).rows()

    def metadata(self, start_ms: int, end_ms: int) -> dict[str, list[Metadata]]:
        """Type, help and unit of the metrics of a range, by name."""
        selector = Selector((), start_ms, end_ms)
        told = metadata(self._session, self._cache, self._listed(selector))
        for name in self._counted_names(selector):
            family, entry = counted_metadata(COUNTED[name])
            told.setdefault(family, [entry])
        return told

    def kinds(self, names: Collection[str], start_ms: int, end_ms: int) -> dict[str, MetricKind]:
        """What the metrics of some names are, of those that there are in a range."""
        shares = self._listed(Selector((), start_ms, end_ms)) if names else []
        held = [catalogue(self._session, share.part, self._cache) for share in reversed(shares)]
        found = ((name, kind_of(held, name)) for name in names)
        return {name: kind for name, kind in found if kind is not None}

    def exemplars(self, selectors: Sequence[Selector]) -> list[SeriesExemplars]:
        """The exemplars of all series that match any selector, in its range."""
        return exemplars(self._session, self._cache, selectors)

    def _names(self, selector: Selector) -> set[str]:
        """The names of all series that parts of the range have; quick, for no series is looked at."""
        forms = wanted(self._session, self._cache, selector, self._listed(selector))
        return {*(form.named.name for form in forms), *self._counted_names(selector)}

    def _countable(self, start_ms: int, end_ms: int) -> frozenset[str]:
        """The names of metrics that may be counted in a range; what is counted begins with a whole step before it."""
        between = (2 * start_ms - end_ms, end_ms)
        if between not in self._countable_names:
            self._countable_names[between] = frozenset(self._counted_names(Selector((), *between)))
        return self._countable_names[between]

    def _counted_names(self, selector: Selector) -> list[str]:
        """Names of metrics that are counted from records, where there are any."""
        window = window_of(selector)
        held = {signal for signal in (Signal.SPANS, Signal.LOGS) if self._session.parts(signal, window)}
        if self._records.has_events(window):
            held.add(Signal.OCCURRENCES)
        has_objectives = self._records.has_objectives()
        names = [
            name
            for name, metric in COUNTED.items()
            if (has_objectives if metric.family.is_of_objectives else metric.family.signal in held)
        ]
        holds = np.ones(len(names), np.bool_)
        for matcher in selector.matchers:
            holds &= accepted(self._session, matcher, names)
        return [names[place] for place in np.flatnonzero(holds)]

    def _listed(self, selector: Selector) -> list[Share]:
        """What lists are made of: rollups have the same series as points, in a hundredth of the rows."""
        return self._shares_of(replace(selector, grid_ms=_LIST_GRID_MS))

    def _shares_of(self, selector: Selector) -> list[Share]:
        key = selector.start_ms, selector.end_ms, selector.grid_ms
        if key not in self._shares:
            self._shares[key] = shares_of(self._session, selector)
        return self._shares[key]

    def _label_sets(self, selectors: Sequence[Selector], named: frozenset[str] = frozenset()) -> Iterator[LabelSets]:
        """The label sets that match, without reading samples; some may come several times."""
        for selector in selectors:
            metric = counted(selector)
            if metric is not None:
                length_ms = selector.end_ms - selector.start_ms  # as of one window: few samples will do
                chosen = replace(selector, named=selector.named | named, window_ms=length_ms, step_ms=0)
                yield counted_samples(self._records, chosen, metric, self._max_samples).labels
                continue
            refuse_filters(selector)
            shares = self._listed(selector)
            for form in wanted(self._session, self._cache, selector, shares):
                identity, name = form.named.identity, form.named.name
                for share in (shares[place] for place in form.shares):
                    entry = directory(self._session, share.part, self._cache).get(identity)
                    if entry is None:  # points without any value, such as exemplars that came alone
                        continue
                    between = (share.after_ms, share.until_ms)
                    labels = entry.labels(
                        form.named.form, selector.named | named, between, is_verbatim=identity.is_verbatim
                    )
                    labels = labels.take(np.flatnonzero(self._matching(labels, form)))
                    yield labels.replace({NAME: LabelColumn.constant(name, labels.size)})

    def _wanted(self, selector: Selector, shares: Sequence[Share]) -> list[Wanted]:
        """The forms that a selector means; rules of what nobody sends are most rules, and ask for nothing more."""
        on_name = (matcher.value for matcher in selector.matchers if matcher.name == NAME and matcher.operator == "=")
        if not selector.any_of and not self._held(shares).issuperset(on_name):
            return []
        return wanted(self._session, self._cache, selector, shares)

    def _held(self, shares: Sequence[Share]) -> frozenset[str]:
        """The names of metrics that some parts have."""
        parts = tuple(share.part.key for share in shares)
        if parts not in self._held_names:
            held = (catalogue(self._session, share.part, self._cache).by_name for share in shares)
            self._held_names[parts] = frozenset[str]().union(*held)
        return self._held_names[parts]

    def _resolved(
        self, selector: Selector, forms: Sequence[Wanted], shares: Sequence[Share], max_samples: int
    ) -> Resolved:
        """The series that match, as far as the shares' parts have any."""
        parts = tuple(share.part.key for share in shares)
        key = ("series", parts, tuple(form.key for form in forms), selector.named, selector.with_created)
        return self._cache.kept(
            key, lambda: self._resolve(forms, selector, shares, max_samples), lambda found: found.bytes
        )

    def _resolve(
        self, forms: Sequence[Wanted], selector: Selector, shares: Sequence[Share], max_samples: int
    ) -> Resolved:
        together = self._sharing is not None
        reader = Reader(self._session, self._cache, with_created=selector.with_created, together=together)
        chosen: list[Chosen] = []
        samples = 0
        for form in forms:
            for share in form.shares:
                part = shares[share].part
                for piece in reader.pieces(part, form.named.identity, form.named.form):
                    rows, labels = self._chosen(part, piece, form, selector.named)
                    chosen.append(Chosen(piece, rows, labels, share, form.named.name, form.named.identity.is_delta))
                    samples += chosen[-1].samples
                    _check(samples, max_samples)
        return resolved(chosen)

    def _chosen(
        self, part: Part, piece: Piece, form: Wanted, named: frozenset[str]
    ) -> tuple[NDArray[np.intp], LabelSets]:
        """Which streams of a piece are meant, and the labels of those."""
        name = form.named.name

        def choose() -> tuple[NDArray[np.intp], LabelSets]:
            labels = self._labels(part, piece, named, is_verbatim=form.named.identity.is_verbatim)
            rows = np.flatnonzero(self._matching(labels, form))
            return rows, labels.take(rows).replace({NAME: LabelColumn.constant(name, len(rows))})

        return self._cache.kept(
            ("chosen", part.key, piece.serial, named, name, tuple(form.alternatives)),
            choose,
            lambda found: (len(found[1].columns) + 2) * (_BYTES_PER_COLUMN + 4 * found[1].size),
        )

    def _labels(self, part: Part, piece: Piece, named: frozenset[str], *, is_verbatim: bool) -> LabelSets:
        return self._cache.kept(
            ("labels", part.key, piece.serial, named),
            lambda: labels_of(piece.streams.columns, named, is_verbatim=is_verbatim),
            lambda labels: _BYTES_PER_COLUMN * (len(labels.columns) + 1),
        )

    def _matching(self, labels: LabelSets, form: Wanted) -> NDArray[np.bool_]:
        found = np.zeros(labels.size, np.bool_)
        for matchers in form.alternatives:
            found |= matching(self._session, labels, matchers)
        return found


def _check(samples: int, max_samples: int) -> None:
    if samples > max_samples:
        raise execution_error(
            f"query processing would load too many samples into memory: more than {max_samples}; "
            "ask for a shorter range, or for fewer series"
        )


def _used(labels: LabelSets) -> list[str]:
    return [name for name, column in labels.columns.items() if column.codes.any()]


def _on_labels(selector: Selector) -> bool:
    return any(matcher.name != NAME for matcher in selector.matchers)
