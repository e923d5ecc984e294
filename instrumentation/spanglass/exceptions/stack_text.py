"""A chain as the text of a traceback: ``exception.stacktrace``, in the form that Python prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_HEADER = "Traceback (most recent call last):"
_END = "+------------------------------------"
_BETWEEN = {
    "cause": "The above exception was the direct cause of the following exception:",
    "context": "During handling of the above exception, another exception occurred:",
}


def stack_text(chain: Sequence[Mapping[str, Any]]) -> str:
    """Write the whole chain, what happened first at the top; members of a group are indented after it."""
    children: dict[int, list[int]] = {}
    for index, entry in enumerate(chain):
        if entry["parent"] is not None:
            children.setdefault(entry["parent"], []).append(index)
    return "\n".join(_lines(chain, 0, children, 0)) + "\n"


def _lines(
    chain: Sequence[Mapping[str, Any]], index: int, children: Mapping[int, Sequence[int]], depth: int
) -> list[str]:
    """Write one exception and what led to it; ``depth`` says how far groups indent it."""
    members: list[int] = []
    lines: list[str] = []
    for child in children.get(index, ()):
        relation = chain[child]["relation"]
        if relation == "member":
            members.append(child)
            continue
        lines += _lines(chain, child, children, depth)
        left_out = chain[child].get("left_out")
        between = [f"\n[{left_out} more exceptions]"] if left_out else []
        lines += _with_margin([*between, f"\n{_BETWEEN[relation]}\n"], depth)
    own = list(_exception_lines(chain[index]))
    if not members:
        return lines + _with_margin(own, depth)
    if own[0] == _HEADER:
        own[0] = f"Exception Group {_HEADER}"
    written = _with_margin(own, max(depth, 1))
    if not depth and chain[index]["frames"]:
        written[0] = written[0].replace("|", "+", 1)
    depth = max(depth, 1)
    for number, member in enumerate(members, 1):
        written.append(f"{'  ' * depth}{'+-' if number == 1 else '  '}+---------------- {number} ----------------")
        written += _lines(chain, member, children, depth + 1)
    if not written[-1].endswith(_END):  # a group that is the last member ends those around it too
        written.append(f"{'  ' * (depth + 1)}{_END}")
    return lines + written


def _with_margin(texts: Sequence[str], depth: int) -> list[str]:
    margin = f"{'  ' * depth}| " if depth else ""
    return [f"{margin}{line}" for text in texts for line in text.split("\n")]


def _exception_lines(entry: Mapping[str, Any]) -> Iterator[str]:
    if entry["frames"]:
        yield _HEADER
    for frame in entry["frames"]:
        if "left_out" in frame:
            yield f"  [{frame['left_out']} more frames]"
            continue
        yield f'  File "{frame["path"]}", line {frame.get("line", "?")}, in {frame["function"].rpartition(".")[2]}'
        if source := frame.get("source", "").strip():
            yield f"    {source}"
    yield f"{entry['type']}: {entry['message']}" if entry["message"] else entry["type"]
    yield from entry.get("notes", ())
