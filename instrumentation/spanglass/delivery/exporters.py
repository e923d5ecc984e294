"""The three exporters of the SDK's interfaces, put together from settings. They run in threads of their own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from spanglass.clock import NS_PER_MS
from spanglass.delivery.courier import Courier, Sender, backoff_ns
from spanglass.delivery.encoding.logs import log_encoder
from spanglass.delivery.encoding.spans import span_encoder
from spanglass.delivery.replay import Keeper
from spanglass.delivery.signals import SIGNALS, Signal
from spanglass.delivery.spool import Spool
from spanglass.delivery.temporality import preferred_aggregation, preferred_temporality
from spanglass.delivery.transport.answers import NOT_ENCODABLE
from spanglass.delivery.transport.line import Line
from spanglass.delivery.transport.targets import Target, find_target
from spanglass.process import forking
from spanglass.runtime_metrics.intervals import INTERVALS
from spanglass.settings.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.sdk.trace import ReadableSpan

    from spanglass.delivery.closing import Closing
    from spanglass.delivery.counts import DeliveryCounts
    from spanglass.delivery.encoding.batches import BatchEncoder, Item
    from spanglass.settings.table import Settings

_LEAST_TIMEOUT_MS = 1_000  # the SDK gives the last collection no more than the interval, however short that is
_USER_AGENT = "spanglass-python"


class _Renewed(Protocol):
    def after_fork(self) -> None: ...


class OtlpSpans(SpanExporter):
    """Encodes spans and delivers them."""

    def __init__(self, courier: Courier) -> None:
        self._courier, self._encoder = courier, span_encoder()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Deliver a batch; FAILURE also for what is kept in the spool."""
        taken = _deliver(self._courier, self._encoder, spans)
        return SpanExportResult.SUCCESS if taken else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Keep what is still on its way, if there is a spool, and close connections."""
        self._courier.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the SDK's signature
        """Nothing waits here."""
        return True


class OtlpLogs(LogRecordExporter):
    """Encodes log records and delivers them."""

    def __init__(self, courier: Courier) -> None:
        self._courier, self._encoder = courier, log_encoder()

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Deliver a batch; FAILURE also for what is kept in the spool."""
        taken = _deliver(self._courier, self._encoder, batch)
        return LogRecordExportResult.SUCCESS if taken else LogRecordExportResult.FAILURE

    def shutdown(self) -> None:
        """Keep what is still on its way, if there is a spool, and close connections."""
        self._courier.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the SDK's signature
        """Nothing waits here."""
        return True


class OtlpMetrics(MetricExporter):
    """Encodes metrics and delivers them."""

    def __init__(self, courier: Courier, environ: Mapping[str, str]) -> None:
        super().__init__(preferred_temporality(environ), preferred_aggregation(environ))
        self._courier = courier

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,
        **_more: object,
    ) -> MetricExportResult:
        """Deliver one collection, in a second or more; FAILURE also for what is kept in the spool."""
        points = sum(
            len(metric.data.data_points)
            for resource in metrics_data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        )
        limit_ns = round(max(timeout_millis, _LEAST_TIMEOUT_MS) * NS_PER_MS)
        taken = self._courier.deliver(encode_metrics(metrics_data).SerializeToString(), points, limit_ns)
        return MetricExportResult.SUCCESS if taken else MetricExportResult.FAILURE

    def shutdown(self, timeout_millis: float = 30_000, **_more: object) -> None:  # noqa: ARG002 - the SDK's signature
        """Keep what is still on its way, if there is a spool, and close connections."""
        self._courier.close()

    def force_flush(self, timeout_millis: float = 10_000) -> bool:  # noqa: ARG002 - the SDK's signature
        """Nothing waits here."""
        return True


def _deliver(courier: Courier, encoder: BatchEncoder[Item], items: Sequence[Item]) -> bool:
    body, encoded = encoder.encode(items)
    if encoded < len(items):
        courier.give_up(len(items) - encoded, NOT_ENCODABLE)
    return encoded > 0 and courier.deliver(body, encoded)


