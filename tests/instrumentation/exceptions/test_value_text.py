import dataclasses
import datetime as dt
import enum
import functools
import types
from collections import OrderedDict, defaultdict, deque, namedtuple
from decimal import Decimal
from pathlib import PurePosixPath
from uuid import UUID

import pytest

from spanglass.scrubbing.scrubber import Scrubber


class Colour(enum.Enum):
    """An enum."""

    RED = 1


class Level(enum.IntEnum):
    """An enum that is a number too."""

    HIGH = 3


class Name(str):
    """A text of its own kind."""

    __slots__ = ()


@dataclasses.dataclass
class Order:
    """A dataclass."""

    id: int
    lines: list


class Slotted:
    """Attributes in slots, one never set."""

    __slots__ = ("left", "right")

    def __init__(self):
        self.left = 1


class Plain:
    """Attributes in a dict, one of them private."""

    def __init__(self):
        self.public, self._private = "yes", "no"


class Touchy:
    """Whose every method is a failure of the test."""

    def __init__(self):
        object.__setattr__(self, "colour", "blue")

    def _fail(self, *_):
        pytest.fail("the application's code ran")

    __repr__ = __str__ = __hash__ = __eq__ = __len__ = __iter__ = __bool__ = __getattribute__ = __format__ = _fail

    @property
    def price(self):
        """Fails as all the others."""
        pytest.fail("a property ran")


class TouchyList(list):
    """A list whose own methods are failures of the test."""

    def _fail(self, *_):
        pytest.fail("the application's code ran")

    __repr__ = __str__ = __len__ = __iter__ = __getitem__ = _fail


class TouchyDict(dict):
    """A dict whose own methods are failures of the test."""

    def _fail(self, *_):
        pytest.fail("the application's code ran")

    __repr__ = __str__ = __len__ = __iter__ = __getitem__ = items = _fail


class TouchyZone(dt.tzinfo):
    """A zone that must not be asked."""

    def utcoffset(self, _):
        """Fail the test."""
        pytest.fail("the application's code ran")


class TouchyMeta(type):
    """A class that must not be asked for its name."""

    def __getattribute__(cls, name):
        pytest.fail("the metaclass ran")

    def __repr__(cls):
        pytest.fail("the metaclass ran")


class Lazy(types.ModuleType):
    """A module that loads what it lacks."""

    def __getattr__(self, name):
        pytest.fail(f"the module was asked for {name}")


Point = namedtuple("Point", "x y")  # noqa: PYI024 - what old applications have
HERE = __name__


def a_function():
    """Have a name."""


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "None"),
        (True, "True"),
        (5, "5"),
        (2**300, "<int of 301 bits>"),
        (1.5, "1.5"),
        ("it's", '"it\'s"'),
        (b"ab", "b'ab'"),
        (bytearray(b"ab"), "bytearray(b'ab')"),
        (Decimal("1.10"), "Decimal('1.10')"),
        (UUID(int=1), "UUID('00000000-0000-0000-0000-000000000001')"),
        (PurePosixPath("/a"), "PurePosixPath('/a')"),
        (dt.date(2026, 1, 2), "datetime.date(2026, 1, 2)"),
        (dt.datetime(2026, 1, 2, 3, tzinfo=dt.UTC), "datetime.datetime(2026-01-02T03:00:00+00:00)"),
        (dt.datetime(2026, 1, 2, tzinfo=TouchyZone()), "<datetime.datetime>"),
        (Colour.RED, f"{HERE}.Colour.RED"),
        (Level.HIGH, f"{HERE}.Level.HIGH"),
        (Name("n"), f"{HERE}.Name('n')"),
        ([1, "a", None], "[1, 'a', None]"),
        ((1,), "(1,)"),
        ((), "()"),
        ({1}, "{1}"),
        (frozenset({1}), "frozenset({1})"),
        (deque([1, 2]), "collections.deque([1, 2])"),
        ({"a": 1, 2: [3]}, "{'a': 1, 2: [3]}"),
        (OrderedDict(a=1), "collections.OrderedDict({'a': 1})"),
        (defaultdict(list, a=1), "collections.defaultdict({'a': 1})"),
        (Point(1, 2), f"{HERE}.Point(x=1, y=2)"),
        (Order(7, ["x"]), f"{HERE}.Order(id=7, lines=['x'])"),
        (Slotted(), f"{HERE}.Slotted(left=1)"),
        (Plain(), f"{HERE}.Plain(public='yes')"),
        (object(), "<object>"),
        (ValueError("no", 5), "ValueError('no', 5)"),
        (Order, f"<class {HERE}.Order>"),
        (len, "<builtin_function_or_method len>"),
        (a_function, "<function a_function>"),
        (Plain().__init__, "<method Plain.__init__>"),
        (dt, "<module datetime>"),
        (
            functools.partial(len, [1]),
            "functools.partial(func=<builtin_function_or_method len>, args=([1],), keywords={})",
        ),
    ],
)
def test_values_are_written_by_their_kind(text, value, written):
    """Builtin values look like their repr, others show class and attributes, private ones left out."""
    assert text(value) == written


