"""Stack traces of the JVM."""

import pytest

from spanglass_core.stacks.jvm import read
from spanglass_core.stacks.jvm_names import stable_class, stable_method
from spanglass_core.stacks.model import Frame

NESTED = """\
Exception in thread "main" com.shop.Shop$StockException: outer
\tat com.shop.Shop.main(Shop.java:8)
\tat java.base/java.lang.reflect.Method.invoke(Method.java:569)
Caused by: java.lang.IllegalStateException: no tea
id 12
\tat com.shop.Shop.inner(Shop.java:5)
\tat com.shop.Shop.reserve(Shop.java:6)
\t... 2 more
\tSuppressed: java.io.IOException: close
\t\tat com.shop.Shop.lambda$reserve$0(Shop.java:7)
\t\t... 3 more
\tCaused by: java.lang.Error
\t\t... 4 more
Caused by: [CIRCULAR REFERENCE: com.shop.Shop$StockException: outer]
"""


def names(raised):
    """Functions of an exception, innermost first."""
    return [frame.function for frame in reversed(raised.frames)]


def test_chain_with_suppressed_ones_and_omitted_frames():
    """Causes and suppressed exceptions know what they belong to, and have the frames that "... n more" stands for."""
    chain = read(NESTED, "", "")

    assert [(one.type, one.message, one.relation, one.parent) for one in chain] == [
        ("com.shop.Shop.StockException", "outer", "", None),
        ("java.lang.IllegalStateException", "no tea\nid 12", "cause", 0),
        ("java.io.IOException", "close", "suppressed", 1),
        ("java.lang.Error", "", "cause", 2),
    ]
    assert [names(one) for one in chain] == [
        ["Shop.main", "Method.invoke"],
        ["Shop.inner", "Shop.reserve", "Shop.main", "Method.invoke"],
        ["Shop.reserve", "Shop.reserve", "Shop.main", "Method.invoke"],
        ["Shop.reserve", "Shop.reserve", "Shop.main", "Method.invoke"],
    ]


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        ("at java.base/java.lang.Thread.run(Thread.java:840)", ("Thread.run", "java.lang", "Thread.java", 840, False)),
        ("at app//com.shop.Stock.take(Stock.java)", ("Stock.take", "com.shop", "Stock.java", None, True)),
        ("at app/shop@1.2/com.shop.A.b(A.kt:3)", ("A.b", "com.shop", "A.kt", 3, True)),
        ("at sun.misc.Unsafe.park(Native Method)", ("Unsafe.park", "sun.misc", "", None, False)),
        ("at com.shop.A$1.run(A.java:3) ~[shop-1.2.jar:1.2]", ("A.run", "com.shop", "A.java", 3, True)),
        ("at com.shop.A.<init>(A.java:3) [classes/:?]", ("A.<init>", "com.shop", "A.java", 3, True)),
        ("at com.shop.A$$SpringCGLIB$$0.b(<generated>)", ("A$$CGLIB.b", "com.shop", "", None, False)),
        (
            "at com.shop.A$$Lambda$14/0x00000008000c3000.run(Unknown Source)",
            ("A$$Lambda.run", "com.shop", "", None, False),
        ),
        ("at jdk.proxy2/jdk.proxy2.$Proxy31.find(Unknown Source)", ("$Proxy.find", "jdk.proxy2", "", None, False)),
        ("at com.shop.AKt$main$1.invokeSuspend(A.kt:9)", ("AKt$main.invokeSuspend", "com.shop", "A.kt", 9, True)),
        ("at shop.core$take$fn__1234.invoke(core.clj:7)", ("core$take$fn.invoke", "shop", "core.clj", 7, True)),
        ("at com.shop.Stock_Subclass.take(Unknown Source)", ("Stock_Subclass.take", "com.shop", "", None, False)),
        ("at a.b.c(SourceFile:12)", ("b.c", "a", "", 12, True)),
        ("at com.shop.Test.takes the last one(Test.kt:5)", ("Test.takes the last one", "com.shop", "Test.kt", 5, True)),
    ],
)
def test_frames(line, frame):
    """Modules, jars and numbers that differ from run to run are no part of a frame; run-time classes not in-app."""
    assert read(f"a.B: c\n\t{line}\n", "", "")[0].frames == (Frame(*frame),)


