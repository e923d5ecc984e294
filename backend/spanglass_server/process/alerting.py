"""Alerting of one server, put together: rules, their evaluation, and the alerts they lead to."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from spanglass_server.alerting.desk import Desk
from spanglass_server.alerting.model import Failure
from spanglass_server.alerting.running.status import AlerterStatus
from spanglass_server.alerting.store.sqlite import FILE_NAME, SqliteAlertStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.model import Readings
    from spanglass_server.alerting.ports import Found, KeptThreshold, Threshold
    from spanglass_server.promql.series.vectors import Steps
    from spanglass_server.settings.settings import Settings
    from spanglass_server.store.ports import QuerySession

# ruff: noqa: ARG002 - a server without rules needs nothing of what it is asked about

_NO_RULES = "this server keeps no rules"


class Alerting:
    """The alerts of one data directory, and ``desk``, which is what API and pages use.

    Raises ``OSError`` or ``AlertStoreError`` when the directory can't be used.
    """

    def __init__(self, settings: Settings, clock_ns: Callable[[], int]) -> None:
        self._store = SqliteAlertStore(settings.data.dir.resolve() / FILE_NAME)
        self.desk = Desk(
            _NoRules(), self._store, _NoEvaluator(), AlerterStatus, clock_ns, new_id=lambda: str(uuid.uuid4())
        )

    def close(self) -> None:
        """Release the file."""
        self._store.close()


class _NoRules:
    """A server without rules."""

    def rules(self) -> Mapping[str, Found]:
        """See ``RuleBook``."""
        return {}

    def problems(self) -> Sequence[str]:
        """See ``RuleBook``."""
        return ()

    def put(self, rule: Rule, version: str, by: str, now_ns: int) -> Found:
        """See ``RuleBook``."""
        raise OSError(_NO_RULES)

    def delete(self, uid: str, version: str, by: str, now_ns: int) -> None:
        """See ``RuleBook``."""
        raise KeyError(uid)

    def override(self, uid: str, threshold: Threshold, by: str, now_ns: int) -> Found:
        """See ``RuleBook``."""
        raise KeyError(uid)

    def thresholds(self) -> Sequence[KeptThreshold]:
        """See ``RuleBook``."""
        return ()


class _NoEvaluator:
    """Evaluates no rule, as there is none."""

    def evaluate(self, session: QuerySession, rules: Sequence[Rule], steps: Steps) -> Mapping[str, Readings | Failure]:
        """See ``Evaluator``."""
        return {rule.uid: Failure(_NO_RULES) for rule in rules}

    def check(self, rule: Rule) -> Failure | None:
        """See ``Evaluator``."""
        return Failure(_NO_RULES)
