"""Makes the helper modules of this folder, and those of the store's, importable."""

from __future__ import annotations

import sys
from pathlib import Path

for folder in (Path(__file__).parent, Path(__file__).parents[1] / "store"):
    sys.path.insert(0, str(folder))
