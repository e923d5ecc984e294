"""One attempt to deliver over OTLP/gRPC; only imported when ``protocol`` is grpc."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from spanglass.delivery.transport.answers import INTERVALS_HEADER, Answer, Verdict
from spanglass.delivery.transport.http_sender import read_partial_success
from spanglass.guard import own_work
from spanglass.settings.settings import SettingsError

if TYPE_CHECKING:
    from spanglass.delivery.signals import Signal
    from spanglass.delivery.transport.targets import Target

# OTLP specification, "Failures" of OTLP/gRPC; RESOURCE_EXHAUSTED only if the server says when.
_LATER = frozenset({"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"})
_MAX_REASON = 300
_HINTS = {
    "UNAUTHENTICATED": "; set `token` to the server's ingest token",
    "PERMISSION_DENIED": "; set `token` to the server's ingest token",
    "UNIMPLEMENTED": "; does `endpoint` name the server's gRPC port, usually 4317?",
}


class GrpcSender:
    """Calls one signal's Export. Safe for several threads; a forked child gets its own channel."""

    def __init__(self, signal: Signal, target: Target, user_agent: str) -> None:
        self._target = target
        self._method = f"/{signal.service}/Export"
        self._metadata = tuple(target.headers.items())
        self._options = (("grpc.primary_user_agent", user_agent),)
        self._credentials = None if target.insecure else _credentials(target)
        self._channel: Any = None
        self._call: Any = None
        self._inherited: list[Any] = []

    def send(self, body: bytes, timeout_s: float) -> Answer:
        """Make one call with one body."""
        try:
            with own_work:
                content, call = self._own_call().with_call(body, timeout=timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            return _failed(error)
        rejected, message = read_partial_success(content)
        intervals = dict(call.trailing_metadata() or ()).get(INTERVALS_HEADER, "")
        return Answer(Verdict.TAKEN, rejected=rejected, message=message, intervals=intervals)

    def close(self) -> None:
        """Close the channel; a later ``send`` opens a new one."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def after_fork(self) -> None:
        """Leave the parent's channel alone: even closing it would touch the parent's threads."""
        self._inherited.append(self._channel)
        self._channel = None

    def _own_call(self) -> Any:
        if self._channel is None:
            packing = {"gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}
            options = {"options": self._options, "compression": packing.get(self._target.compression)}
            if self._credentials is None:
                self._channel = grpc.insecure_channel(self._target.host, **options)
            else:
                self._channel = grpc.secure_channel(self._target.host, self._credentials, **options)
            # without serializers the bodies are sent as they are
            self._call = self._channel.unary_unary(self._method)
        return self._call


def _credentials(target: Target) -> Any:
    try:
        files = [
            Path(name).read_bytes() if name else None
            for name in (target.certificate, target.client_key, target.client_certificate)
        ]
    except OSError as error:
        raise SettingsError(f"a certificate for `endpoint` can't be read: {error.filename}: {error.strerror}") from None
    return grpc.ssl_channel_credentials(*files)


def _failed(error: Any) -> Answer:
    code = error.code().name
    retry_after_ns = _retry_after_ns(dict(error.trailing_metadata() or ()))
    later = code in _LATER or (code == "RESOURCE_EXHAUSTED" and retry_after_ns is not None)
    reason = f"{code}: {str(error.details())[:_MAX_REASON]}{_HINTS.get(code, '')}"
    return Answer(Verdict.LATER if later else Verdict.REFUSED, reason, code, retry_after_ns=retry_after_ns)


def _retry_after_ns(metadata: dict[str, Any]) -> int | None:
    """Read RetryInfo from the status' details, or from the key that Python's exporter reads."""
    try:
        details = Status.FromString(metadata.get("grpc-status-details-bin", b"")).details
        packed = metadata.get("google.rpc.retryinfo-bin") or next(
            (each.value for each in details if each.Is(RetryInfo.DESCRIPTOR)), None
        )
        return RetryInfo.FromString(packed).retry_delay.ToNanoseconds() if packed is not None else None
    except Exception:  # noqa: BLE001 - protobuf's DecodeError: nonsense says nothing
        return None
