"""Turn on the instrumentations of installed libraries once a process, for tests that capture what they send."""

from __future__ import annotations

import functools
import os
import warnings

from opentelemetry.instrumentation.auto_instrumentation._load import _load_instrumentors
from opentelemetry.instrumentation.distro import DefaultDistro  # type: ignore[attr-defined]

from spanglass import setup


@functools.cache
def instrument_once() -> None:
    """Instrument every installed library that has an instrumentation, unless ``configure`` has done so.

    An instrumentation that can't be loaded is skipped by OpenTelemetry, which logs why.
    """
    if setup.running() is not None:
        return
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other people's deprecations are no failure of the test that captures first
        _load_instrumentors(DefaultDistro())  # type: ignore[no-untyped-call]
