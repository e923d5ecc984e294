"""What the modules of the manual API offer, and the tree of their errors."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import spanglass.api
from spanglass import errors

MODULES = [f"spanglass.api.{found.name}" for found in pkgutil.iter_modules(spanglass.api.__path__)]


@pytest.mark.parametrize("name", [*MODULES, "spanglass.errors"])
def test_each_module_lists_what_it_offers(name):
    """__all__ is sorted, everything in it exists, and every public function and class of the module is in it."""
    module = importlib.import_module(name)
    own = {
        public
        for public, value in vars(module).items()
        if not public.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == name
    }

    assert sorted(set(module.__all__), key=by_kind) == module.__all__
    assert [public for public in module.__all__ if not hasattr(module, public)] == []
    assert own - set(module.__all__) == set()


def by_kind(name):
    """The order that the linter keeps: constants, classes, the rest."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_the_tree_of_errors_is_as_drawn():
    """The drawing at the top of errors.py has every class, below its base."""
    lines = [line for line in (errors.__doc__ or "").splitlines() if line.startswith("    ")]
    drawn, path = {}, []
    for line in lines:
        name = next(word for word in line.split() if word[0].isalpha())
        depth = (line.index(name) - 4) // 4
        path = [*path[:depth], name]
        drawn[name] = path[-2] if depth else "Exception"

    assert drawn == {name: getattr(errors, name).__bases__[0].__name__ for name in errors.__all__}
