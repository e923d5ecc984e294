import re
import traceback

import pytest

from spanglass.exceptions.chain import ChainReader
from spanglass.exceptions.describing import stack_text
from spanglass.exceptions.reading import NoScrubber
from spanglass.settings.table import Settings


def written(error):
    """Write an exception's stack as it is sent."""
    return stack_text(ChainReader(Settings(), NoScrubber(), lambda: 1).read(error))


def printed(error):
    """Write it as Python does, without the marks under failing expressions."""
    lines = traceback.format_exception(error)
    return re.sub(r"^ +[~^]+\n", "", "".join(lines), flags=re.MULTILINE)


def fail():
    """Raise."""
    raise ValueError("broken")


def from_cause():
    """Raise with a cause."""
    try:
        fail()
    except ValueError as error:
        raise KeyError("k") from error


def in_context():
    """Raise while another is handled."""
    try:
        from_cause()
    except KeyError:
        raise LookupError  # noqa: B904 - without a cause, on purpose


def noted():
    """Raise with a note."""
    try:
        fail()
    except ValueError as error:
        error.add_note("try again")
        raise


@pytest.mark.parametrize("function", [fail, from_cause, in_context, noted])
def test_it_looks_as_python_prints_it(function):
    """Whoever reads Python's tracebacks, people and programs, reads this one."""
    with pytest.raises(Exception) as found:  # noqa: PT011 - whichever it is
        function()

    assert written(found.value) == printed(found.value)


def raised_group():
    """Return a group that was raised, with a cause, a member that was raised, and a group in it."""
    try:
        try:
            fail()
        except ValueError as error:
            members = [error, TypeError("a"), ExceptionGroup("rest", [OSError("two")])]
            raise ExceptionGroup("all", members) from KeyError("k")  # one line: Python 3.13 shows all of a statement
    except ExceptionGroup as group:
        return group


def test_groups_are_written_as_python_does():
    """A group, its members and a group in it stand as ``traceback`` has them, but for the marks below source lines."""
    group = raised_group()
    marks = re.compile(r"^[ |]*[~^]+$\n", re.MULTILINE)

    assert written(group) == marks.sub("", "".join(traceback.format_exception(group)))
    assert written(ExceptionGroup("rest", [OSError("two")])) == (
        "  | ExceptionGroup: rest (1 sub-exception)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | OSError: two\n"
        "    +------------------------------------\n"
    )


def test_what_is_left_out_is_said():
    """A recursion and a long chain say how much of them is not there."""

    def recurse():
        recurse()

    with pytest.raises(RecursionError) as found:
        recurse()
    last = ValueError("root")
    for _ in range(20):
        above = ValueError("x")
        above.__cause__ = last
        last = above

    assert re.search(r"^  \[\d+ more frames\]$", written(found.value), re.MULTILINE)
    assert "[5 more exceptions]" in written(last)
