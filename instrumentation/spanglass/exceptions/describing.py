"""An exception as attributes, in full or as one line, and its chain as the text that Python prints of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.semconv.attributes import code_attributes as code
from opentelemetry.semconv.attributes import exception_attributes as names

from spanglass_core.attribute_names import EXCEPTION_CHAIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opentelemetry.util.types import AnyValue

    from spanglass.exceptions.chain import ChainReader


_HEADER = "Traceback (most recent call last):"
_END = "+------------------------------------"
_BETWEEN = {
    "cause": "The above exception was the direct cause of the following exception:",
    "context": "During handling of the above exception, another exception occurred:",
}


class Description(NamedTuple):
    """What is said of an exception."""

    kind: str  # qualified type
    message: str
    more: Mapping[str, AnyValue]  # stack trace and chain; nothing if this is the short form
    place: Mapping[str, AnyValue]  # code.* of the innermost frame of the application

    @property
    def attributes(self) -> dict[str, AnyValue]:
        """Without the place: a span event, and a line of a log, have one of their own."""
        return {names.EXCEPTION_TYPE: self.kind, names.EXCEPTION_MESSAGE: self.message, **self.more}

    @property
    def line(self) -> str:
        """Type and message, as the last line of a traceback has them."""
        return f"{self.kind}: {self.message}" if self.message else self.kind


def brief(chains: ChainReader, error: BaseException) -> Description:
    """Give type and message."""
    kind, message = chains.type_and_message(error)
    return Description(kind, message, {}, {})


def plain(chains: ChainReader, error: BaseException) -> Description:
    """Return what any log has of an exception: type, message and stack trace."""
    chain = chains.read(error)
    return Description(chain[0]["type"], chain[0]["message"], {names.EXCEPTION_STACKTRACE: stack_text(chain)}, {})


def describe(chains: ChainReader, error: BaseException) -> Description:
    """Return all there is to say."""
    chain = chains.read(error)
    text = json.dumps(chain, ensure_ascii=False, separators=(",", ":"))
    more = {names.EXCEPTION_STACKTRACE: stack_text(chain), EXCEPTION_CHAIN: text}
    return Description(chain[0]["type"], chain[0]["message"], more, _place(chain[0]["frames"]))


def code_attributes(file: str, module: str, function: str, line: int | None) -> dict[str, AnyValue]:
    """Return a place in the code by the conventions' names."""
    found: dict[str, AnyValue] = {
        code.CODE_FILE_PATH: file,
        code.CODE_FUNCTION_NAME: f"{module}.{function}" if module else function,
    }
    if line is not None:
        found[code.CODE_LINE_NUMBER] = line
    return found


def _place(frames: Sequence[Mapping[str, Any]]) -> dict[str, AnyValue]:
    known = [frame for frame in frames if "path" in frame]
    for frame in reversed([frame for frame in known if frame["in_app"]] or known):
        return code_attributes(frame["path"], frame["module"], frame["function"], frame.get("line"))
    return {}


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
