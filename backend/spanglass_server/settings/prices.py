"""A setting that lists prices of language models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_core.model_prices import parse_prices
from spanglass_core.settings_types import SettingType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_core.model_prices import ModelPrice


def _format(prices: Iterable[ModelPrice]) -> str:
    return ", ".join(map(str, prices))


PRICES: Final = SettingType("list", parse_prices, _format)
