"""Makes the helper modules of this folder and of the real servers importable."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "instrumentation"))
sys.path.insert(0, str(Path(__file__).parent))

from servers import postgres, shared_redis

__all__ = ["postgres", "shared_redis"]
