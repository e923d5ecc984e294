"""Where each signal goes: our settings, and OpenTelemetry's variables of one signal where ours say nothing.

``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`` is more exact than ``OTEL_EXPORTER_OTLP_ENDPOINT`` and wins over it, as in
OpenTelemetry; an option of ``configure`` or a variable of Spanglass wins over both. Headers add up.
Source: OpenTelemetry's specification, "OpenTelemetry Protocol Exporter".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from spanglass.clock import NS_PER_S
from spanglass.settings.settings import SettingsError, describe
from spanglass.settings.table import TABLE
from spanglass_core.settings_types import HEADERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass.delivery.signals import Signal
    from spanglass.settings.table import Settings

_COMPRESSIONS = ("gzip", "deflate", "none")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """Where one signal goes and how. ``headers`` have lower-case names and may hold secrets, so nothing shows them."""

    url: str = field(repr=False)  # with HTTP the whole address; with gRPC only its scheme, host and port count
    transport: str  # http or grpc
    headers: Mapping[str, str] = field(repr=False)
    compression: str
    timeout_ns: int
    insecure: bool  # gRPC without TLS
    certificate: str = ""  # files; empty: the system's
    client_key: str = ""
    client_certificate: str = ""

    @property
    def host(self) -> str:
        """Host and port: what is up or down as a whole."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port or _PORTS.get(parts.scheme, 0)}"

    @property
    def shown(self) -> str:
        """The address without user, password and query, for messages."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def find_target(signal: Signal, settings: Settings, environ: Mapping[str, str]) -> Target:
    """Put a signal's target together. Raises ``SettingsError`` for a variable that can't be read."""
    variables = _Variables(signal, environ)
    url = _url(signal, settings, variables)
    return Target(
        url=url,
        transport=settings.protocol.partition("/")[0],
        headers=_headers(settings, variables),
        compression=_compression(settings, variables),
        timeout_ns=_timeout_ns(settings, variables),
        insecure=_insecure(url, variables),
        certificate=variables.any("CERTIFICATE"),
        client_key=variables.any("CLIENT_KEY"),
        client_certificate=variables.any("CLIENT_CERTIFICATE"),
    )


class _Variables:
    """OpenTelemetry's variables for one signal."""

    def __init__(self, signal: Signal, environ: Mapping[str, str]) -> None:
        self._name = signal.name.upper()
        self._environ = environ

    def name(self, what: str) -> str:
        return f"OTEL_EXPORTER_OTLP_{self._name}_{what}"

    def own(self, what: str) -> str:
        """The variable of this signal alone; empty when absent."""
        return self._environ.get(self.name(what), "").strip()

    def any(self, what: str) -> str:
        """The variable of this signal, else that of all."""
        return self.own(what) or self._environ.get(f"OTEL_EXPORTER_OTLP_{what}", "").strip()

    def unless_said(self, option: str, value: Any, what: str) -> str:
        """The variable of this signal, where no option of ours says anything; else empty."""
        own = self.own(what)
        if not own:  # as for nearly everybody, and what follows takes 1 ms
            return ""
        ours, general = TABLE[option].variables
        if self._environ.get(ours, "").strip() or value != self._without_options(option, general):
            return ""
        return own

    def _without_options(self, option: str, general: str) -> Any:
        """What the setting would be if ``configure`` had been given nothing; None if it would be refused."""
        try:
            sourced = describe(None, {general: self._environ.get(general, "")})
        except SettingsError:
            return None
        return next(each.value for each in sourced if each.row.name == option)


def _url(signal: Signal, settings: Settings, variables: _Variables) -> str:
    own = variables.unless_said("endpoint", settings.endpoint, "ENDPOINT")
    if settings.protocol == "grpc":
        address = own or settings.endpoint
        return address if "://" in address else f"http://{address}"  # upstream takes host:port too
    if not own:
        return f"{settings.endpoint.rstrip('/')}/{signal.path}"
    if not own.lower().startswith(("http://", "https://")):
        raise SettingsError(
            f"environment variable {variables.name('ENDPOINT')}: expected a whole address such as "
            f"http://127.0.0.1:4318/{signal.path}"
        )
    return own


def _headers(settings: Settings, variables: _Variables) -> Mapping[str, str]:
    own = variables.own("HEADERS")
    said = not variables.unless_said("headers", settings.headers, "HEADERS")
    try:
        headers = dict(HEADERS.parse(own)) if own else {}
    except ValueError as error:
        raise SettingsError(f"environment variable {variables.name('HEADERS')}: {error}") from None
    if said:  # those of OTEL_EXPORTER_OTLP_HEADERS give way to the signal's, as upstream
        headers.update(settings.headers)
    if settings.token:
        headers["authorization"] = f"Bearer {settings.token.reveal()}"
    return headers


def _compression(settings: Settings, variables: _Variables) -> str:
    own = variables.unless_said("compression", settings.compression, "COMPRESSION").lower()
    if own and own not in _COMPRESSIONS:
        raise SettingsError(
            f"environment variable {variables.name('COMPRESSION')}: expected one of {', '.join(_COMPRESSIONS)}"
        )
    return own or settings.compression


def _timeout_ns(settings: Settings, variables: _Variables) -> int:
    own = variables.unless_said("send_timeout", settings.send_timeout_ns, "TIMEOUT")
    try:
        return round(float(own) * NS_PER_S) if own else settings.send_timeout_ns
    except (ValueError, OverflowError):
        raise SettingsError(
            f"environment variable {variables.name('TIMEOUT')}: expected a number of seconds (got {own!r})"
        ) from None


def _insecure(url: str, variables: _Variables) -> bool:
    """Return whether gRPC goes without TLS: the address's scheme decides, and for plain ones the variable."""
    if url.startswith("https://"):
        return False
    return variables.any("INSECURE").lower() != "false"
