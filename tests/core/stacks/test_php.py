"""Stack traces of PHP."""

import pytest

from spanglass_core.stacks.model import Frame
from spanglass_core.stacks.php import read
from spanglass_core.stacks.php_names import of_dots, of_php

FATAL = r"""PHP Fatal error:  Uncaught App\Empty_: no stock

for 2 in #0 here in /app/src/Stock.php:4
Stack trace:
#0 [internal function]: App\Stock->App\{closure}(2)
#1 /app/src/Stock.php(5): array_map(Object(Closure), Array)
#2 /app/x.php(12): App\Stock->take('tea (big)', Array)
#3 {main}

Next LogicException: outer in /app/x.php:6
Stack trace:
#0 /app/x.php(12): App\reserve()
#1 {main}
  thrown in /app/x.php on line 6
"""


def test_innermost_first():
    """PHP tells the cause first; each function stands at the place where it was executing."""
    outer, cause = read(FATAL, "LogicException", "outer")

    assert (outer.type, outer.message, outer.relation, outer.parent) == ("LogicException", "outer", "", None)
    assert (cause.type, cause.message, cause.relation, cause.parent) == (
        "App\\Empty_",
        "no stock\n\nfor 2 in #0 here",
        "cause",
        0,
    )
    assert outer.frames == (
        Frame("{main}", "", "/app/x.php", 12, in_app=True),
        Frame("App\\reserve", "App", "/app/x.php", 6, in_app=True),
    )
    assert cause.frames == (
        Frame("{main}", "", "/app/x.php", 12, in_app=True),
        Frame("App\\Stock::take", "App", "/app/src/Stock.php", 5, in_app=True),
        Frame("array_map", "", "", None, in_app=False),
        Frame("App\\Stock::{closure}", "App", "/app/src/Stock.php", 4, in_app=True),
    )


def test_layout_of_java():
    """What OpenTelemetry PHP writes gives the same functions, with the files' names."""
    text = """\
LogicException: outer
\tat App.Cart.reserve(x.php:6)
\tat {main}(x.php:12)
Caused by: App.Empty_: no stock
\tat App.Stock.App.{closure}(Stock.php:4)
\tat array_map(Unknown Source)
\tat App.Stock.take(Stock.php:5)
\tat Illuminate.Routing.Router.run(Router.php:9)
\t... 1 more
"""
    outer, cause = read(text, "LogicException", "outer")

    assert (outer.type, cause.type, cause.message, cause.relation) == (
        "LogicException",
        "App\\Empty_",
        "no stock",
        "cause",
    )
    assert [(frame.function, frame.module, frame.in_app) for frame in cause.frames] == [
        ("{main}", "", True),
        ("Illuminate\\Routing\\Router::run", "Illuminate\\Routing", False),
        ("App\\Stock::take", "App", True),
        ("array_map", "", False),
        ("App\\Stock::{closure}", "App", True),
    ]


def test_function_of_php_that_throws():
    """A function of PHP's own has its caller's place, which is not its own: it is not in-app."""
    text = "Exception: bad in /app/a.php:3\nStack trace:\n#0 /app/a.php(3): DateTime->__construct('x')\n#1 {main}"

    assert read(text, "", "")[0].frames == (
        Frame("{main}", "", "/app/a.php", 3, in_app=True),
        Frame("DateTime::__construct", "", "", None, in_app=False),
    )


@pytest.mark.parametrize("handler", ["{closure}", "App\\Errors->handle", "Illuminate\\Bootstrap\\Errors->handle"])
def test_warning_made_an_exception(handler):
    """What makes warnings exceptions has the place of the warning, which is in the function that caused it."""
    text = f"""ErrorException: Undefined variable $x in /app/a.php:3
Stack trace:
#0 /app/a.php(3): {handler}(2, 'Undefined...', '/app/a.php', 3)
#1 /app/b.php(9): App\\take()
#2 {{main}}"""
    frames = read(text, "", "")[0].frames

    assert [(frame.function, frame.in_app) for frame in frames[:2]] == [("{main}", True), ("App\\take", True)]
    assert not frames[2].in_app


def test_log_of_monolog():
    """Monolog, and so Laravel, tells the outermost first."""
    text = r"""local.ERROR: outer {"exception":"[object] (LogicException(code: 3): outer at /app/x.php:6)
[stacktrace]
#0 /app/x.php(12): App\\reserve()
#1 {main}

[previous exception] [object] (App\\Empty_(code: 0): no tea at /app/src/Stock.php:4)
[stacktrace]
#0 /app/x.php(5): App\Stock->take()
#1 {main}
"}
"""
    assert [(one.type, one.message, one.frames[-1].function) for one in read(text, "", "")] == [
        ("LogicException", "outer", "App\\reserve"),
        ("App\\Empty_", "no tea", "App\\Stock::take"),
    ]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("App\\Stock->take(3, Array)", ("App", "App\\Stock::take")),
        ("App\\reserve()", ("App", "App\\reserve")),
        ("strlen(Array)", ("", "strlen")),
        ("App\\{closure}(1)", ("", "{closure}")),
        ("{closure:App\\X::y():12}(1)", ("", "{closure}")),
        ("App\\X->{closure:App\\X::y():12}(1)", ("App", "App\\X::{closure}")),
        ("App\\X->App\\{closure}('{')", ("App", "App\\X::{closure}")),
        ("Ns\\Job@anonymous\x00/app/a.php:9$0->run('a->b')", ("Ns", "Ns\\Job@anonymous::run")),
        ("require_once('/app/b.php')", ("", "require_once")),
    ],
)
def test_names(call, name):
    """Closures and anonymous classes are called alike in all versions; arguments are no part of a name."""
    assert of_php(call) == name


@pytest.mark.parametrize(
    ("dotted", "name"),
    [
        ("App.Stock.take", ("App", "App\\Stock::take")),
        ("App.Http.Ctl.App.Http.{closure}", ("App\\Http", "App\\Http\\Ctl::{closure}")),
        ("App.{closure}", ("", "App::{closure}")),
        ("{main}", ("", "{main}")),
    ],
)
def test_dotted_names(dotted, name):
    """The class of a dotted name is what stands before the function."""
    assert of_dots(dotted) == name


@pytest.mark.parametrize("text", ["a.B: x\n\tat a.B.c(B.java:3)", "step #0 of 3\n#0 done", "KeyError\n  File #0 x"])
def test_other_languages_are_left_alone(text):
    """Stacks of the JVM, and text, are not PHP's."""
    assert read(text, "", "") is None
