"""What holds for the readers of the JVM, .NET, Ruby and PHP alike."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_core.stacks import dotnet, jvm, php, ruby
from spanglass_core.stacks.model import MAX_CHAIN, MAX_FRAMES

READERS = {"jvm": jvm.read, "dotnet": dotnet.read, "ruby": ruby.read, "php": php.read}
FRAGMENTS = (
    "\tat a.b.C.d(C.java:3)",
    "\t... 3 more",
    "\t... 999999 more",
    "Caused by: a.B: c",
    "\tSuppressed: a.B: c",
    "Wrapped by: x",
    "[CIRCULAR REFERENCE: a.B: c]",
    "Caused by: [CIRCULAR REFERENCE: a.B]",
    "   at A.B.<C>d__1.MoveNext() in /app/C.cs:line 3",
    " ---> A.B: c ---> D.E: f",
    " ---> (Inner Exception #0) A.AggregateException: c",
    " ---> (Inner Exception #1) A.AggregateException: c",
    "   --- End of inner exception stack trace ---",
    "--- End of stack trace from previous location ---",
    "   at A.B.C()<---",
    "A.AggregateException: x",
    "/app/a.rb:3:in `b': c (D)",
    "\tfrom /app/a.rb:3:in 'E#b'",
    "Traceback (most recent call last):",
    "Information for: A (b):",
    "Information for cause: A (b):",
    "A\\B: c in /app/a.php:3",
    "Stack trace:",
    "#0 /app/a.php(3): A\\B->c({closure:x:1}(2))",
    "#1 [internal function]: {closure}(",
    "#2 {main}",
    "Next A\\B: c in /app/a.php:3",
    "\tat A.B.A.{closure}(a.php:3)",
    "[previous exception] [object] (A(code: 0): b at /app/a.php:3)",
    "",
    "\x00",
)


@pytest.mark.parametrize("name", READERS)
@settings(derandomize=True, deadline=None)
@given(lines=st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=30)), max_size=40), message=st.text())
def test_any_lines_are_read(name, lines, message):
    """No order of lines raises; the result is the same again, parents come before what belongs to them."""
    text = "\n".join(lines)

    chain = READERS[name](text, "T", message)

    assert chain == READERS[name](text, "T", message)
    for index, raised in enumerate(chain or ()):
        assert (raised.parent is None) == (index == 0) == (raised.relation == "")
        assert raised.parent is None or raised.parent < index
        assert len(raised.frames) <= MAX_FRAMES


@pytest.mark.parametrize(
    ("name", "first", "line", "last"),
    [
        ("jvm", "a.B: c", "\tat a.b.C.d(C.java:3)", "Caused by: d.E: f\n\t... 9000 more"),
        ("dotnet", "A.E: c", "   at A.B.C() in /app/C.cs:line 3", ""),
        ("ruby", "/app/a.rb:1:in `b': c (D)", "\tfrom /app/a.rb:3:in `e'", ""),
        ("php", "A: c in /app/a.php:1\nStack trace:", "#0 /app/a.php(3): A\\B->c()", "#1 {main}"),
    ],
)
def test_innermost_frames_of_a_deep_stack(name, first, line, last):
    """Of ten thousand frames the innermost four hundred are kept."""
    chain = READERS[name]("\n".join([first, *[line] * 10_000, last]), "", "")

    assert len(chain[0].frames) == MAX_FRAMES
    assert chain[0].frames[-1].line == (3 if name in ("jvm", "dotnet") else 1)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("jvm", "Caused by: a.B: c\n\tat a.b.C.d(C.java:3)"),
        ("dotnet", " ---> A.B: c\n   at A.B.C()"),
        ("ruby", "/app/a.rb:1:in `b': c (D)"),
        ("php", "Next A: c in /app/a.php:1\nStack trace:\n#0 /app/a.php(3): A\\B->c()"),
    ],
)
def test_long_chain(name, line):
    """Of a chain without end as many exceptions are kept as the model has room for, or one more."""
    chain = READERS[name]("\n".join([line] * 1000), "", "")

    assert MAX_CHAIN <= len(chain) <= MAX_CHAIN + 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("jvm", "a.Empty: c\n\tat a.Empty$.of(E.java:1)\n\tat a.Empty.ofTwo(E.java:3)\n\tat a.Stock.take(S.java:3)"),
        ("dotnet", "A.Empty: c\n   at A.Empty.Of()\n   at A.Empty.OfTwo()\n   at A.Stock.take()"),
        (
            "php",
            "A\\E: c in /a.php:9\nStack trace:\n#0 /b.php(3): A\\E::of()\n#1 /c.php(1): Stock->take()\n#2 {main}",
        ),
        ("php", "A.Empty_: c\n\tat A.Empty_.of(a.php:9)\n\tat Stock.take(b.php:3)"),
    ],
)
def test_factory_of_an_exception_does_not_raise_it(name, text):
    """A static method of the exception that makes it is left out: what called it raised it, in many places."""
    assert READERS[name](text, "", "")[0].frames[-1].function in ("Stock.take", "Stock::take")


HOSTILE = (
    "\tat " + "a" * 1990,
    "\tat " + "$Lambda$" * 240 + "(C.java:3)",
    "\tat a." + "$By" * 300 + "(C.java:3)",
    "\tat a." + "$anonfun$" * 100 + "(C.java:3)",
    "   at " + "a.b" * 190 + "(" + "x" * 1100 + " in " * 100,
    "   at " + "<" * 500 + "()",
    "   at " + "<<A>b__" * 80 + "()",
    "   at A.B" + "[" * 300 + "`1" * 100 + "()",
    "/a" + ":1" * 900 + ":in `",
    "\tfrom " + "a:1:in `" * 200,
    "A" + "::A" * 600 + " (",
    "#0 " + "a(1" * 600,
    "#0 /a.php(3): " + "{closure" * 200,
    "x" + " in a:" * 300 + "\nStack trace:",
    "[object] (A(code: 0): " + " at /a:1" * 200,
    "\tat " + "App." * 140 + "{closure}(a.php:3)",
    " ---> " * 300,
)


@pytest.mark.parametrize("name", READERS)
def test_time_grows_with_the_text_only(name):
    """Lines made to be slow: a text of 256 kB takes well under the seconds that quadratic patterns would."""
    valid = "\tat a.b.C.d(C.java:3)\n   at A.B.C()\n/a.rb:1:in `b': c (D)\n#0 /a.php(3): c()\n"
    for line in HOSTILE:
        text = valid + "\n".join([line] * (256 * 1024 // len(line)))
        begin = time.thread_time()
        READERS[name](text, "T", "m")
        assert time.thread_time() - begin < 2.0, line[:60]
