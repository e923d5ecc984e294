"""Started by the interpreter itself: ``spanglass run`` puts this folder first on PYTHONPATH, for every child too.

The environment may have a ``sitecustomize`` of its own, which this one hides; it is run first.
"""

import importlib.util
import os
import sys
from importlib.machinery import PathFinder

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - without pathlib it starts sooner


def _run_hidden() -> None:
    """Run the ``sitecustomize`` that would have been found without this folder."""
    others = [path for path in sys.path if os.path.abspath(path or os.curdir) != _HERE]  # noqa: PTH100
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


try:
    _run_hidden()
finally:
    # a child of another environment inherits PYTHONPATH, too, and has no Spanglass: it runs as it would without us
    if PathFinder.find_spec("spanglass") is not None:
        from spanglass.start.autostart import begin

        begin()
