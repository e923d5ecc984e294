"""Tracebacks of Python: chains, groups, notes, syntax errors, and what others add to them."""

from __future__ import annotations

import traceback

import pytest

from spanglass_core.stacks.model import Frame, Raised
from spanglass_core.stacks.parse import parse


def _told(stack: str) -> list[tuple[str, int | None, str, str, list[str]]]:
    return [
        (one.relation, one.parent, one.type, one.message, [frame.function for frame in one.frames])
        for one in parse(stack)
    ]


def _take(name: str) -> None:
    try:
        {}[name]
    except KeyError as error:
        error.add_note("while restocking")
        raise ValueError("no price\nof any kind") from error


def _caught(name: str) -> Exception:
    try:
        _take(name)
    except ValueError as error:
        return error
    raise AssertionError


def _raised(error: Exception) -> Exception:
    try:
        raise error  # noqa: TRY301 - for its traceback
    except Exception as caught:  # noqa: BLE001 - any that is given
        return caught


def _printed(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def test_a_frame_in_full() -> None:
    """File, line and function as printed; the module of an installed file by its path."""
    stack = (
        "Traceback (most recent call last):\n"
        '  File "/opt/venv/lib/python3.12/site-packages/flask/app.py", line 880, in full_dispatch_request\n'
        "    rv = self.dispatch_request()\n"
        '  File "/app/shop/stock.py", line 31, in Stock.take\n'
        "    return self.items[name]\n"
        "           ~~~~~~~~~~^^^^^^\n"
        "shop.stock.Missing: 'tea'\n"
    )
    installed = "/opt/venv/lib/python3.12/site-packages/flask/app.py"
    assert parse(stack) == (
        Raised(
            "shop.stock.Missing",
            "'tea'",
            (
                Frame("full_dispatch_request", "flask.app", installed, 880, in_app=False),
                Frame("Stock.take", "", "/app/shop/stock.py", 31, in_app=True),
            ),
        ),
    )


def test_what_was_caught_comes_first_then_its_causes() -> None:
    """The last one printed leads; notes and further lines are of its message."""
    assert _told(_printed(_caught("tea"))) == [
        ("", None, "ValueError", "no price\nof any kind", ["_caught", "_take"]),
        ("cause", 0, "KeyError", "'tea'\nwhile restocking", ["_take"]),
    ]


def test_what_was_being_handled_is_context() -> None:
    """Both separators are told apart."""
    stack = _printed(_caught("tea")).replace(
        "The above exception was the direct cause of the following exception:",
        "During handling of the above exception, another exception occurred:",
    )
    assert [one.relation for one in parse(stack)] == ["", "context"]


def test_members_of_groups_belong_to_them() -> None:
    """Groups within groups, members with causes, members without a stack, and a cause that is a group."""
    inner = ExceptionGroup("inner", [TypeError("never raised")])
    outer = _raised(ExceptionGroup("outer", [_caught("tea"), inner]))
    top = RuntimeError("top")
    top.__cause__ = outer
    stack = _printed(_raised(top))
    assert _told(stack) == [
        ("", None, "RuntimeError", "top", ["_raised"]),
        ("cause", 0, "ExceptionGroup", "outer (2 sub-exceptions)", ["_raised"]),
        ("member", 1, "ValueError", "no price\nof any kind", ["_caught", "_take"]),
        ("cause", 2, "KeyError", "'tea'\nwhile restocking", ["_take"]),
        ("member", 1, "ExceptionGroup", "inner (1 sub-exception)", []),
        ("member", 4, "TypeError", "never raised", []),
    ]


def test_a_syntax_error_is_in_its_file() -> None:
    """The place of a syntax error is the innermost frame, at the file's top level."""
    stack = (
        "Traceback (most recent call last):\n"
        '  File "/app/main.py", line 3, in <module>\n    import shop.bad\n'
        '  File "/app/shop/bad.py", line 7\n    if x\n        ^\n'
        "SyntaxError: expected ':'\n"
    )
    (found,) = parse(stack)
    assert (found.type, found.message, found.frames[-1].file) == ("SyntaxError", "expected ':'", "/app/shop/bad.py")


def test_frames_that_repeat_are_as_printed() -> None:
    """The line that stands for repeated frames is none."""
    stack = (
        'Traceback (most recent call last):\n  File "/app/a.py", line 3, in walk\n    walk()\n'
        "  [Previous line repeated 997 more times]\nRecursionError: maximum recursion depth exceeded\n"
    )
    assert _told(stack) == [("", None, "RecursionError", "maximum recursion depth exceeded", ["walk"])]


def test_another_process_tells_its_traceback_in_a_message() -> None:
    """The cause that a pool of processes adds has the frames of the other process."""
    stack = (
        'concurrent.futures.process._RemoteTraceback: \n"""\nTraceback (most recent call last):\n'
        '  File "/app/work.py", line 3, in work\n    raise ValueError(7)\nValueError: 7\n"""\n\n'
        "The above exception was the direct cause of the following exception:\n\n"
        'Traceback (most recent call last):\n  File "/app/main.py", line 9, in run\n    f.result()\nValueError: 7\n'
    )
    assert _told(stack) == [("", None, "ValueError", "7", ["run"]), ("cause", 0, "ValueError", "7", ["work"])]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Traceback", "Exception in thread Thread-1 (work):\nTraceback"),
        ('  File "/app/b.py"', '> File "/app/b.py"'),
        ("\n", "\r\n"),
        ("E: no", "E: no\n\n"),
    ],
    ids=["a heading", "loguru", "Windows", "empty lines"],
)
def test_what_others_add(before: str, after: str) -> None:
    """Headings, marks and ends of lines change nothing."""
    stack = (
        'Traceback (most recent call last):\n  File "/app/a.py", line 1, in outer\n    inner()\n'
        '  File "/app/b.py", line 2, in inner\n    raise E\nE: no\n'
    )
    assert _told(stack.replace(before, after)) == [("", None, "E", "no", ["outer", "inner"])]


def test_an_exception_without_a_message() -> None:
    """Only the type is printed."""
    assert _told('Traceback (most recent call last):\n  File "/app/a.py", line 1, in f\n    x\nshop.E\n') == [
        ("", None, "shop.E", "", ["f"])
    ]


def test_the_innermost_frames_of_many_are_kept() -> None:
    """400 of 10 000, whose innermost one is the last."""
    frames = "".join(f'  File "/app/a.py", line {number}, in f{number}\n    x\n' for number in range(10_000))
    (found,) = parse(f"Traceback (most recent call last):\n{frames}E: no\n")
    assert (len(found.frames), found.frames[-1].function) == (400, "f9999")
