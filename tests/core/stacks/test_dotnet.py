"""Stack traces of .NET."""

import pytest

from spanglass_core.stacks.dotnet import read
from spanglass_core.stacks.model import Frame

AGGREGATE = """\
System.AggregateException: One or more errors occurred. (a) (b)
 ---> Shop.StockException: a
 ---> System.IO.IOException (0x80070020): locked
second line
   at Shop.File.Open(String path) in /app/File.cs:line 3
   --- End of inner exception stack trace ---
   at Shop.Stock.<TakeAsync>d__5.MoveNext() in /app/Stock.cs:line 12
--- End of stack trace from previous location ---
   at Shop.Cart.Reserve()
   --- End of inner exception stack trace ---
   at System.Threading.Tasks.Task.WaitAll(Task[] tasks)
   at Program.<Main>$(String[] args) in /app/Program.cs:line 1
 ---> (Inner Exception #1) System.ArgumentException: b
   at Shop.Stock.<>c__DisplayClass3_0.<Run>b__0() in /app/Stock.cs:line 40<---

"""


def names(raised):
    """Functions of an exception, innermost first."""
    return [frame.function for frame in reversed(raised.frames)]


def test_inner_exceptions_and_members():
    """Each frame belongs to its exception, also those after the end of an inner one and of a member."""
    chain = read(AGGREGATE, "", "")

    assert [(one.type, one.message, one.relation, one.parent, names(one)) for one in chain] == [
        (
            "System.AggregateException",
            "One or more errors occurred. (a) (b)",
            "",
            None,
            ["Task.WaitAll", "Program.Main"],
        ),
        ("Shop.StockException", "a", "member", 0, ["Stock.TakeAsync", "Cart.Reserve"]),
        ("System.IO.IOException", "locked\nsecond line", "cause", 1, ["File.Open"]),
        ("System.ArgumentException", "b", "member", 0, ["Stock.Run"]),
    ]


def test_first_member_told_twice():
    """Mono and the .NET Framework tell an aggregate's first member as its cause too: it counts once."""
    text = """\
System.AggregateException: One ---> Shop.StockException: a ---> Shop.Deep: d
  at Shop.S.Deep () [0x00000] in <12b418a7818c4ca0893feeaaf67f1e7f>:0
   --- End of inner exception stack trace ---
  at Shop.S.A (System.Int32 n) [0x00000] in /app/S.cs:1
   --- End of inner exception stack trace ---
  at Shop.P.Main () [0x00000] in /app/S.cs:9
---> (Inner Exception #0) Shop.StockException: a ---> Shop.Deep: d
  at Shop.S.Deep () [0x00000] in <12b418a7818c4ca0893feeaaf67f1e7f>:0
   --- End of inner exception stack trace ---
  at Shop.S.A (System.Int32 n) [0x00000] in /app/S.cs:1 <---

---> (Inner Exception #1) Shop.Other: b
  at Shop.S.B () [0x00000] in /app/S.cs:2 <---
"""
    assert [(one.type, one.parent, names(one)) for one in read(text, "", "")] == [
        ("System.AggregateException", None, ["P.Main"]),
        ("Shop.StockException", 0, ["S.A"]),
        ("Shop.Deep", 1, ["S.Deep"]),
        ("Shop.Other", 0, ["S.B"]),
    ]


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        ("Shop.Stock.Take(String sku, Int32& n)", ("Stock.Take", "Shop", "", None, True)),
        (r"Shop.Stock..ctor() in C:\src\Stock.cs:line 4", ("Stock..ctor", "Shop", r"C:\src\Stock.cs", 4, True)),
        ("Shop.Stock`1.Take[TKey](TKey key)", ("Stock.Take", "Shop", "", None, True)),
        ("Shop.Stock.<Take>g__Check|4_0(Int32 n)", ("Stock.Take.Check", "Shop", "", None, True)),
        ("Shop.Stock.<>c.<<Take>b__2_0>d.MoveNext()", ("Stock.Take", "Shop", "", None, True)),
        ("Program.<<Main>$>g__Reserve|0_1(String s)", ("Program.Main.Reserve", "", "", None, True)),
        ("Shop.Stock.Take(String) + 0x2c", ("Stock.Take", "Shop", "", None, True)),
        ("Shop.Stock.Take() in Shop.dll:token 0x600000d+0x1d", ("Stock.Take", "Shop", "", None, True)),
        ("Shop.Stock.VB$StateMachine_3_TakeAsync.MoveNext()", ("Stock.TakeAsync", "Shop", "", None, True)),
        ("Shop.Stock.take@12-1.Invoke(Unit unitVar)", ("take.Invoke", "Shop.Stock", "", None, True)),
        ("lambda_method123(Closure, Object, Object[])", ("lambda_method", "", "", None, False)),
        ("System.Linq.Enumerable.ToList[T](IEnumerable`1 s)", ("Enumerable.ToList", "System.Linq", "", None, False)),
        ("Shop.Dict`2[TKey,TValue].Get (TKey k) [0x00021] in <12b4>:0 ", ("Dict.Get", "Shop", "", None, True)),
        ("(wrapper managed-to-native) Shop.A.B(int) [0x00000] in <1>:0", ("A.B", "Shop", "", None, False)),
    ],
)
def test_frames(line, frame):
    """What compilers make up is called like the source; parameters and type parameters are no part of a frame."""
    assert read(f"A.B: c\n   at {line}\n", "", "")[0].frames == (Frame(*frame),)


def test_message_with_arrows_and_frames():
    """A message of several lines that was sent is no part of the stack."""
    message = "body ---> Not.An: inner\n   at Not.A.Frame()"
    (raised,) = read(f"A.B: {message}\n   at C.D.E()", "A.B", message)

    assert (raised.type, raised.message, names(raised)) == ("A.B", message, ["D.E"])


def test_type_names():
    """Nested and generic types are called as in source code, also where only the attribute tells the type."""
    assert read("Sorry!\n   at C.D.E()", "Shop.Stock`1+Empty", "m")[0].type == "Shop.Stock.Empty"


@pytest.mark.parametrize(
    "text",
    [
        "Error: x\n    at take (/app/stock.js:3:4)\n    at Array.map (<anonymous>)\n    at async Promise.all (index 0)",
        "a.B: x\n\tat a.B.c(B.java:3)\n\tat a.B.d(B.java:3)",
        "App.Empty: x\n\tat App.Stock.take(Stock.php:3)\n\tat array_map(Unknown Source)",
        "text\n at once",
    ],
)
def test_other_languages_are_left_alone(text):
    """Stacks of JavaScript and the JVM, and text, are not of .NET."""
    assert read(text, "", "") is None
