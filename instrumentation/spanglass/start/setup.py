"""The composition root of an application's side: everything is put together here, and taken apart again.

``configure`` is what users call; ``start`` is what ``spanglass run`` and OpenTelemetry's configurator call too.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from spanglass.clock import NS_PER_S
from spanglass.guard import RUN_VARIABLE, STRICT_VARIABLE, guarded
from spanglass.process.ending import Ending
from spanglass.process.locks import ModuleLock
from spanglass.settings.components import missing, only_usable
from spanglass.settings.settings import SettingsError, load, unknown_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Unpack

    from spanglass.scrubbing.scrubber import Callback as ScrubCallback
    from spanglass.settings.options import Options
    from spanglass.settings.settings import Settings
    from spanglass.start.parts import Parts


_IGNORED = "configure() was called again with other options: ignored; call shutdown() first"
_IGNORED_UNDER_RUN = (
    "the options of configure() are ignored: `spanglass run` has set telemetry up; give it them, "
    "as `spanglass run --set NAME=VALUE` or SPANGLASS_NAME=VALUE; scrub_callback needs a start without it"
)

_logger = logging.getLogger("spanglass")
_lock = ModuleLock()


class _Running:
    """What is running in this process: None, or one configuration."""

    parts: Parts | None = None
    options: Mapping[str, object] | None = None
    ending: Ending | None = None


_running = _Running()


def configure(*, scrub_callback: ScrubCallback | None = None, **options: Unpack[Options]) -> bool:
    """Send this application's traces, metrics and logs; docs/app/settings.md lists the options.

    ``scrub_callback`` is asked about each thing that is about to be scrubbed: it gives what to send instead, or None
    for the usual mark (docs/app/scrubbing.md). Only code can say it, no environment variable.

    Gives True if telemetry is on afterwards. A setting that is wrong is named on stderr and leaves telemetry off: the
    application goes on. A second call changes nothing; call ``shutdown`` before to configure anew.
    """
    given: dict[str, object] = {**options} | ({"scrub_callback": scrub_callback} if scrub_callback else {})
    with _lock:
        if _running.parts is not None:
            if given != _running.options:
                _logger.warning("%s", _IGNORED_UNDER_RUN if RUN_VARIABLE in os.environ else _IGNORED)
            return True
        started = start(lambda: load(options, os.environ), scrub_callback=scrub_callback)
        _running.options = given if started else None
        return started


def start(
    read: Callable[[], Settings],
    *,
    instrument: bool = True,
    more_resource: Mapping[str, str] | None = None,
    scrub_callback: ScrubCallback | None = None,
) -> bool:
    """Put everything together by the settings that ``read`` gives; True if telemetry is on afterwards.

    ``instrument`` False leaves the libraries to OpenTelemetry's own loader.
    """
    with _lock:
        if _running.parts is not None:
            return True
        try:
            with guarded("start"):
                settings = read()
                if settings.enabled:
                    with only_usable():
                        from spanglass.start.parts import Parts  # noqa: PLC0415 - 150 ms, not paid with telemetry off

                        parts = Parts(settings, more_resource or {}, scrub_callback)
                    _begin(parts, instrument=instrument)
        except SettingsError as error:
            _refuse(error)
        return _running.parts is not None


def _begin(parts: Parts, *, instrument: bool) -> None:
    if RUN_VARIABLE not in os.environ:  # `spanglass run` has said it, once for all processes
        for problem in [*unknown_variables(os.environ), *missing(os.environ)]:
            _logger.warning("%s", problem)
    ending = Ending(_finish, force_flush, parts.settings.flush_timeout_ns / NS_PER_S)
    try:
        parts.begin(instrument=instrument)
        ending.install()
    except BaseException:
        ending.remove()
        parts.end()
        raise
    _running.parts, _running.ending = parts, ending


def _refuse(error: SettingsError) -> None:
    """Return what is wrong, without a traceback: whoever starts the application has to mend it, not debug it."""
    if os.environ.get(STRICT_VARIABLE) == "1":
        raise error
    if sys.stderr is not None:  # a service without streams; print would take stdout instead
        with suppress(OSError, ValueError):  # it is closed
            print(f"spanglass: {error}\n  telemetry is off until that is mended", file=sys.stderr)  # noqa: T201


def shutdown() -> None:
    """Send what still waits, for as long as ``flush_timeout`` allows, and take everything back."""
    with _lock:
        if _running.ending is not None:
            _running.ending.now()
            _running.ending.remove()
        _running.ending = None
        _running.options = None


def force_flush() -> bool:
    """Send what waits now; False if that took longer than ``flush_timeout``. For tests and short-lived functions."""
    parts = _running.parts
    return parts.flush() if parts is not None else True


def running() -> Parts | None:
    """Return what is running in this process, for ``doctor`` and the test kit."""
    return _running.parts


def _finish() -> None:
    parts, _running.parts = _running.parts, None
    if parts is not None:
        parts.end()
