"""``capture``: the spans, metrics and log records of a block, in memory and nowhere else."""

from __future__ import annotations

import itertools
import threading
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry import context, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator

from spanglass.logs.install import install_logging, sends_logs
from spanglass.sdk.private.rerouting import Measured, reroute_logs, reroute_metrics, reroute_spans
from spanglass.sdk.published import current
from spanglass.settings.table import Settings
from spanglass.testing.clock import time_from
from spanglass.testing.recorder import Recorder, RecordingLogProcessor, RecordingSpanProcessor
from spanglass.testing.stand_in import StandInLoggers, StandInMeters, StandInTracers, stand_ins
from spanglass.testing.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_lock = threading.Lock()
_recorders: list[Recorder] = []  # of all blocks that are open in this process, the outermost first


@contextmanager
def capture(*, clock: Callable[[], int] | None = None, ids: IdGenerator | None = None) -> Iterator[Telemetry]:
    """Record what the whole process makes during the block, all threads included; nothing of it is sent.

    Works with and without ``spanglass.configure`` or any other provider of OpenTelemetry's SDK, and puts back what was
    there. Every span is recorded, whatever the sampler says. A block inside another records for both. The outermost
    begins new traces, with ids counted from 1; ``ids`` and ``clock`` (nanoseconds since 1970) choose others.
    """
    recorder = Recorder()
    with ExitStack() as stack:
        outermost = not _recorders
        if outermost:
            _begin_anew(stack, ids or SequentialIds())
        with _lock:
            _recorders.append(recorder)
        stack.callback(_forget, recorder)
        measured = reroute_metrics(_providers()[1])
        recorder.collect = measured.collect
        stack.callback(_end_measuring, recorder, measured)
        if clock is not None:
            stack.enter_context(time_from(clock))
        yield Telemetry(recorder)


def _begin_anew(stack: ExitStack, ids: IdGenerator) -> None:
    """Turn the process's providers to the recorders, and leave the current span."""
    if any(provider is None for provider in current()):
        stand_ins().set()
        stack.callback(stand_ins().unset)
    tracers, _, loggers = _providers()
    stack.callback(reroute_spans(tracers, partial(RecordingSpanProcessor, _recorders), ids))
    stack.callback(reroute_logs(loggers, partial(RecordingLogProcessor, _recorders)))
    if not sends_logs():  # else the application's own configuration does, and every record would come twice
        stack.callback(install_logging(Settings(), logger_provider=loggers, capture=None))
    stack.callback(context.detach, context.attach(trace.set_span_in_context(trace.INVALID_SPAN)))


def _end_measuring(recorder: Recorder, measured: Measured) -> None:
    recorder.collect = measured.end()


def _forget(recorder: Recorder) -> None:
    with _lock:
        _recorders[:] = [each for each in _recorders if each is not recorder]


def _providers() -> tuple[TracerProvider, MeterProvider, LoggerProvider]:
    """Return the SDK's providers that are in force; ``RuntimeError`` where another implementation is."""
    tracers, meters, loggers = current()
    made = (
        tracers.sdk if isinstance(tracers, StandInTracers) else tracers,
        meters.sdk if isinstance(meters, StandInMeters) else meters,
        loggers.sdk if isinstance(loggers, StandInLoggers) else loggers,
    )
    for provider, kind in zip(made, (TracerProvider, MeterProvider, LoggerProvider), strict=True):
        if not isinstance(provider, kind):
            raise RuntimeError(  # noqa: TRY004 - not an argument's type: what the process has set up
                f"capture() works with OpenTelemetry's SDK, but the {kind.__name__} that is set is a "
                f"{type(provider).__module__}.{type(provider).__qualname__}; let the tests set none"
            )
    return made


class SequentialIds(IdGenerator):
    """Counts trace ids and span ids, each from ``first``."""

    def __init__(self, first: int = 1) -> None:
        self._trace_ids = itertools.count(first)
        self._span_ids = itertools.count(first)

    def generate_trace_id(self) -> int:
        """Return the next trace id."""
        return next(self._trace_ids)

    def generate_span_id(self) -> int:
        """Return the next span id."""
        return next(self._span_ids)

    def is_trace_id_random(self) -> bool:
        """Say that they are not random, which the flags of W3C trace context tell others."""
        return False