class Exporters(NamedTuple):
    """What one configuration sends with."""

    spans: OtlpSpans
    metrics: OtlpMetrics
    logs: OtlpLogs
    targets: Mapping[str, Target]  # by the signal's name
    keepers: Sequence[Keeper]  # one for each server, none without a spool
    close: Callable[[], None]  # after the providers are shut down


def make_exporters(
    settings: Settings,
    counts: DeliveryCounts,
    closing: Closing,
    *,
    environ: Mapping[str, str] | None = None,
    backoff: Callable[[int], int] = backoff_ns,
) -> Exporters:
    """Make the exporters. Nothing is sent or connected here.

    Raises ``SettingsError`` when ``protocol`` is grpc and its packages are missing, or a variable can't be read.
    """
    variables = os.environ if environ is None else environ
    targets = {name: find_target(signal, settings, variables) for name, signal in SIGNALS.items()}
    make_sender = _grpc_sender() if settings.protocol == "grpc" else _http_sender
    senders = {name: make_sender(signal, targets[name]) for name, signal in SIGNALS.items()}
    lines: dict[str, Line] = {}
    keepers: dict[str, Keeper] = {}
    for host in {target.host: None for target in targets.values()}:
        group = {name: target for name, target in targets.items() if target.host == host}
        lines[host] = Line(group, spooling=settings.spool_dir is not None)
        if spool := _spool(settings, group.values()):
            keepers[host] = Keeper(
                spool,
                {name: senders[name] for name in group},
                lines[host],
                counts,
                closing,
                timeout_ns=settings.send_timeout_ns,
                backoff=backoff,
            )
    couriers = {
        name: Courier(
            signal,
            senders[name],
            lines[targets[name].host],
            counts,
            closing,
            timeout_ns=targets[name].timeout_ns,
            keeper=keepers.get(targets[name].host),
            told=INTERVALS.told if name == "metrics" else lambda _: None,
            backoff=backoff,
        )
        for name, signal in SIGNALS.items()
    }
    return Exporters(
        OtlpSpans(couriers["traces"]),
        OtlpMetrics(couriers["metrics"], variables),
        OtlpLogs(couriers["logs"]),
        targets,
        list(keepers.values()),
        _closer([counts, closing, *lines.values(), *couriers.values()], keepers.values()),
    )


def _spool(settings: Settings, targets: Iterable[Target]) -> Spool | None:
    if settings.spool_dir is None:
        return None
    destination = " ".join([settings.protocol, *sorted({target.url for target in targets})])
    return Spool(settings.spool_dir, destination, settings.spool_max_bytes)


def _closer(renewed: Iterable[_Renewed], keepers: Iterable[Keeper]) -> Callable[[], None]:
    """Have all parts renewed in forked children, until what is returned is called."""
    forgets = [forking.in_child(each.after_fork) for each in renewed]
    forgets += [forking.in_child(each.after_fork, end_thread=each.end_thread) for each in keepers]

    def close() -> None:
        for forget in forgets:
            forget()
        for keeper in keepers:
            keeper.close()

    return close


def _http_sender(_signal: Signal, target: Target) -> Sender:
    from spanglass.delivery.transport.http_sender import HttpSender  # noqa: PLC0415 - brings requests, which grpc does not need

    return HttpSender(target, _USER_AGENT)


def _grpc_sender() -> Callable[[Signal, Target], Sender]:
    try:
        from spanglass.delivery.transport.grpc_sender import GrpcSender  # noqa: PLC0415 - only then
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"protocol: grpc needs the package {error.name!r}: pip install 'spanglass[grpc]', or set protocol to "
            "http/protobuf"
        ) from None
    return lambda signal, target: GrpcSender(signal, target, _USER_AGENT)
