"""Spanglass as a distribution of OpenTelemetry: what ``opentelemetry-instrument`` and the Kubernetes operator load.

Entry points ``opentelemetry_distro`` and ``opentelemetry_configurator``. Where another distribution is installed too,
OTEL_PYTHON_DISTRO=spanglass and OTEL_PYTHON_CONFIGURATOR=spanglass choose this one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined] # untyped

from spanglass.settings.settings import load
from spanglass.start.setup import running, start

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class SpanglassDistro(BaseDistro):  # type: ignore[misc] # the package has no types
    """Prepares the environment before anything is loaded, and turns instrumentations on with our options."""

    def _configure(self, **_: Any) -> None:
        """Nothing to prepare: the configurator reads the settings."""

    def load_instrumentor(self, entry_point: EntryPoint, **_: Any) -> None:
        """Turn one instrumentation on, with our options; one that fails is reported and skipped."""
        parts = running()
        if parts is not None and parts.settings.instrument:
            parts.instrument_one(entry_point)


class SpanglassConfigurator:
    """Sets the SDK up by our settings and OpenTelemetry's variables, a declarative file included."""

    @staticmethod
    def configure(**kwargs: Any) -> None:
        """Do it; ``auto_instrumentation_version`` is what OpenTelemetry's loader says of itself."""
        version = kwargs.get("auto_instrumentation_version")
        more = {"telemetry.auto.version": version} if version else {}
        start(lambda: load({}, os.environ), instrument=False, more_resource=more)
