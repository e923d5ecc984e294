"""What is wrong with a template of people, seen before it is kept; nothing of it is run."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from jinja2 import TemplateSyntaxError, nodes

from spanglass_server.notifications.messages.facts import NAMES
from spanglass_server.notifications.messages.rendering.environment import make_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jinja2 import Environment

MOST = 20_000  # characters of a template
_GIVEN = frozenset({"loop", "caller", "varargs", "kwargs", "self"})
_NO_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


def problem_of(template: str) -> str:
    """What is wrong, with its line and what to do; "" where nothing is."""
    if len(template) > MOST:
        return f"it has {len(template)} characters: {MOST} are the most"
    environment = make_environment("plain")
    try:
        tree = environment.parse(template)
        return next(_problems(tree, environment), "")
    except TemplateSyntaxError as error:
        return f"line {error.lineno}: {error.message}"
    except RecursionError:
        return "it is nested too deeply"


def _problems(tree: nodes.Template, environment: Environment) -> Iterator[str]:
    known = {*NAMES, *environment.globals, *_GIVEN, *(name.name for name in tree.find_all(nodes.Name) if _is_set(name))}
    known |= {macro.name for macro in tree.find_all(nodes.Macro)}
    for found in tree.find_all((nodes.Name, nodes.Filter, nodes.Test, *_NO_FILES)):
        problem = ""
        if isinstance(found, nodes.Name) and found.name not in known:
            problem = f"there is no {found.name!r}{_meant(found.name, NAMES)}"
        elif isinstance(found, nodes.Filter) and found.name not in environment.filters:
            problem = f"there is no filter {found.name!r}{_meant(found.name, environment.filters)}"
        elif isinstance(found, nodes.Test) and found.name not in environment.tests:
            problem = f"there is no test {found.name!r}{_meant(found.name, environment.tests)}"
        elif isinstance(found, _NO_FILES):
            problem = "a template can't take in other files: write its text here"
        if problem:
            yield f"line {found.lineno}: {problem}"


def _is_set(name: nodes.Name) -> bool:
    return name.ctx in {"store", "param"}


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f"; did you mean {close[0]!r}?" if close else ""
