"""``/retention``: which traces stay how long, what a change would free, and who changed it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

_DAY_S: Final = 86_400
_MOST_CHANGES: Final = 20
_KEEPS: Final = {
    "errors": "with a failed span",
    "exemplars": "that exemplars of metrics name",
    "matching": "with a span that matches",
}
#: What the form begins with where there are no policies yet: nothing that does anything.
START: Final = """\
# policies: which traces stay longer than others, or shorter; the first that names a trace counts
# ordinary: of all others one in so many stays after an age
"""
#: Lines that buttons add, by what they say; the form says where they go.
SNIPPETS: Final = (
    ("Failed traces", "policies", "  - name: failed\n    keep: errors\n    age: 90d\n"),
    ("Slow traces", "policies", "  - name: slow\n    keep: slow\n    slower_than: p99\n    age: 60d\n"),
    ("Traces of exemplars", "policies", "  - name: shown in charts\n    keep: exemplars\n    age: 60d\n"),
    (
        "By filter",
        "policies",
        "  - name: probes\n    keep: matching\n    filter: 'http.route = \"/healthz\"'\n    age: 2d\n",
    ),
    ("Thinning of all others", "ordinary", "ordinary:\n  after: 7d\n  keep_one_in: 10\n"),
)


async def show(visit: Visit) -> Response:
    """Render the page."""
    found = await visit.api("retention")
    changes = await visit.api("retention", "changes", limit=_MOST_CHANGES)
    return visit.page(
        "saved/retention.html",
        found=found,
        policies=[{**policy, "which": _which(policy), "stays": spaced(policy["age"])} for policy in found["policies"]],
        ages={signal: age_text(seconds) for signal, seconds in found["ages_s"].items()},
        thinned_after=spaced((found["ordinary"] or {}).get("after", "0")),
        changes=changes["changes"],
        yaml=found["yaml"] or START,
        snippets=SNIPPETS,
    )


def _which(policy: Mapping[str, Any]) -> str:
    """Which traces a policy names, in words."""
    if policy["keep"] != "slow":
        return _KEEPS[policy["keep"]]
    if policy["slower_than"] == "p99":
        return "with a request slower than 99 of 100 of its operation"
    return f"with a span of {policy['slower_than']} or more"


def spaced(age: str) -> str:
    """An age as files have it (``90d``) as pages show it: ``90 d``."""
    return "for ever" if age == "0" else re.sub(r"(?<=\d)(?=[a-z])|(?<=[a-z])(?=\d)", " ", age)


def age_text(seconds: float) -> str:
    """An age as policies have it, in days where it has some."""
    if not seconds:
        return "for ever"
    return f"{seconds / _DAY_S:g} d" if seconds >= _DAY_S else f"{seconds / 3600:g} h"
