"""Stacks of JavaScript: V8, Firefox, Safari, bundlers, causes and members."""

from __future__ import annotations

import pytest

from spanglass_core.stacks.model import Frame, Raised
from spanglass_core.stacks.parse import parse


def _frames(stack: str) -> list[tuple[str, str, int | None, bool]]:
    return [(frame.function, frame.file, frame.line, frame.in_app) for frame in reversed(parse(stack)[0].frames)]


def test_a_stack_of_v8_in_full() -> None:
    """Type and message of the text, the innermost frame last, the runtime's own not the application's."""
    stack = (
        "RangeError: no more pages\n"
        "    at deep (/app/shop.js:10:61)\n"
        "    at async Promise.all (index 0)\n"
        "    at async /app/shop.js:21:3\n"
        "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)"
    )
    assert parse(stack, "E_PAGES", "no more pages: and why") == (
        Raised(
            "RangeError",
            "no more pages",
            (
                Frame("process.processTicksAndRejections", "", "node:internal/process/task_queues", 95, in_app=False),
                Frame("", "", "/app/shop.js", 21, in_app=True),
                Frame("Promise.all", "", "", None, in_app=False),
                Frame("deep", "", "/app/shop.js", 10, in_app=True),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        ("    at new Stock (/app/s.js:1:2)", ("Stock", "/app/s.js", 1, True)),
        ("    at async Stock.take (/app/s.js:1:2)", ("Stock.take", "/app/s.js", 1, True)),
        (
            "    at Layer.wrapped [as handle] (/n/node_modules/l.js:1:2)",
            ("Layer.wrapped", "/n/node_modules/l.js", 1, False),
        ),
        ("    at Object.<anonymous> (file:///app/s.mjs:1:2)", ("Object.<anonymous>", "file:///app/s.mjs", 1, True)),
        ("    at JSON.parse (<anonymous>)", ("JSON.parse", "", None, False)),
        ("    at eval (eval at run (/app/s.js:28:37), <anonymous>:1:1)", ("eval", "/app/s.js", 28, True)),
        (
            "    at Page (webpack://shop/./app/(store)/page.tsx?ab:12:3)",
            ("Page", "webpack://shop/./app/(store)/page.tsx?ab", 12, True),
        ),
        (
            "    at x (webpack-internal:///./node_modules/d.js:1:2)",
            ("x", "webpack-internal:///./node_modules/d.js", 1, False),
        ),
        (
            "    at https://deno.land/std@0.200.0/http/server.ts:1:2",
            ("", "https://deno.land/std@0.200.0/http/server.ts", 1, False),
        ),
        ("take@https://shop.example/a.js:3:1", ("take", "https://shop.example/a.js", 3, True)),
        ("async*take@https://shop.example/a.js:3:1", ("take", "https://shop.example/a.js", 3, True)),
        ("@https://shop.example/a.js line 9 > eval:3:1", ("", "https://shop.example/a.js", 1, True)),
        ("map@[native code]", ("map", "", None, False)),
    ],
)
def test_forms_of_frames(line: str, frame: tuple[str, str, int | None, bool]) -> None:
    """Each engine's way to write a call is read."""
    assert _frames(f"Error: x\n{line}\n    at last (/app/z.js:9:9)") == [frame, ("last", "/app/z.js", 9, True)]


def test_a_line_of_a_message_that_looks_like_a_frame_is_none() -> None:
    """Without a place it is part of the message."""
    (found,) = parse("Error: first\n    at second line (not a frame)\nthird\n    at f (/app/a.js:1:2)")
    assert (found.message, len(found.frames)) == ("first\n    at second line (not a frame)\nthird", 1)


def test_causes_that_loggers_append() -> None:
    """``caused by:`` begins a cause."""
    cause = "caused by: {0}: {1}\n    at g (/app/a.js:3:4)\n"
    stack = "A: a\n    at f (/app/a.js:1:2)\n" + cause.format("B", "b") + cause.format("C", "c")
    assert [(one.type, one.message, one.relation, one.parent) for one in parse(stack)] == [
        ("A", "a", "", None),
        ("B", "b", "cause", 0),
        ("C", "c", "cause", 1),
    ]


def test_causes_and_members_that_inspect_prints() -> None:
    """``[cause]`` and ``[errors]`` belong to what they are indented below."""
    stack = """AggregateError: all failed
    at f (/app/a.js:1:2) {
  [errors]: [
    Error: a
        at g (/app/a.js:3:1),
    TypeError: b
        at h (/app/a.js:5:1) {
      [cause]: RangeError: c
          at i (/app/a.js:6:1)
    }
  ]
}"""
    assert [(one.type, one.message, one.relation, one.parent) for one in parse(stack)] == [
        ("AggregateError", "all failed", "", None),
        ("Error", "a", "member", 0),
        ("TypeError", "b", "member", 0),
        ("RangeError", "c", "cause", 2),
    ]


def test_what_node_prints_of_an_uncaught_one() -> None:
    """The source above the error is not its message."""
    (found,) = parse(
        "/app/a.js:3\n    throw new Error('x')\n    ^\n\nError: x\n    at f (/app/a.js:3:11)\n\nNode.js v20.20.2"
    )
    assert (found.type, found.message) == ("Error", "x")


@pytest.mark.parametrize(
    ("head", "sent", "expected"),
    [
        ("StockError: x", "E_STOCK", "StockError"),
        ("TypeError [ERR_INVALID_ARG_TYPE]: x", "ERR_INVALID_ARG_TYPE", "TypeError"),
        ("Error: ENOENT: no such file", "ENOENT", "ENOENT"),
        ("Error: connect ECONNREFUSED 127.0.0.1:1", "Error", "ECONNREFUSED"),
        ("Error: x", "E_STOCK", "E_STOCK"),
        ("Error: x", "", "Error"),
        ("t: x", "StockError", "StockError"),
    ],
)
def test_the_type_is_one_whether_name_or_code_was_sent(head: str, sent: str, expected: str) -> None:
    """Some senders send the error's name, others its code: the text has the name, if there is one."""
    assert parse(f"{head}\n    at f (/app/a.js:1:2)", sent)[0].type == expected
