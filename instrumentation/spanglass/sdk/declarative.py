"""OTEL_CONFIG_FILE: the SDK set up by a declarative file, by OpenTelemetry's own package for it."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from spanglass_core.settings_types import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "OTEL_CONFIG_FILE"

_READER = "opentelemetry.configuration.file._loader"


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
        fitting = version("opentelemetry-instrumentation")  # of another one it would change the SDK's version
        raise SettingsError(f"{VARIABLE} needs a package: pip install opentelemetry-configuration=={fitting}") from None
    try:
        with _quiet():
            configure_sdk(load_config_file(path))
    except (ConfigurationError, OSError, ValueError) as error:
        raise SettingsError(f"{VARIABLE}: {path}: {error}") from None
    return True


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the package logs of a file that it can't read, with tracebacks: it raises that too."""
    logger = logging.getLogger(_READER)
    logger.addFilter(_is_no_error)
    try:
        yield
    finally:
        logger.removeFilter(_is_no_error)


def _is_no_error(record: logging.LogRecord) -> bool:
    return record.levelno < logging.ERROR
