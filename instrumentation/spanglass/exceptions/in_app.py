"""Which frames are the application's own: by the settings first, then by where the file lies."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PACKAGES = ("/site-packages/", "/dist-packages/")
#: Packages whose frames only pass a call on: they stand between the application's own, and say nothing of it.
_TELEMETRY = ("opentelemetry", "spanglass")
_OURS = str(Path(__file__).resolve().parents[1])


def is_within(module: str, packages: Sequence[str]) -> bool:
    """Return whether ``module`` is one of these packages, or inside one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def is_telemetry(module: str) -> bool:
    """Return whether a frame of this module belongs to OpenTelemetry or to us."""
    return is_within(module, _TELEMETRY)


def in_app_rule(include: Sequence[str], exclude: Sequence[str]) -> Callable[[str, str], bool]:
    """Make the rule for (module, absolute file): named in ``include``, else not in ``exclude`` and no library's."""
    paths = sysconfig.get_paths()
    library = tuple({f"{paths[name]}/" for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    scripts = f"{paths['scripts']}/"

    def rule(module: str, file: str) -> bool:
        if is_within(module, include):
            return True
        if is_within(module, exclude) or is_telemetry(module) or file.startswith(_OURS):
            return False
        if file.startswith("<"):
            return module == "__main__"  # `python -c`, an interactive session; not what a library generated
        if file.startswith(scripts) and not file.endswith(".py"):
            return False  # the few lines that pip writes to start a command
        # Debian's interpreter reports site-packages beside dist-packages, and neither of a virtual environment's base
        return not (file.startswith(library) or any(part in file for part in _PACKAGES))

    return rule
