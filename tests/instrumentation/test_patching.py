import sys
from types import SimpleNamespace

import pytest

from spanglass.patching.patches import Call, replace, see_before


class Base:
    """Has a method."""

    def name(self):
        """Return it."""
        return "base"


class Child(Base):
    """Inherits it."""


def shouting(replacement):
    """Make a method that adds a mark while it is active."""
    return lambda self: replacement.original(self) + ("!" if replacement.active else "")


def test_what_was_replaced_comes_back():
    """The class has its own function again, the very same."""
    original = Base.name
    undo = replace(Base, "name", shouting)
    during = Base().name()
    undo()

    assert (during, Base.name) == ("base!", original)


def test_a_static_method_comes_back_as_one():
    """What was static is static again, and is called without an instance."""

    class Shop:
        @staticmethod
        def price(item):
            return len(item)

    take_back = replace(Shop, "price", lambda replacement: staticmethod(lambda item: replacement.original(item) + 1))
    assert Shop().price("tea") == 4
    take_back()
    assert Shop().price("tea") == 3


def test_what_was_inherited_is_inherited_again():
    """A replacement in a subclass leaves nothing behind in it."""
    undo = replace(Child, "name", shouting)
    during = Child().name(), Base().name()
    undo()

    assert during == ("base!", "base")
    assert "name" not in vars(Child)


def test_what_was_replaced_once_more_since_stays_and_passes_on():
    """Another's replacement over ours is left alone; ours does nothing any more; undoing twice is harmless."""
    original = Base.name
    undo = replace(Base, "name", shouting)
    ours = Base.name
    Base.name = lambda self: ours(self) + "?"
    before = Base().name()
    undo()
    undo()
    after = Base().name()
    Base.name = original

    assert (before, after) == ("base!?", "base?")


@pytest.mark.parametrize("order", [1, -1])
def test_one_function_in_two_places(order):
    """What stands in two places, as a name and its alias do, comes back at both."""
    first, second = SimpleNamespace(ring=len), SimpleNamespace(ring=max)
    undo = [replace(first, "ring", lambda _: min), replace(second, "ring", lambda _: min)]
    for each in undo[::order]:
        each()

    assert (first.ring, second.ring) == (len, max)


def test_replacements_are_taken_back_in_any_order():
    """The first that was made may go first; when the last is gone nothing is left of either."""
    original = Base.name
    first = replace(Base, "name", shouting)
    second = replace(Base, "name", shouting)
    both = Base().name()
    first()
    one = Base().name()
    second()

    assert (both, one, Base.name) == ("base!!", "base!", original)


class Bell:
    """Is rung."""

    def ring(self, tone):
        """Return the tone, and who called."""
        return tone, sys._getframe(1).f_code.co_name


def play(bell, tone):
    """Ring it, from the one place that is known."""
    return bell.ring(tone)


@pytest.fixture
def seen():
    """Watch the bell: what was seen of it, and what takes that back."""
    found = []
    call = Call(play.__code__, "tone")
    undo = see_before(Bell, "ring", call, lambda _, tone: found.append(tone) or tone != "quiet")
    yield found, undo
    undo()


def test_a_call_is_seen_without_a_frame_of_ours(seen):
    """The method finds its caller where it is called from the known place; from elsewhere it is seen all the same."""
    found, undo = seen

    def elsewhere():
        return Bell().ring("b"), Bell.ring(Bell(), "c")

    inside, others, left_out = play(Bell(), "a"), elsewhere(), play(Bell(), "quiet")
    undo()
    after = play(Bell(), "d")

    assert (inside, left_out, after) == (("a", "play"), None, ("d", "play"))
    assert [tone for tone, _ in others] == ["b", "c"]
    assert found == ["a", "b", "c", "quiet"]


def test_what_was_wrapped_over_a_seen_method_passes_on(seen, monkeypatch):
    """Somebody wraps it after us, as Sentry does: calls are seen until it is taken back, and go on after that."""
    found, undo = seen
    ours = Bell.ring
    monkeypatch.setattr(Bell, "ring", lambda bell, tone: (ours(bell, tone), "more")[0])

    before = play(Bell(), "a")
    undo()

    assert [before[0], play(Bell(), "b")[0]] == ["a", "b"]
    assert found == ["a"]
