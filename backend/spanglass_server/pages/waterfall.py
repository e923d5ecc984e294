"""The waterfall's rows for a page without script, and the sentence that says where a trace's time went.

``static/js/waterfall.js`` draws the same rows with folding, the critical path and thousands of spans.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.format import duration_text
from spanglass_server.pages.running import beside, mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spanglass_server.pages.format import Clock

MOST_SEGMENTS = 60
MOST_DEPTH = 24
#: To be called the reason, like spans must hold this share of all self time together, and a single span this one.
NOTABLE_SHARE, NOTABLE_ALONE = 0.3, 0.6
#: The page of a trace names a reason from so many spans and so much time on.
LEAST_SPANS, LEAST_NS = 5, 10_000_000
#: The same statement so often in one trace is worth a word from this share on: each is a round trip that could be one.
REPEATED, NOTABLE_REPEATED = 10, 0.1
#: Where the text of a query stands: today's convention, and the one before.
STATEMENTS = ("db.query.text", "db.statement")
MOST_STATEMENT = 240  # characters of a query in a sentence
AXIS_STEPS = (1, 2, 5)
MOST_AXIS_LABELS = 5
#: Per cent of an axis that a character of a label takes: 6 px of the 360 px of the narrowest pane.
CHARACTER = 1.7
#: Steps above 20 s are those of a clock: 50 s would give labels such as 1 min 40 s.
DECIMAL_NS, DAY_NS = 20e9, 86_400e9
CLOCK_STEPS_S = (30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


def rows(trace: Mapping[str, Any], most: int, clock: Clock) -> list[dict[str, Any]]:
    """Return the first ``most`` spans with what a row shows; positions and widths in per cent of the trace."""
    total_ns = trace["duration_ns"] or 1
    slots = {service["service"]: service["slot"] for service in trace["services"]}
    children = _children(trace["spans"])
    services = {span["key"]: span["service"] for span in trace["spans"]}
    return [
        {
            "span": span,
            **mark(span, clock),
            "beside": beside(_percent(span["offset_ns"], total_ns), _percent(span["duration_ns"], total_ns)),
            "slot": slots.get(span["service"], 0),
            "depth": min(span["depth"], MOST_DEPTH),
            "new_service": services.get(span["parent_key"]) != span["service"],
            "x": _percent(span["offset_ns"], total_ns),
            "w": max(0.12, _percent(span["duration_ns"], total_ns)),
            "parts": [(_percent(start, total_ns), max(0.1, _percent(end - start, total_ns)))
                      for start, end in self_segments(span, children.get(span["key"], ()))][:MOST_SEGMENTS],
        }
        for span in trace["spans"][:most]
    ]  # fmt: skip


def self_segments(span: Mapping[str, Any], children: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int]]:
    """Return the parts of a span, in nanoseconds since the trace's start, in which no child ran that it waits for."""
    at, end = span["offset_ns"], span["offset_ns"] + span["duration_ns"]
    for child in sorted((child for child in children if child["awaited"]), key=lambda child: child["offset_ns"]):
        start = min(child["offset_ns"], end)
        if start > at:
            yield at, start
        at = max(at, child["offset_ns"] + child["duration_ns"])
    if at < end:
        yield at, end


def axis(duration_ns: int) -> list[dict[str, Any]]:
    """Labels of the time axis: round times from zero, and the end; none that would run into another."""
    step = next_step(duration_ns / MOST_AXIS_LABELS) if duration_ns else 0
    end = duration_text(duration_ns)
    labels: list[dict[str, Any]] = [{"x": 0.0, "text": "0"}]
    at = step
    while step and at < duration_ns:
        x, text = 100 * at / duration_ns, duration_text(at)
        if x + _room(text) > 100 - _room(end):
            break
        labels.append({"x": round(x, 2), "text": text})
        at += step
    return [*labels, {"x": 100.0, "text": end}]


def _room(text: str) -> float:
    """Return the per cent of the axis that a label needs, with a blank beside it."""
    return (len(text) + 1) * CHARACTER


def next_step(least_ns: float) -> float:
    """Return the next step that reads well: 1, 2 or 5 times a power of ten, from half a minute on parts of a clock."""
    if least_ns > DECIMAL_NS:
        return next(
            (step * 1e9 for step in CLOCK_STEPS_S if step * 1e9 >= least_ns), math.ceil(least_ns / DAY_NS) * DAY_NS
        )
    power = 1.0
    while power * AXIS_STEPS[-1] < least_ns:
        power *= 10
    return next((step * power for step in AXIS_STEPS if step * power >= least_ns), power * 10)


def is_worth_an_answer(trace: Mapping[str, Any]) -> bool:
    """Whether a reader may ask where the time of a trace went: not of a few spans, of a moment, or beside a failure."""
    return not trace["failure"] and trace["span_count"] >= LEAST_SPANS and trace["duration_ns"] >= LEAST_NS


def answer(trace: Mapping[str, Any]) -> dict[str, Any] | None:
    """Where most of the trace's time went: the group of like spans with the largest self time, if it is notable."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for span in trace["spans"]:
        group = groups.setdefault((span["service"], span["name"], statement(span)), [0, 0])
        group[0] += span["self_time_ns"]
        group[1] += 1
    whole_ns = sum(group[0] for group in groups.values())
    if len(groups) < 2 or not whole_ns:  # noqa: PLR2004 - one group is the whole trace, and says nothing
        return None
    # a repeated query comes first: whatever else takes longer, that is what can be mended
    by_need = sorted(groups.items(), key=lambda item: (_repeated(item, whole_ns), item[1][0]), reverse=True)
    (service, name, query), (self_ns, count) = by_need[0]
    share, repeated = self_ns / whole_ns, _repeated(by_need[0], whole_ns)
    if not repeated and share < (NOTABLE_SHARE if count > 1 else NOTABLE_ALONE):
        return None
    what = query if len(query) <= MOST_STATEMENT else f"{query[:MOST_STATEMENT]}\u2026"
    return {"service": service, "name": what or name, "query": bool(query), "repeated": repeated, "self_ns": self_ns,
            "count": count, "share": share}  # fmt: skip


def _repeated(item: tuple[tuple[str, str, str], list[int]], whole_ns: int) -> bool:
    (_, _, query), (self_ns, count) = item
    return bool(query) and count >= REPEATED and self_ns >= NOTABLE_REPEATED * whole_ns


def statement(span: Mapping[str, Any]) -> str:
    """Return the text of a span's query on one line, empty for spans that have none."""
    found = next((span["attributes"][key] for key in STATEMENTS if span["attributes"].get(key)), "")
    return " ".join(str(found).split())


def _children(spans: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    children: dict[str, list[Mapping[str, Any]]] = {}
    for span in spans:
        if span["parent_key"]:
            children.setdefault(span["parent_key"], []).append(span)
    return children


def _percent(part_ns: float, total_ns: float) -> float:
    return round(100 * part_ns / total_ns, 3)
