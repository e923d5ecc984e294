"""Run applications with our layer: ``our_layer.py run|configure MODULE ...``; with ``run`` it is there already."""

from __future__ import annotations

import importlib
import sys

if sys.argv[1] == "configure":
    import spanglass

    spanglass.configure()
for name in sys.argv[2:]:
    importlib.import_module(name).main()
