"""Which stored series a selector means: metrics by the names that their series have, and parts that hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanglass_server.promql.series.labels import NAME
from spanglass_server.promql.stored.coverage import Covered, stretches
from spanglass_server.promql.stored.matching import accepted
from spanglass_server.promql.stored.naming.identity import Form, catalogue
from spanglass_server.signals import ROLLUPS, Signal
from spanglass_server.store.ports import Window
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanglass_server.promql.ports import Matcher, Selector
    from spanglass_server.promql.stored.naming.identity import Catalogue, Named
    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import Part, QuerySession

Matchers = tuple["Matcher", ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A part, and the range of time that is read from it, ``after_ms < t <= until_ms``."""

    part: Part
    after_ms: int
    until_ms: int


@dataclass(slots=True)
class Wanted:
    """A form of a metric that is asked for, matchers on labels of which one list holds, and which shares hold it."""

    named: Named
    shares: list[int] = field(default_factory=list)
    alternatives: list[Matchers] = field(default_factory=list)

    @property
    def key(self) -> tuple[Named, tuple[Matchers, ...], tuple[int, ...]]:
        """Equal for equal series of the same shares."""
        return self.named, tuple(self.alternatives), tuple(self.shares)


def shares_of(session: QuerySession, selector: Selector) -> list[Share]:
    """What is read for a selector: points, or rollups where they stand in for them."""
    first_ns = session.first_ns(Signal.METRICS)
    current, all_ = (
        {rollups: [_in_ms(w) for w in session.rolled_up(rollups, outdated=outdated)] for rollups in ROLLUPS}
        for outdated in (False, True)
    )
    first_ms = None if first_ns is None else first_ns // NS_PER_MS
    covered = Covered(current, all_, first_ms)
    return [
        Share(part, stretch.after_ms, stretch.until_ms)
        for stretch in stretches((selector.start_ms, selector.end_ms), selector.grid_ms, covered)
        for part in session.parts(stretch.signal, _storage_window(stretch.after_ms, stretch.until_ms))
    ]


def _in_ms(window: Window) -> tuple[int, int]:
    return window.start_ns // NS_PER_MS, window.end_ns // NS_PER_MS


def _storage_window(after_ms: int, until_ms: int) -> Window:
    """The half-open window of storage for whole milliseconds, ``after < t <= until``."""
    return Window((after_ms + 1) * NS_PER_MS, (until_ms + 1) * NS_PER_MS)


def may_be_thinned(forms: Iterable[Wanted], selector: Selector) -> bool:
    """Whether rollups have all that is asked for: totals only of plain numbers, nothing of native histograms."""
    return all(
        form.named.form is Form.VALUE or (form.named.form is not Form.NATIVE and not selector.with_totals)
        for form in forms
    )


def window_of(selector: Selector) -> Window:
    """The range of a selector."""
    return _storage_window(selector.start_ms, selector.end_ms)


def wanted(session: QuerySession, cache: PartCache, selector: Selector, shares: Sequence[Share]) -> list[Wanted]:
    """All forms that a selector means."""
    catalogues = [catalogue(session, share.part, cache) for share in shares]
    found: dict[Named, Wanted] = {}
    for matchers in selector.any_of or (selector.matchers,):
        on_name = [matcher for matcher in matchers if matcher.name == NAME]
        others = tuple(matcher for matcher in matchers if matcher.name != NAME)
        names = _names(session, on_name, catalogues)
        for named in dict.fromkeys(names):
            each = found.setdefault(named, Wanted(named))
            each.alternatives.append(others)
    for each in found.values():
        each.shares += [n for n, held in enumerate(catalogues) if each.named in held.by_name.get(each.named.name, ())]
    return list(found.values())


def _names(session: QuerySession, matchers: list[Matcher], catalogues: Iterable[Catalogue]) -> Iterable[Named]:
    """The names for which all matchers hold; of one form that has several such names, only that of Prometheus."""
    equal = next((matcher.value for matcher in matchers if matcher.operator == "="), None)
    if equal is not None:
        several = [named for held in catalogues for named in held.by_name.get(equal, ())]
    else:
        several = [named for held in catalogues for each in held.by_name.values() for named in each]
    if not several or (equal is not None and len(matchers) == 1):
        return several
    names = list({named.name for named in several})
    holds = dict.fromkeys(names, True)
    for matcher in matchers:
        for name, is_right in zip(names, accepted(session, matcher, names).tolist(), strict=True):
            holds[name] = holds[name] and is_right
    chosen = [named for named in several if holds[named.name]]
    if equal is not None:
        return chosen
    listed = [named for named in chosen if named.is_listed]
    if not any(matcher.operator == "=~" for matcher in matchers):
        return listed
    known = {(named.identity, named.form) for named in listed}
    return [*listed, *(n for n in chosen if n.is_original and (n.identity, n.form) not in known)]
