"""What the server's distribution takes from the application's: the version, and with it the exact release it needs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class SharedVersion(MetadataHookInterface):
    """Both distributions are released together: the version stands once, in the repository's pyproject.toml."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Set version and dependencies; a source distribution has both in its PKG-INFO."""
        shared = tomllib.loads((Path(self.root).parent / "pyproject.toml").read_text("utf-8"))["project"]["version"]
        metadata["version"] = shared
        metadata["dependencies"] = [f"spanglass=={shared}", *self.config["dependencies"]]
