"""Readings as answers show them: thresholds, failures, levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.alerting.severity import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.alerting.backtest.answers import RuleFailure, ThresholdShown
    from spanglass_server.alerting.model import Failure


def thresholds(by_rank: Mapping[int, float]) -> list[ThresholdShown]:
    """What values are compared with, the mildest level first."""
    return [{"severity": SEVERITIES[rank - 1].value, "value": value} for rank, value in sorted(by_rank.items())]


def failure(found: Failure | None) -> RuleFailure | None:
    """Why a rule could not be evaluated."""
    return None if found is None else {"message": found.message, "column": found.column}
