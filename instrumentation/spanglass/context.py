"""Who and what the work is for: user, session, tenant, on every span and log record that follows.

What is set travels in OpenTelemetry's context: through awaits, tasks, threads that copy it, and until the request ends
that it was set in. What is to reach other services too is baggage, which the W3C header carries to whatever this
process calls; everything else stays in the process.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from opentelemetry import baggage
from opentelemetry.context import Context, attach, create_key, get_current, set_value
from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import get_current_span

from spanglass.guard import swallow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextvars import Token
    from types import TracebackType
    from typing import Self

    from opentelemetry.sdk._logs import ReadWriteLogRecord
    from opentelemetry.sdk.trace import Span

    from spanglass.settings.settings import Settings

Value = str | bool | int | float

USER_ID, SESSION_ID = "user.id", "session.id"
_USER = "user."
_LOCAL = create_key("spanglass-attributes")
_MAX_ATTRIBUTES = 64  # of baggage: a stranger's header may hold 180
_MAX_VALUE = 256  # characters of one of them
_ALL = "*"


class Bound:
    """What was set, until ``undo`` or the end of a ``with`` block; without either, until the request or task ends."""

    __slots__ = ("_token",)

    def __init__(self, context: Context) -> None:
        self._token: Token[Context] | None = attach(context)

    def undo(self) -> None:
        """Go back to what was set before; once."""
        token, self._token = self._token, None
        if token is not None:
            with suppress(ValueError):  # ended in another task or thread, whose context this is not
                token.var.reset(token)  # `detach` would log it as an error of the application

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.undo()


def set_user(
    user_id: str | int | None,
    *,
    email: str | None = None,
    name: str | None = None,
    propagate: bool = True,
    **more: Value,
) -> Bound:
    """Say on whose behalf the work goes on: ``user.id``, and ``user.email``, ``user.name``, ``user.<more>`` if given.

    Only the id goes to the services that this one calls, and with ``propagate`` false not even that. Pass None
    to clear the user. The current span gets the attributes at once, later spans and log records by themselves.
    """
    context = _without(get_current(), _USER)
    if user_id is None:
        return Bound(context)
    given: dict[str, Value | None] = {"email": email, "name": name, **more}
    local = {_USER + key: value for key, value in given.items() if value is not None}
    return _bind(context, {USER_ID: str(user_id)}, local, propagate=propagate)


def set_session(session_id: str | int | None, *, propagate: bool = True) -> Bound:
    """Set the session of a user that the work belongs to, ``session.id``; pass None to clear it."""
    context = _without(get_current(), SESSION_ID)
    if session_id is None:
        return Bound(context)
    return _bind(context, {SESSION_ID: str(session_id)}, {}, propagate=propagate)


def bind(attributes: Mapping[str, Value] | None = None, *, propagate: bool = False, **more: Value) -> Bound:
    """Put attributes on everything that follows: ``bind(tenant="acme")`` or ``bind({"tenant.id": "acme"})``.

    With ``propagate`` they are baggage: other services see them, and put those on their spans whose names are in their
    ``baggage_attributes``.
    """
    given = {**(attributes or {}), **more}
    return _bind(get_current(), given, {}, propagate=propagate)


def _bind(context: Context, shared: Mapping[str, Value], local: Mapping[str, Value], *, propagate: bool) -> Bound:
    if propagate:
        for key, value in shared.items():
            context = baggage.set_baggage(key, str(value), context)
    # here they are attributes whatever `baggage_attributes` says: the application itself has set them
    mine = {**_local(context), **shared, **local}
    span = get_current_span(context)
    if span.is_recording():
        span.set_attributes({**shared, **local})
    return Bound(set_value(_LOCAL, mine, context))


def _local(context: Context) -> Mapping[str, Value]:
    found: Any = context.get(_LOCAL)
    return found or {}


def _without(context: Context, prefix: str) -> Context:
    """Forget what begins so, here and in the baggage."""
    for key in baggage.get_all(context):
        if key.startswith(prefix):
            context = baggage.remove_baggage(key, context)
    kept = {key: value for key, value in _local(context).items() if not key.startswith(prefix)}
    return set_value(_LOCAL, kept, context)


class _Reader:
    """Reads from a context what is to be an attribute: what the process set, and baggage whose keys are allowed."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(allowed)
        self._all = _ALL in self._allowed

    def read(self, context: Context) -> Mapping[str, Value]:
        """Return the attributes; nearly always none, and then without any work."""
        entries = baggage.get_all(context)
        if not entries:
            return _local(context)
        return {**dict(self._of_baggage(entries)), **_local(context)}

    def _of_baggage(self, entries: Mapping[str, object]) -> Iterator[tuple[str, str]]:
        count = 0
        for key, value in entries.items():
            if (self._all or key in self._allowed) and count < _MAX_ATTRIBUTES:
                count += 1
                yield key, str(value)[:_MAX_VALUE]


class ContextAttributesProcessor(SpanProcessor):
    """Puts the context's attributes on every span that begins; those that the span has already stay."""

    def __init__(self, settings: Settings) -> None:
        self._reader = _Reader(settings.baggage_attributes)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Read the context on the application's thread."""
        try:
            found = self._reader.read(get_current() if parent_context is None else parent_context)
            if found:
                own = span.attributes or {}
                span.set_attributes({key: value for key, value in found.items() if key not in own})
        except Exception as error:  # noqa: BLE001 - nothing here may reach the application
            swallow("put the context's attributes on a span", error)


class ContextAttributesLogProcessor(LogRecordProcessor):
    """Puts the context's attributes on every log record; to be added before what sends them."""

    def __init__(self, settings: Settings) -> None:
        self._reader = _Reader(settings.baggage_attributes)

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Read the record's context on the application's thread."""
        record = log_record.log_record
        try:
            found = self._reader.read(record.context if record.context is not None else get_current())
            if found:
                own: Any = record.attributes if record.attributes is not None else {}
                for key, value in found.items():
                    if key not in own:
                        own[key] = value
                record.attributes = own
        except Exception as error:  # noqa: BLE001 - as above
            swallow("put the context's attributes on a log record", error)

    def shutdown(self) -> None:
        """Nothing is to be ended."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits."""
        del timeout_millis
        return True
