"""An issue as Markdown, for a colleague or a coding agent: what happened, where, how often, and to whom."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.issues import stacks
from spanglass_server.pages.rendering.format import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Characters of a stack trace, of a variable's value, and frames whose variables are told.
MOST_STACK, MOST_VALUE, MOST_FRAMES = 12_000, 200, 5
MOST_VALUES = 5
#: Attributes of the exception's own record that the text tells anyway.
_TOLD = re.compile(r"exception\.|spanglass\.|code\.")


def write(
    issue: Mapping[str, Any], occurrence: Mapping[str, Any] | None, apart: Sequence[Mapping[str, Any]], url: str
) -> str:
    """Return the text; ``apart`` are the values that set the issue's occurrences apart, the most telling first."""
    return "\n".join([*_head(issue, url), *_apart(apart), *(_occurrence(occurrence) if occurrence else ())]) + "\n"


def _head(issue: Mapping[str, Any], url: str) -> Iterator[str]:
    yield f"# {issue['id']}: {_line(issue['title'])}"
    yield ""
    yield f"- where: `{_code(issue['culprit'] or '?')}` of the service `{_code(issue['service'])}`"
    yield f"- state: {issue['state']}" + (f", assigned to {_line(issue['assignee'])}" if issue["assignee"] else "")
    yield f"- first seen: {issue['first_seen_time']}" + _in(issue["first_release"])
    yield f"- last seen: {issue['latest_time']}" + _in(issue["last_release"])
    window = f"from {issue['series_start_time']}"
    yield f"- {issue['events']} events of {issue['users']} users {window}"
    yield f"- {url}"


def _in(release: str | None) -> str:
    return f" in release {_line(release)}" if release else ""


def _apart(values: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not values:
        return
    yield from (
        "",
        "## What sets these events apart",
        "",
        "| attribute | value | of this issue | of all |",
        "| --- | --- | --- | --- |",
    )
    for row in values[:MOST_VALUES]:
        value = _cell(plain(row["value"]))
        yield f"| {_cell(row['key'])} | {value} | {row['share']:.0%} | {row['baseline_share']:.0%} |"


def _occurrence(occurrence: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"## One event, {occurrence['time']}", "")
    if occurrence["trace_id"]:
        yield f"Trace `{occurrence['trace_id']}`, span `{occurrence['span_id']}`."
        yield ""
    exception = occurrence["exception"]
    if exception is None:
        return
    text = exception["stacktrace"] or f"{exception['type']}: {exception['message']}"
    yield from _block(
        text if len(text) <= MOST_STACK else f"{text[: MOST_STACK // 2]}\n[...]\n{text[-MOST_STACK // 2 :]}"
    )
    yield from _variables(exception)
    own = {key: value for key, value in occurrence["attributes"].items() if not _TOLD.match(key)}
    if own:
        yield from ("", "Attributes:", "")
        yield from _block("\n".join(f"{key} = {plain(value)[:MOST_VALUE]}" for key, value in own.items()))


def _variables(exception: Mapping[str, Any]) -> Iterator[str]:
    """Yield the local variables of the application's innermost frames, where they were sent."""
    lines: list[str] = []
    for frame in _frames(exception)[:MOST_FRAMES]:
        found = frame.get("locals")
        if not isinstance(found, dict) or not found:
            continue
        lines.append(f"{frame.get('function', '')}, {frame.get('file', '')}:{frame.get('line', '')}")
        lines += [f"  {name} = {value[:MOST_VALUE]}" for name, value in found.items() if isinstance(value, str)]
    if lines:
        yield from ("", "Local variables, innermost call first:", "")
        yield from _block("\n".join(lines))


def _frames(exception: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the application's frames of what was caught, innermost first; nothing of a chain that is none."""
    try:
        chain = json.loads(stacks.chain_of(exception) or "[]")
        frames = chain[0]["frames"] if chain else []
        return [frame for frame in reversed(frames) if frame.get("in_app") is True]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []


def _block(text: str) -> Iterator[str]:
    """Yield a block of code that its own text cannot close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (fence, text.rstrip("\n"), fence)


def _line(text: str) -> str:
    return " ".join(text.split())


def _code(text: str) -> str:
    return _line(text).replace("`", "'")


def _cell(text: str) -> str:
    return _line(text)[:MOST_VALUE].replace("|", "\\|")
