"""Keeps the issue store in step with stored occurrences.

What is derived is told to the store within a second, and before the records that it comes from leave the journal. A
store that can't be written holds nothing up: what it was not told waits in memory, and whatever a crash takes from
there is found again in the stored occurrences at the next start.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol

from spanglass_core.grouping.rules import Rule, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from spanglass_server.issues.model import Due, RuleSet, Sighting
    from spanglass_server.issues.occurrences.deriving import Deriver
    from spanglass_server.issues.occurrences.releases_seen import ReleasesSeen
    from spanglass_server.issues.occurrences.sightings import Sightings
    from spanglass_server.issues.ports import IssueStore
    from spanglass_server.issues.states import IgnoredCounts

_LOG = logging.getLogger(__name__)


class StoredOccurrences(Protocol):
    """What is asked of stored occurrences; may take a second, and raise ``QueryError``."""

    def sightings(self, known: Collection[int]) -> Sequence[Sighting]:
        """What is stored of all keys but those that are known."""

    def counts(self, due: Sequence[Due], now_ns: int) -> Mapping[str, IgnoredCounts]:
        """What occurred of ignored issues since then, by issue id."""


class IssueTracker:
    """See the module. Methods may be called from any thread."""

    def __init__(
        self,
        issues: IssueStore,
        deriver: Deriver,
        sightings: Sightings,
        releases: ReleasesSeen,
        stored: StoredOccurrences,
        clock_ns: Callable[[], int],
    ) -> None:
        self._sightings = sightings
        self._releases = releases
        self._issues = issues
        self._deriver = deriver
        self._stored = stored
        self._clock_ns = clock_ns
        self._observing = threading.Lock()
        self._version = self._epoch = -1
        self._found_stored = False
        self._problem: str | None = None
        self._take_rules()

    @property
    def problem(self) -> str | None:
        """Why the issue store lags behind, in words for people; None if it does not."""
        return self._problem

    def has_news(self) -> bool:
        """Whether ``observe`` has anything to tell, or somebody has changed the rules of grouping."""
        news = self._releases.has_news() or self._sightings.has_news()
        return news or self._problem is not None or self._issues.version() != self._version

    def observe(self) -> None:
        """Tell the store what was derived; afterwards it knows every key that a query could see before the call.

        Raises ``OSError`` if the store can't be written; nothing is lost then.
        """
        with self._observing:
            self._take_rules()
            releases, sightings = self._releases.take(), self._sightings.take()
            try:
                if releases:
                    self._issues.observe_releases(releases)
                if sightings:
                    self._issues.observe(sightings, self._clock_ns())
            except BaseException as error:
                self._releases.put_back(releases)
                self._sightings.put_back(sightings)
                self._problem = f"the issue store could not be written ({error}); it is tried again"
                raise
            self._problem = None

    def try_observe(self) -> None:
        """Do the same; a failure is only logged and a problem of the server."""
        try:
            self.observe()
        except Exception:  # noqa: BLE001 - whatever it is, records must leave the journal
            _LOG.exception("the issue store could not be written; it is tried again")

    def seeks_stored(self) -> bool:
        """Whether ``find_stored`` has not succeeded yet."""
        return not self._found_stored

    def find_stored(self) -> None:
        """Tell the store once of stored occurrences whose keys it does not know, as after a crash."""
        if self._found_stored:
            return
        missing = self._stored.sightings(self._issues.snapshot().by_key.keys())
        if missing:
            _LOG.info("%d groups of stored occurrences have no issue yet; they get one", len(missing))
            self._sightings.put_back(missing)
            self.observe()
        self._found_stored = True

    def look_at_ignored(self) -> None:
        """End the ignoring of issues whose condition is met."""
        now_ns = self._clock_ns()
        due = self._issues.due()
        self._issues.apply_counts(self._stored.counts(due, now_ns) if due else {}, now_ns)

    def _take_rules(self) -> None:
        version = self._issues.version()
        if version == self._version:
            return
        rules = self._issues.rules()
        if rules.epoch != self._epoch:
            self._deriver.use(rules_of(rules), rules.epoch)
        self._version, self._epoch = version, rules.epoch


def rules_of(kept: RuleSet) -> Rules:
    """Return the rules of grouping as the core knows them."""
    return Rules(tuple(Rule.read({**record.body, "id": str(record.id)}) for record in kept.rules))
