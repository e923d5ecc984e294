"""Turn on the instrumentations of libraries once a process, for tests that capture what they send."""

from __future__ import annotations

import functools
import warnings

from spanglass.instrumentors.install import install_instrumentors
from spanglass.settings.table import Settings
from spanglass.start import setup
from spanglass.testing.stand_in import stand_ins


@functools.cache
def instrument_once() -> None:
    """Instrument every library that has an instrumentation, now or when it is imported, unless ``configure`` has.

    The instrumentations get the stand-ins, whose tracers and loggers use whatever is set when they are called.
    """
    if setup.running() is not None:
        return
    made = stand_ins()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other people's deprecations are no failure of the test that captures first
        install_instrumentors(
            Settings(), tracer_provider=made.tracers, meter_provider=made.meters, logger_provider=made.loggers
        )
