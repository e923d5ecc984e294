"""What went wrong, as a page says it: what was asked, what not, and the next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.pages.rendering.templates import SECTIONS, is_section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.pages.ports import ApiError
    from spanglass_server.pages.visit import Visit

#: A sentence and the next step by the API's error code (docs/api.md).
SENTENCES = {
    "bad_request": ("The server cannot read this request.", "Correct what it names, or start again without it."),
    "bad_filter": ("This filter cannot be read.", "Correct it in the box above."),
    "not_found": ("There is nothing here.", "Check the id, or search for it."),
    "unauthorized": ("This server wants a token.", "Give the read token that its administrator set."),
    "forbidden": ("This token may not read.", "Use the read token, not the ingest token."),
    "method_not_allowed": ("This address only answers GET.", "Open it from the address bar."),
    "timeout": ("The search ran out of time.", "A shorter range or a narrower filter answers sooner."),
    "out_of_memory": (
        "The search needed more memory than it may have.",
        "A shorter range or a narrower filter needs less.",
    ),
    "unavailable": ("The server is not ready.", "It says why at /readyz; try again in a moment."),
    "internal": ("The server made a mistake.", "Its log says what happened. Try again; if it stays, report it."),
}
#: The same of one trace, which has no range and no filter.
OF_A_TRACE = {
    "timeout": ("The trace could not be read in time.", "Try again when the server has less to do."),
    "out_of_memory": (
        "The trace needs more memory than a query may have.",
        "Try again when the server has less to do.",
    ),
}
#: Pages that list what others show one of.
LISTS = {"channels": "Channels", "deliveries": "Deliveries", "silences": "Silences", "routes": "Routes",
         "on-call": "On call", "reports": "Reports"}  # fmt: skip
#: Errors that a shorter range helps.
TOO_MUCH = frozenset({"timeout", "out_of_memory"})


@dataclass(frozen=True)
class Problem:
    """A problem: title, message, what to do, links to do it with, and the field and column it lies at."""

    code: str
    status: int
    title: str
    message: str
    advice: str
    links: Sequence[tuple[str, str]]
    field: str | None = None
    column: int | None = None


def of_api(error: ApiError, visit: Visit) -> Problem:
    """Return the problem that an error of the API is."""
    sentences = SENTENCES | OF_A_TRACE if "trace_id" in visit.request.path_params else SENTENCES
    title, advice = sentences.get(error.code, SENTENCES["internal"])
    links = [("Try again", visit.here())]
    if error.code in TOO_MUCH and sentences is SENTENCES:
        links.insert(0, ("Last 15 min", visit.here(last="15m", start=None, end=None)))
    elif error.code == "not_found":
        links = [("Search traces", visit.go("/traces")), ("Services", visit.go("/services"))]
        if "issue" in visit.request.path_params:
            links = [("All errors", visit.go("/issues", state="all")), ("Services", visit.go("/services"))]
        first = visit.request.url.path.split("/")[1]
        if first in LISTS:
            links = [(LISTS[first], f"/{first}"), ("Alerts", "/alerts")]
        elif "trace_id" not in visit.request.path_params and "issue" not in visit.request.path_params:
            links = _section(visit) or links
    elif error.code in {"bad_request", "bad_filter"}:
        bare = visit.link(visit.path, visit.range_params())
        links = [("Without a filter", bare)] if bare != visit.here() else _section(visit)
    message = sentence(str(error.error.get("message", "")))
    expected = error.error.get("expected")
    if isinstance(expected, list) and expected:
        shown = ", ".join(str(item) for item in expected[:8])
        message = message if shown in message else f"{message} Expected: {shown}."
    column = error.error.get("column")
    return Problem(
        error.code, error.status, title, message, sentence(str(error.error.get("hint") or advice)), links,
        error.error.get("field"), column if isinstance(column, int) else None,
    )  # fmt: skip


def _section(visit: Visit) -> list[tuple[str, str]]:
    """Return a link to the section of the navigation that the page belongs to."""
    return [(name, visit.go(path)) for path, name, _ in SECTIONS if is_section(path, visit.path)]


def sentence(text: str) -> str:
    """Return a message as a sentence among others: with a capital and a full stop."""
    text = text.strip()
    return text and text[0].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")


def no_page(visit: Visit) -> Problem:
    """Return the problem of an address where no page is."""
    links = [(name, path) for path, name, _ in SECTIONS]
    return Problem("not_found", 404, "There is no page here.", f"Nothing answers at {visit.request.url.path}.",
                   "These are the pages:", links)  # fmt: skip
