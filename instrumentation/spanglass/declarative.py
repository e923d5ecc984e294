"""OTEL_CONFIG_FILE: the SDK set up by a declarative file, by OpenTelemetry's own package for it."""

from __future__ import annotations

import os

from spanglass_core.settings_errors import SettingsError

VARIABLE = "OTEL_CONFIG_FILE"


def apply_file() -> bool:
    """Make the providers that the file describes and publish them; False if no file is named.

    Raises ``SettingsError`` when the package is missing, or the file can't be read or used.
    """
    path = os.environ.get(VARIABLE, "").strip()
    if not path:
        return False
    try:
        from opentelemetry.configuration import (  # noqa: PLC0415 - an extra package, for few
            ConfigurationError,
            configure_sdk,
            load_config_file,
        )
    except ModuleNotFoundError:
        raise SettingsError(f"{VARIABLE} needs a package: pip install opentelemetry-configuration") from None
    try:
        configure_sdk(load_config_file(path))
    except (ConfigurationError, OSError, ValueError) as error:
        raise SettingsError(f"{VARIABLE}: {path}: {error}") from None
    return True
