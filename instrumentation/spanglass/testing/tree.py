"""Captured spans as an indented text: what a failing assertion shows, and what a test may compare."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from spanglass.testing.queries import query_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass.testing.plain import SpanDict

_NS_PER_MS = 1e6
_MAX_QUERY = 80


def tree_text(spans: Sequence[SpanDict], *, durations: bool) -> str:
    """Draw every trace, siblings by their start; a span whose parent was not captured stands at the top."""
    if not spans:
        return "(no spans)"
    known = {(span["trace_id"], span["span_id"]) for span in spans}
    children: dict[tuple[str, str] | None, list[SpanDict]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: (span["start_ns"], span["span_id"])):
        parent = (span["trace_id"], span["parent_id"] or "")
        children[parent if parent in known else None].append(span)
    lines: list[str] = []
    # a stack, not recursion: chains of thousands of calls exist
    stack = [(span, "", "") for span in reversed(children[None])]
    while stack:
        span, lead, below = stack.pop()
        lines.append(lead + _line(span, durations=durations))
        own = children[span["trace_id"], span["span_id"]]
        for place, child in reversed(list(enumerate(own))):
            last = place == len(own) - 1
            stack.append((child, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  ")))
    return "\n".join(lines)


def _line(span: SpanDict, *, durations: bool) -> str:
    return "  ".join(_parts(span, durations=durations))


def _parts(span: SpanDict, *, durations: bool) -> Iterator[str]:
    yield span["name"]
    text = query_text(span)
    if text and text != span["name"]:
        yield text if len(text) <= _MAX_QUERY else text[: _MAX_QUERY - 1] + "…"
    if span["kind"] != "internal":
        yield f"({span['kind']})"
    if durations:
        yield f"{span['duration_ns'] / _NS_PER_MS:.1f} ms"
    if span["status"] == "error":
        yield f"ERROR {span['status_message'] or ''}".rstrip()
