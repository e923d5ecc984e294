"""One configuration: its providers, what feeds them, what sends from them, and how each part is taken back."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from spanglass.api.health import run_checks_when_used
from spanglass.context import ContextAttributesLogProcessor, ContextAttributesProcessor
from spanglass.delivery.closing import Closing, flush_within, shutdown_within
from spanglass.exceptions.capture import new_capture
from spanglass.exceptions.install import install_exceptions
from spanglass.guard import guarded
from spanglass.identity.resource import make_resource, process_attributes
from spanglass.in_progress import InProgressProcessor
from spanglass.instrumentors.install import install_instrumentors, load_one
from spanglass.instrumentors.other_exporters import install_beside
from spanglass.library_metrics.databases.slow_queries import SlowQueryProcessor
from spanglass.library_metrics.install import install_library_metrics
from spanglass.logs.install import install_logging
from spanglass.process import forking
from spanglass.process.green import begin_anew_when_patched
from spanglass.process.uwsgi import begin_anew_in_workers
from spanglass.runtime_metrics.failures import observe_failures
from spanglass.runtime_metrics.install import install_runtime_metrics
from spanglass.runtime_metrics.intervals import INTERVALS
from spanglass.sampling.head import head_sampler
from spanglass.scrubbing.scrubber import Scrubber
from spanglass.sdk import declarative, published
from spanglass.sdk.headers import install_headers
from spanglass.sdk.limits import say_once
from spanglass.sdk.private.metrics import bound_all_readers, bound_readers, remove_reader, renew_in_child
from spanglass.sdk.private.spans import remove_log_processors, remove_span_processors
from spanglass.sdk.providers import Provider, Providers, id_generator, make_providers, stated_sampler
from spanglass.sdk.published import SCOPE
from spanglass.start.pipelines import Pipelines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.metadata import EntryPoint

    from opentelemetry.sdk._logs import LogRecordProcessor
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.id_generator import IdGenerator
    from opentelemetry.sdk.trace.sampling import Sampler

    from spanglass.profiling.profiler import Profiler
    from spanglass.scrubbing.scrubber import Callback as ScrubCallback
    from spanglass.settings.settings import Settings

    Ends = Provider | SpanProcessor | MetricReader | LogRecordProcessor


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
        resource = make_resource(settings, more_resource)
        self._service = str(resource.attributes.get("service.name", ""))
        sampler, ids = head_sampler(settings, os.environ) or stated_sampler(), id_generator()
        self._installed = ExitStack()
        self._ends: list[Ends] = []
        # what can fail has been done: from here on there are threads
        self.pipelines = None if declared else Pipelines(settings, self.scrubber)
        self.providers, self._own = self._make_providers(resource, sampler, ids)
        self._profiler = self._make_profiler()
        self._add_processors()

    def begin(self, *, instrument: bool) -> None:
        """Publish the providers and install every part; a part that fails is left out and reported."""
        published.publish(self.providers)
        self._installed.callback(lambda: published.take_back(self._own))
        self._installed.callback(forking.in_child(self._renew_providers))
        self._installed.callback(begin_anew_when_patched(self.providers.meter))
        self._installed.callback(say_once())
        for doing, install in self._installers(instrument=instrument):
            with guarded(doing):
                self._installed.callback(install())
        with guarded("wait for uWSGI's workers"):
            self._installed.callback(begin_anew_in_workers(self.providers))

    def instrument_one(self, entry_point: EntryPoint) -> None:
        """Turn one instrumentation on, for OpenTelemetry's own loader."""
        tracer, meter, logger = self.providers
        undo = load_one(
            entry_point, self.settings, tracer_provider=tracer, meter_provider=meter, logger_provider=logger
        )
        self._installed.callback(undo)

    def flush(self) -> bool:
        """Send what waits, for as long as the settings allow."""
        return flush_within(self.providers, self.settings.flush_timeout_ns)

    def end(self) -> None:
        """Send what waits and take everything back, the last first."""
        closing = self.pipelines.closing if self.pipelines else Closing()
        shutdown_within(self._ends, self.settings.flush_timeout_ns, closing)
        if self.pipelines:
            self.pipelines.exporters.close()
        with guarded("take a part back"):
            self._installed.close()

    def _renew_providers(self) -> None:
        """Make them a child's own. The SDK (1.45) restarts its threads there and gives it an instance id of its own."""
        renew_in_child(self.providers, Resource(process_attributes()))

    def _make_providers(
        self, resource: Resource, sampler: Sampler | None, ids: IdGenerator | None
    ) -> tuple[Providers, list[Provider]]:
        """Make providers; those that the application has set are used instead of ours. Gives which are ours, too."""
        readers = self.pipelines.readers if self.pipelines else []
        found = published.current()
        their_meter = found[1] if isinstance(found[1], MeterProvider) else None
        made = make_providers(
            resource, sampler=sampler, ids=ids, readers=() if their_meter else readers, unused=self._unused()
        )
        used = Providers(
            found[0] if isinstance(found[0], TracerProvider) else made.tracer,
            their_meter or made.meter,
            found[2] if isinstance(found[2], LoggerProvider) else made.logger,
        )
        if self.pipelines is None:  # what a declarative file describes is made here, and ended here
            bound_all_readers(used.meter)
            return used, list(used)
        if their_meter:
            for reader in readers:
                their_meter.add_metric_reader(reader)
                bound_readers(their_meter, [reader])
                self._installed.callback(partial(remove_reader, their_meter, reader))
        return used, [mine for mine in made if mine in used]

    def _make_profiler(self) -> Profiler | None:
        """Make the profiler, if there is to be one; what it tells are log records."""
        if not (self.settings.profiler and self.settings.logs):
            return None
        from spanglass.profiling.profiler import Profiler  # noqa: PLC0415 - for few

        return Profiler(self.providers.logger, rate=self.settings.profiler_rate)

    def _unused(self) -> list[str]:
        """Return the signals that are off and that nothing else takes, such as the console or another exporter."""
        settings, pipelines = self.settings, self.pipelines
        if pipelines is None:
            return []
        taken = {
            "traces": settings.traces or pipelines.spans,
            "metrics": settings.metrics or pipelines.readers,
            "logs": settings.logs or pipelines.logs,
        }
        return [signal for signal, by in taken.items() if not by]

    def _add_processors(self) -> None:
        tracer, meter, logger = self.providers
        settings, pipelines = self.settings, self.pipelines
        spans: list[SpanProcessor] = [ContextAttributesProcessor(settings)]
        logs: list[LogRecordProcessor] = [ContextAttributesLogProcessor(settings)]
        if settings.metrics:
            spans.append(SlowQueryProcessor(settings, meter_provider=meter))
        if settings.in_progress and settings.traces:
            spans.append(InProgressProcessor(logger, after_ns=settings.in_progress_after_ns))
        if self._profiler is not None:
            spans.append(self._profiler)
        if pipelines:
            spans += pipelines.spans
            logs += pipelines.logs
        for span_processor in spans:
            tracer.add_span_processor(span_processor)
        for log_processor in logs:
            logger.add_log_record_processor(log_processor)
        # a provider of the application goes on without us
        added: tuple[Sequence[Ends], ...] = (spans, pipelines.readers if pipelines else [], logs)
        for provider, parts in zip(self.providers, added, strict=True):
            self._ends += [provider] if provider in self._own else parts
        if tracer not in self._own:
            self._installed.callback(partial(remove_span_processors, tracer, spans))
        if logger not in self._own:
            self._installed.callback(partial(remove_log_processors, logger, logs))

    def _installers(self, *, instrument: bool) -> list[tuple[str, Callable[[], Callable[[], None]]]]:
        """Every part that is put into the process, with what could not be done if it fails."""
        settings, (tracer, meter, logger) = self.settings, self.providers
        capture = new_capture(settings, logger_provider=logger, scrubber=self.scrubber)
        installers: list[tuple[str, Callable[[], Callable[[], None]]]] = [
            ("capture exceptions", lambda: install_exceptions(settings, capture)),
            ("read headers", install_headers),
            ("go along with other exporters", lambda: install_beside(settings, self.scrubber)),
            ("send logs", lambda: install_logging(settings, logger_provider=logger, capture=capture)),
            ("set intervals", lambda: INTERVALS.configure(settings.collection_intervals, self._service)),
            ("measure the process", lambda: install_runtime_metrics(settings, meter_provider=meter)),
            ("measure libraries", lambda: install_library_metrics(settings, meter_provider=meter)),
            ("run health checks", run_checks_when_used),
        ]
        if self._profiler is not None:
            installers.append(("look at threads", self._profiler.begin))
        if settings.metrics:
            installers.append(("count failures of our own", lambda: observe_failures(meter.get_meter(SCOPE))))
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