@pytest.mark.parametrize(
    ("make", "written"),
    [
        (Touchy, f"{HERE}.Touchy(colour='blue')"),
        (lambda: [Touchy()], f"[{HERE}.Touchy(colour='blue')]"),
        (lambda: TouchyList([1, 2]), f"{HERE}.TouchyList[1, 2]"),
        (lambda: TouchyDict(a=1), f"{HERE}.TouchyDict({{'a': 1}})"),
        (lambda: TouchyMeta("Meta", (), {})(), f"<{HERE}.Meta>"),  # noqa: PLW0108 - made in the test
        (lambda: TouchyMeta("Meta", (), {}), f"<class {HERE}.Meta>"),
        (lambda: Lazy("lazy"), "<Lazy lazy>"),
    ],
)
def test_no_code_of_the_application_runs(text, make, written):
    """Neither reprs, properties, items, metaclasses nor modules that load when asked are called."""
    assert text(make()) == written


def test_structures_are_bounded(text):
    """Long texts, long structures, deep ones and those that hold themselves are cut, and say so."""
    inside = ["end"]
    inside.append(inside)

    assert text("a" * 300) == f"'{'a' * 200}'… (300 characters)"
    assert text(b"a" * 300) == f"b'{'a' * 200}'… (300 bytes)"
    assert text(list(range(15))) == "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … (5 more)]"
    assert text({n: n for n in range(11)}).endswith("9: 9, … (1 more)}")
    assert text([[[[[1]]]]]) == "[[[[…]]]]"
    assert text(inside) == "['end', <list, which this is inside of>]"
    assert len(text([["a" * 200] * 10] * 10)) <= 1_024


def test_a_structure_that_holds_one_object_twice_shows_it_twice(text):
    """Only what is inside of itself is cut short, not what merely comes again."""
    shared = [1]

    assert text([shared, shared]) == "[[1], [1]]"


def test_huge_structures_are_read_in_part(text):
    """A dict of a million entries costs ten of them."""
    assert text(dict.fromkeys(range(1_000_000))).endswith("9: None, … (999990 more)}")


def test_lone_surrogates_are_escaped(text):
    """What is written can be encoded: one lone surrogate would lose a whole batch."""
    assert text("\udcff") == "'\\udcff'"
    assert text({"a": Name("\ud800")}).encode()


def test_what_raises_while_it_is_read_is_only_named(text):
    """A deque that another thread changes raises RuntimeError when it is iterated."""

    class Changing(deque):
        """Whose base class fails as if it was changed."""

    class Broken:
        """Whose attribute dict holds keys that are no texts."""

    broken = Broken()
    vars(broken)[5] = "number"

    assert text(broken) == f"<{class_name_of(Broken)}>"
    assert text(Changing([1])) == f"{class_name_of(Changing)}([1])"


def class_name_of(kind):
    """Return the qualified name."""
    return f"{kind.__module__}.{kind.__qualname__}"


def test_time_over_means_no_more_is_read(text):
    """When the time for variables is over, what is left is a mark."""
    ticks = iter([1, 2, 3, 10**12])

    assert text([1, 2, 3], stopwatch=lambda: next(ticks)) == "[1, 2, …]"


def test_secrets_are_scrubbed_by_name_and_by_shape(text):
    """A secret's name hides any value, at any depth; a known shape is found without a name; other things stay."""
    scrubber = Scrubber()
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

    assert text("hunter2", "db_password", scrubber) == "[scrubbed: password]"
    assert text(["hunter2"], "passwords", scrubber) == "[scrubbed: password]"
    assert text({"password": "hunter2", "user": "ann"}, "it", scrubber) == (
        "{'password': [scrubbed: password], 'user': 'ann'}"
    )
    assert text(Point("a", 1)._replace(x="k"), "api_key", scrubber) == "[scrubbed: api key]"
    assert jwt not in text([f"Bearer {jwt}"], "it", scrubber)
    assert jwt.encode().decode() not in text([jwt.encode()], "it", scrubber)
    assert text("Ann Author", "author", scrubber) == "'Ann Author'"
    assert text(7, "session_count", scrubber) == "7"
    assert text(None, "password", scrubber) == "None"
    assert text(5, "token", scrubber) == "5"
    assert text(1234, "pin", scrubber) == "[scrubbed: pin]"


def test_half_a_secret_at_the_cut_is_not_shown(text):
    """A secret that begins before the cut and ends behind it is recognised whole."""
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

    assert "eyJ" not in text("x" * 180 + " " + jwt, "it", Scrubber())
