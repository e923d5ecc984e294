"""The process in which templates of people are filled in: a line of JSON in, a line out, within time and memory.

It has no secrets, no files to write and an empty environment. It ends when its input does.
"""

from __future__ import annotations

import resource
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson
from jinja2 import TemplateError, TemplateSyntaxError

from spanglass_server.notifications.messages.rendering.environment import make_environment

if TYPE_CHECKING:
    from types import FrameType

_MEMORY_BYTES = 512 * 1024**2
_FILES = 16


class _TooLongError(Exception):
    """A template that makes too much, or takes too long."""


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Fill in one template: ``template``, ``escaping``, ``facts``, ``most`` characters, ``cpu_s`` of processor time.

    Gives ``text``, or ``error`` with its ``line``, 0 if that is not known. ``ends``: this process must not go on.
    """
    try:
        return {"text": _render(question)}
    except TemplateSyntaxError as error:
        return {"error": error.message or "it can't be read", "line": error.lineno}
    except TemplateError as error:
        return {"error": error.message or type(error).__name__, "line": _line_of(error)}
    except MemoryError:
        return {"error": f"it needs more than {_MEMORY_BYTES // 1024**2} MiB of memory", "line": 0, "ends": True}
    except Exception as error:  # noqa: BLE001 - whatever a template leads to is its error
        return {"error": str(error) or type(error).__name__, "line": _line_of(error)}


def _render(question: dict[str, Any]) -> str:
    signal.setitimer(signal.ITIMER_PROF, question["cpu_s"])
    try:
        template = make_environment(question["escaping"]).from_string(question["template"])
        parts: list[str] = []
        size = 0
        for part in template.generate(question["facts"]):
            size += len(part)
            if size > question["most"]:
                raise _TooLongError(f"it makes more than {question['most']} characters")
            parts.append(part)
        return "".join(parts)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _line_of(error: BaseException) -> int:
    """The line of the template in which it failed."""
    found, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


def _out_of_time(_number: int, _frame: FrameType | None) -> None:
    raise _TooLongError("it takes too long")


def main() -> None:
    """Answer until the input ends."""
    limits = ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, _FILES))
    for limit, most in limits:
        with suppress(ValueError, OSError):  # macOS has no limit of the first kind
            resource.setrlimit(limit, (most, most))
    signal.signal(signal.SIGPROF, _out_of_time)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is meant for the server
    for line in sys.stdin.buffer:
        found = answer(orjson.loads(line))
        sys.stdout.buffer.write(orjson.dumps(found) + b"\n")
        sys.stdout.buffer.flush()
        if found.get("ends"):
            return


if __name__ == "__main__":
    main()
