from spanglass.patching.patches import replace


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
