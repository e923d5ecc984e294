"""A chain as the text of a traceback: ``exception.stacktrace``, in the form that Python prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_HEADER = "Traceback (most recent call last):"
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
    return "\n".join(_lines(chain, 0, children)) + "\n"


def _lines(chain: Sequence[Mapping[str, Any]], index: int, children: Mapping[int, Sequence[int]]) -> Iterator[str]:
    members = []
    for child in children.get(index, ()):
        relation = chain[child]["relation"]
        if relation == "member":
            members.append(child)
            continue
        yield from _lines(chain, child, children)
        if left_out := chain[child].get("left_out"):
            yield f"\n[{left_out} more exceptions]"
        yield f"\n{_BETWEEN[relation]}\n"
    yield from _exception_lines(chain[index])
    for number, member in enumerate(members, 1):
        yield f"  +---------------- {number} ----------------"
        yield from (f"  | {line}" for text in _lines(chain, member, children) for line in text.split("\n"))
    if members:
        yield "  +------------------------------------"


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
