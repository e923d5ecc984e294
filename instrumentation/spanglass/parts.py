"""One configuration: its providers, what feeds them, what sends from them, and how each part is taken back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from spanglass import declarative, forking, published
from spanglass.api.health_runner import start_health_runner
from spanglass.context import ContextAttributesLogProcessor, ContextAttributesProcessor
from spanglass.delivery.closing import Closing, shutdown_within
from spanglass.exceptions.capture import new_capture
from spanglass.exceptions.install import install_exceptions
from spanglass.guard import guarded
from spanglass.in_progress import InProgressProcessor
from spanglass.instrumentors.install import install_instrumentors, load_one
from spanglass.library_metrics.install import install_library_metrics
from spanglass.library_metrics.slow_queries import SlowQueryProcessor
from spanglass.logs.install import install_logging
from spanglass.pipelines import Pipelines
from spanglass.providers import Providers, id_generator, make_providers, stated_sampler
from spanglass.resource import make_resource
from spanglass.runtime_metrics.install import install_runtime_metrics
from spanglass.sampling.head import head_sampler
from spanglass_core.scrubbing import Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.util._importlib_metadata import EntryPoint

    from spanglass.settings import Settings
    from spanglass_core.scrubbing import Callback as ScrubCallback

_NS_PER_MS = 1_000_000


class Parts:
    """What ``start`` puts together. Made once a configuration; ``begin`` and ``end`` are called once each.

    Raises ``SettingsError`` for what only shows now: a package that is missing, a declarative file that is wrong.
    """

    def __init__(
        self, settings: Settings, more_resource: Mapping[str, str], scrub_callback: ScrubCallback | None = None
    ) -> None:
        self.settings = settings
        keys, safe_keys = settings.scrub_keys, settings.scrub_safe_keys
        self.scrubber = Scrubber(keys, safe_keys, scrub_callback) if settings.scrub else None
        declared = declarative.apply_file()
        self.pipelines = None if declared else Pipelines(settings, self.scrubber)
        self._undo: list[Callable[[], None]] = []
        self.providers = self._make_providers(make_resource(settings, more_resource))
        self._add_processors()

    def begin(self, *, instrument: bool) -> None:
        """Publish the providers and install every part; a part that fails is left out and reported."""
        published.publish(self.providers)
        self._undo.append(lambda: published.take_back(self.providers))
        self._undo.append(forking.in_child(lambda: forking.renew(self.providers)))
        for doing, install in self._installers(instrument=instrument):
            with guarded(doing):
                self._undo.append(install())

    def instrument_one(self, entry_point: EntryPoint) -> None:
        """Turn one instrumentation on, for OpenTelemetry's own loader."""
        tracer, meter, logger = self.providers.all
        undo = load_one(
            entry_point, self.settings, tracer_provider=tracer, meter_provider=meter, logger_provider=logger
        )
        self._undo.append(undo)

    def flush(self) -> bool:
        """Send what waits, for as long as the settings allow."""
        timeout_ms = self.settings.flush_timeout_ns // _NS_PER_MS
        done = [each.force_flush(timeout_ms) for each in self.providers.all]  # all of them, whatever the first one says
        return all(done)

    def end(self) -> None:
        """Send what waits and take everything back, the last first."""
        closing = self.pipelines.closing if self.pipelines else Closing()
        shutdown_within(self.providers.all, self.settings.flush_timeout_ns, closing)
        if self.pipelines:
            self.pipelines.exporters.close()
        while self._undo:
            with guarded("take a part back"):
                self._undo.pop()()

    def _make_providers(self, resource: Resource) -> Providers:
        """Make providers; those that the application or a declarative file has set are used instead of ours."""
        readers = self.pipelines.readers if self.pipelines else []
        sampler = head_sampler(self.settings, os.environ) or stated_sampler()
        ours = make_providers(resource, sampler=sampler, ids=id_generator(), readers=readers)
        tracer, meter, logger = published.current()
        if isinstance(meter, MeterProvider):
            for reader in readers:
                ours.meter.remove_metric_reader(reader)
                meter.add_metric_reader(reader)
        return Providers(
            tracer if isinstance(tracer, TracerProvider) else ours.tracer,
            meter if isinstance(meter, MeterProvider) else ours.meter,
            logger if isinstance(logger, LoggerProvider) else ours.logger,
        )

    def _add_processors(self) -> None:
        tracer, meter, logger = self.providers.all
        tracer.add_span_processor(ContextAttributesProcessor(self.settings))
        logger.add_log_record_processor(ContextAttributesLogProcessor(self.settings))
        if self.settings.metrics:
            tracer.add_span_processor(SlowQueryProcessor(self.settings, meter_provider=meter))
        if self.settings.in_progress and self.settings.traces:
            tracer.add_span_processor(InProgressProcessor(logger, after_ns=self.settings.in_progress_after_ns))
        if self.pipelines:
            for span_processor in self.pipelines.spans:
                tracer.add_span_processor(span_processor)
            for log_processor in self.pipelines.logs:
                logger.add_log_record_processor(log_processor)

    def _installers(self, *, instrument: bool) -> list[tuple[str, Callable[[], Callable[[], None]]]]:
        """Every part that is put into the process, with what could not be done if it fails."""
        settings, (tracer, meter, logger) = self.settings, self.providers.all
        capture = new_capture(settings, logger_provider=logger, scrubber=self.scrubber)
        installers: list[tuple[str, Callable[[], Callable[[], None]]]] = [
            ("capture exceptions", lambda: install_exceptions(settings, capture)),
            ("send logs", lambda: install_logging(settings, logger_provider=logger, capture=capture)),
            ("measure the process", lambda: install_runtime_metrics(settings, meter_provider=meter)),
            ("measure libraries", lambda: install_library_metrics(settings, meter_provider=meter)),
            ("run health checks", start_health_runner),
        ]
        if self.pipelines and settings.metrics:
            pipelines = self.pipelines
            installers.append(("count what is sent", lambda: pipelines.observe(meter)))
        if instrument:
            installers.append(
                (
                    "instrument libraries",
                    lambda: install_instrumentors(
                        settings, tracer_provider=tracer, meter_provider=meter, logger_provider=logger
                    ),
                )
            )
        return installers
