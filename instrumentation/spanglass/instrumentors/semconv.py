"""Which conventions instrumentations follow: they read one variable of the environment when the first is turned on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "OTEL_SEMCONV_STABILITY_OPT_IN"
OPT_IN = {"new": "http,database", "dup": "http/dup,database/dup", "old": ""}


def opt_in(semconv: str) -> Callable[[], None]:
    """Set the variable by our setting unless the user has set it; gives what takes it back."""
    if VARIABLE in os.environ or not OPT_IN[semconv]:
        return lambda: None
    os.environ[VARIABLE] = OPT_IN[semconv]
    return lambda: _take_back(OPT_IN[semconv])


def _take_back(ours: str) -> None:
    if os.environ.get(VARIABLE) == ours:
        del os.environ[VARIABLE]
