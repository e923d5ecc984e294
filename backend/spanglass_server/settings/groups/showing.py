"""Dashboards, reports, and what calls of language models cost."""

# ruff: noqa: RUF009 - `row` makes a dataclass field, a fresh one for each line of the table

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the annotation of a setting

from spanglass_core.model_prices import ModelPrice  # noqa: TC001 - the annotation of a setting
from spanglass_core.settings_types import DURATION, PATH, STR, whole
from spanglass_server.settings.prices import PRICES
from spanglass_server.settings.rows import DAY_NS, row


@dataclass(frozen=True, slots=True)
class Dashboards:
    """Dashboards in files."""

    dir: Path | None = row(None, PATH, "Directory of YAML files of dashboards, read again when they change.")


@dataclass(frozen=True, slots=True)
class Reports:
    """Reports that are kept."""

    keep_ns: int = row(180 * DAY_NS, DURATION, "Age at which reports are deleted; 0 keeps them.")
    max_reports: int = row(500, whole(1), "Reports that are kept; past it the oldest are deleted.")


@dataclass(frozen=True, slots=True)
class GenAi:
    """What calls of language models cost."""

    prices: tuple[ModelPrice, ...] = row(
        (),
        PRICES,
        "Prices of a million tokens as `MODEL=INPUT/OUTPUT`, or with a third one of cached input: "
        "`gpt-4o-mini*=0.15/0.6`, `claude-*=3/15/0.3`. The first whose model matches counts, `*` stands for anything.",
    )
    currency: str = row("USD", STR, "Currency of these prices, as it is shown.")