def test_root_cause_first():
    """Logback's and log4j's root-first layout gives the same chain as the usual one."""
    usual = """\
a.Outer: o
\tat a.S.top(S.java:2)
\tat a.S.main(S.java:1)
Caused by: a.Inner: i
\tat a.S.deep(S.java:3)
\t... 1 common frames omitted
"""
    root_first = """\
a.Inner: i
\tat a.S.deep(S.java:3)
\t... 1 common frames omitted
Wrapped by: a.Outer: o
\tat a.S.top(S.java:2)
\tat a.S.main(S.java:1)
"""
    assert read(root_first, "", "") == read(usual, "", "")


def test_message_that_looks_like_a_stack():
    """The message that was sent is no part of the stack, even if it has frames itself."""
    message = "remote failed:\n\tat other.Host.run(Host.java:1)\nCaused by: x.Y: z"
    text = f"a.Remote: {message}\n\tat a.Client.call(Client.java:9)\n"

    (raised,) = read(text, "a.Remote", message)

    assert (raised.message, names(raised)) == (message, ["Client.call"])


def test_no_message_as_logback_writes_it():
    """Logback writes "null" where an exception has no message."""
    assert read("a.Empty: null\n\tat a.S.take(S.java:1)", "", "")[0].message == ""


def test_header_in_own_words():
    """Where toString() is overridden, the type that was sent stands."""
    (raised,) = read("Sorry, no tea\n\tat a.S.take(S.java:1)", "a.S$Empty", "no tea")

    assert (raised.type, raised.message) == ("a.S.Empty", "no tea")


@pytest.mark.parametrize(
    "text",
    [
        "Error: x\n    at take (/app/stock.js:3:4)\n    at Array.map (<anonymous>)",
        "System.Exception: x\n   at Shop.Stock.Take(String sku) in /app/Stock.cs:line 3",
        "App.Empty: x\n\tat App.Stock.take(Stock.php:3)",
        "no stack at all (really:3)",
        "x: y\n\tat all (really:3)",
    ],
)
def test_other_languages_are_left_alone(text):
    """Stacks of JavaScript, .NET and PHP, and text, are not the JVM's."""
    assert read(text, "", "") is None


@pytest.mark.parametrize(
    ("name", "stable"),
    [
        ("Stock$$EnhancerBySpringCGLIB$$1f2e3d", "Stock$$CGLIB"),
        ("Stock$$FastClassBySpringCGLIB$$77", "Stock$$CGLIB"),
        ("Stock$HibernateProxy$9xYz", "Stock$$HibernateProxy"),
        ("GeneratedMethodAccessor12", "Generated"),
        ("LambdaForm$DMH", "Generated"),
        ("Stock$Shelf", "Stock$Shelf"),
    ],
)
def test_classes_without_numbers(name, stable):
    """What libraries make up is called alike in each run; classes of the source keep their names."""
    assert stable_class(name) == stable


@pytest.mark.parametrize(
    ("name", "stable"),
    [
        ("lambda$take$3", "take"),
        ("$anonfun$take$1", "take"),
        ("$anonfun$take$1$adapted", "take"),
        ("reserve-tY5x9k2", "reserve"),
        ("access$take", "access$take"),
        ("all$lambda$1$lambda$0", "all"),
        ("total$$anonfun$1", "total"),
        ("take_aroundBody0", "take"),
    ],
)
def test_methods_without_numbers(name, stable):
    """A lambda is called like the method it is in."""
    assert stable_method(name) == stable
