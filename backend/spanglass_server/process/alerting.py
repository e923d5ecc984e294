"""Alerting of one server, put together: rules, their evaluation, and the alerts they lead to."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from spanglass_server.alerting.desk import Desk
from spanglass_server.alerting.model import Failure
from spanglass_server.alerting.running.status import AlerterStatus
from spanglass_server.alerting.store.sqlite import FILE_NAME, SqliteAlertStore
from spanglass_server.process.alert_rules import open_book
from spanglass_server.store.disk import DISK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.model import Readings
    from spanglass_server.promql.series.vectors import Steps
    from spanglass_server.settings.settings import Settings
    from spanglass_server.store.ports import QuerySession

# ruff: noqa: ARG002 - nothing is evaluated

_NO_RULES = "this server evaluates no rules"


class Alerting:
    """The alerts of one data directory, and ``desk``, which is what API and pages use.

    Raises ``OSError`` or ``AlertStoreError`` when the directory can't be used.
    """

    def __init__(self, settings: Settings, clock_ns: Callable[[], int]) -> None:
        self._store = SqliteAlertStore(settings.data.dir.resolve() / FILE_NAME)
        book = open_book(settings, DISK, clock_ns)
        self.desk = Desk(book, self._store, _NoEvaluator(), AlerterStatus, clock_ns, new_id=lambda: str(uuid.uuid4()))

    def close(self) -> None:
        """Release the file."""
        self._store.close()


class _NoEvaluator:
    """Evaluates no rule."""

    def evaluate(self, session: QuerySession, rules: Sequence[Rule], steps: Steps) -> Mapping[str, Readings | Failure]:
        """See ``Evaluator``."""
        return {rule.uid: Failure(_NO_RULES) for rule in rules}

    def check(self, rule: Rule) -> Failure | None:
        """See ``Evaluator``."""
        return Failure(_NO_RULES)
