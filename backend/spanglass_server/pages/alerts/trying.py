"""Trying a rule over what is stored, for pages: the API's backtest, or why it could not be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.pages.visit import Visit

BACKTEST = "/api/v1/rules/backtest"


@dataclass(frozen=True)
class Tried:
    """The answer of a backtest, or the sentence that says why there is none."""

    answer: dict[str, Any] | None
    problem: str


async def backtest(visit: Visit, body: Mapping[str, Any], last: str) -> Tried:
    """Try a rule over the time before now."""
    try:
        answer = await visit.site.api(BACKTEST, {"last": last}, body)
    except ApiError as error:
        return Tried(None, " ".join(map(sentence, filter(None, (str(error), str(error.error.get("hint") or ""))))))
    failure = answer["failure"]
    return Tried(answer, sentence(failure["message"]) if failure else "")
