"""An exception as attributes: in full, or as one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.semconv.attributes import code_attributes as code
from opentelemetry.semconv.attributes import exception_attributes as names

from spanglass.exceptions.stack_text import stack_text
from spanglass_core.attribute_names import EXCEPTION_CHAIN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.util.types import AnyValue

    from spanglass.exceptions.chain import ChainReader


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
