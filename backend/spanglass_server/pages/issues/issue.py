"""The page of one issue: what became of it, its course, one of its occurrences, why it is one issue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.issues import listing, markdown, words
from spanglass_server.pages.issues.occurrence import VIEWS, choose
from spanglass_server.pages.rendering import charts
from spanglass_server.pages.rendering.format import parse_time_ns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Per cent of the axis that the name of a release needs at each side, and marks that are drawn.
NAME_ROOM, MOST_MARKS = 9.0, 8
#: Characters of the name of a release at its mark.
MOST_NAME = 20
#: Points of the series.
BUCKETS = 60
#: Values shown that set an issue's occurrences apart, and of one attribute.
SHOWN_VALUES, SHOWN_OF_KEY = 10, 2
#: What stands for what could not be had.
NO_ATTRIBUTES: dict[str, Any] = {"attributes": [], "signal": "spans"}
NO_RULES: dict[str, Any] = {"rules": []}


async def show(visit: Visit) -> Response:
    """``/issues/{issue}``."""
    visit.longest_default = listing.LONGEST_DEFAULT
    issue_id = visit.request.path_params["issue"]
    window = visit.window.as_params()
    issue, apart, rules, chosen = await visit.together(
        visit.api("issues", issue_id, **window, buckets=BUCKETS),
        visit.attempt(visit.api("issues", issue_id, "attributes", **window), NO_ATTRIBUTES),
        visit.attempt(visit.api("grouping", "rules"), NO_RULES),
        choose(visit, issue_id),
    )
    values = list(_values(apart, issue, visit))
    url = visit.request.url
    here = f"{url.scheme}://{url.netloc}{url.path}"
    return visit.page(
        "issues/issue.html", issue=issue, chart=_chart(issue, visit), rules=_rules(rules, issue["service"]),
        apart=values[:SHOWN_VALUES], apart_problem=apart["problem"], chosen=chosen, view=chosen.view, views=VIEWS,
        history=_history(issue), markdown=markdown.write(issue, chosen.occurrence, values, here),
    )  # fmt: skip


def _chart(issue: Mapping[str, Any], visit: Visit) -> charts.Chart:
    """Return the course of an issue, with the releases of its service."""
    buckets = listing.buckets_of(issue, visit, len(issue["series"]))
    chart = charts.bars("Events over time", buckets, [charts.Series("events", "err", issue["series"])], visit.clock)
    length_ns = chart.end_ns - chart.start_ns
    marks = [
        (round(100 * (parse_time_ns(mark["time"]) - chart.start_ns) / length_ns, 2), mark["release"])
        for mark in issue["release_marks"][-MOST_MARKS:]
        if length_ns
    ]
    marks = [mark for mark in marks if 0 <= mark[0] <= 100]  # noqa: PLR2004 - per cent
    lines = [{"css": "c-m", "x1": x} for x, _ in marks]
    return replace(chart, marks=[*chart.marks, *lines], x_labels=_labels(chart.x_labels, marks))


def _labels(ticks: Sequence[Mapping[str, Any]], marks: Sequence[tuple[float, str]]) -> list[dict[str, Any]]:
    """Return the labels of the axis with the names of releases; those of times that they would touch are left out."""
    names: list[dict[str, Any]] = []
    for x, release in marks:
        at = min(max(x, NAME_ROOM), 100 - NAME_ROOM)
        if not names or at - names[-1]["x"] >= 2 * NAME_ROOM:
            names.append(
                {
                    "x": at,
                    "text": release if len(release) <= MOST_NAME else f"{release[:MOST_NAME]}…",
                    "hide": False,
                    "at": True,
                }
            )
    free = [dict(tick) for tick in ticks if all(abs(tick["x"] - name["x"]) > NAME_ROOM for name in names)]
    return sorted([*free, *names], key=lambda label: label["x"])


def _values(apart: Mapping[str, Any], issue: Mapping[str, Any], visit: Visit) -> Iterator[dict[str, Any]]:
    """Yield the values that set the occurrences apart, the most telling first, each with a search for it."""
    rows = [{**value, "key": row["key"]} for row in apart["attributes"] for value in row["values"][:SHOWN_OF_KEY]]
    for row in sorted(rows, key=lambda row: -abs(row["difference"])):
        path, more = ("/logs", {}) if apart["signal"] == "logs" else ("/traces", {"service": issue["service"]})
        href = visit.near(path, visit.range_params() | more, row["key"], row["value"])
        yield {**row, "href": href}


def _rules(answer: Mapping[str, Any], service: str) -> dict[str, Any]:
    """Return the rules that a service's exceptions are grouped by, in words, and why they could not be read."""
    found = [row for row in answer["rules"] if row["rule"].get("service") in (None, "", service)]
    return {"problem": answer["problem"], "rules": [{**row, "words": words.rule(row["rule"])} for row in found]}


def _history(issue: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return activity and comments in one list, newest first; a comment's own entry says nothing beside its text."""
    entries = [{**entry, "text": None} for entry in issue["activity"] if entry["what"] != "comment"]
    comments = [{**comment, "what": "comment"} for comment in issue["comments"]]
    return sorted([*entries, *comments], key=lambda entry: str(entry["time"]), reverse=True)
