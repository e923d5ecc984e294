"""A statement by the DB-API within a span: what upstream does, with what it says of a statement kept for the next time.

Upstream reads the statement twice and sets its attributes one by one, in two blocks made of generators. A statement of
an application comes again and again, so its name and attributes are made once, by upstream's own methods.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from spanglass.sdk.private.light_metrics import Series
from spanglass.sdk.private.light_tracer import prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Statements that are kept of a kind of connection, and the length up to which one is.
_MOST_STATEMENTS = 500
_MOST_CHARACTERS = 4096
_PLANS = "_spanglass_plans"


class Measured(NamedTuple):
    """Where a statement is measured: its duration, the rows it has returned or changed, and with which attributes."""

    attributes: dict[str, Any]
    duration: Series
    rows: Series


class Plan(NamedTuple):
    """What is told of a statement: the span's name and attributes, and what is measured; None: nothing is."""

    name: str
    attributes: Mapping[str, Any]
    measured: Measured | None


class Plans:
    """What was made of statements, by what is told of their connection."""

    def __init__(self) -> None:
        self._by_connection: dict[Any, dict[str, Plan]] = {}

    def find(self, tracer: Any, cursor: Any, args: tuple[Any, ...]) -> Plan | None:
        """Return the plan of a call; None for one that is to go upstream's way."""
        if not args or type(args[0]) is not str or len(args[0]) > _MOST_CHARACTERS or tracer._commenter_enabled:  # noqa: SLF001 - upstream's
            return None
        integration = tracer._db_api_integration  # noqa: SLF001
        known = getattr(integration, _PLANS, None)
        if known is None:
            known = self._known(tracer, integration)
        plan: Plan | None = known.get(args[0])
        if plan is None and not integration.capture_parameters:
            if len(known) >= _MOST_STATEMENTS:  # made up for each call
                known.clear()
            plan = known[args[0]] = _made(tracer, integration, cursor, args)
        return plan

    def _known(self, tracer: Any, integration: Any) -> dict[str, Plan]:
        """Return the plans that connections share of which the same is told."""
        told = {**integration.span_attributes, **tracer._get_metric_attributes("", None)}  # noqa: SLF001
        of = integration.database, integration.name, *sorted((name, str(value)) for name, value in told.items())
        known = self._by_connection.setdefault(of, {})
        setattr(integration, _PLANS, known)
        return known


class _Told:
    """Stands for a span, and keeps what is set on it."""

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}
        self.set_attributes = self.attributes.update
        self.set_attribute = self.attributes.__setitem__

    def is_recording(self) -> bool:
        """Return that attributes are wanted."""
        return True


def _made(tracer: Any, integration: Any, cursor: Any, args: tuple[Any, ...]) -> Plan:
    operation = tracer.get_operation_name(cursor, args)
    told = _Told()
    tracer._populate_span(told, cursor, *args)  # noqa: SLF001
    measured = None
    if integration._sem_conv_opt_in_mode_db.name != "DEFAULT":  # noqa: SLF001 - metrics have the new names only
        attributes = tracer._get_metric_attributes(operation, None)  # noqa: SLF001
        instruments = integration._duration_histogram, integration._returned_rows_histogram  # noqa: SLF001
        measured = Measured(attributes, *(Series(instrument, attributes) for instrument in instruments))
    return Plan(
        operation or integration.database or integration.name,
        prepared(integration._tracer, told.attributes),  # noqa: SLF001
        measured,
    )


def execute(
    tracer: Any, plan: Plan, cursor: Any, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call a driver's method within the span of a plan, and measure it."""
    if not is_instrumentation_enabled():
        return call(*args, **kwargs)
    integration = tracer._db_api_integration  # noqa: SLF001
    span = integration._tracer.start_span(plan.name, None, trace.SpanKind.CLIENT, plan.attributes)  # noqa: SLF001
    token = attach(trace.set_span_in_context(span))
    begin = perf_counter()
    try:
        result = call(*args, **kwargs)
    except BaseException as error:
        if plan.measured is not None:
            _measure_failure(integration, plan.measured, perf_counter() - begin, error)
        detach(token)
        block: Any = trace.use_span(span, end_on_exit=True)  # which knows what is an error
        block.__enter__()
        block.__exit__(type(error), error, error.__traceback__)
        raise
    if plan.measured is not None:
        _measure(cursor, plan.measured, perf_counter() - begin)
    detach(token)
    span.end()
    return result


def _measure(cursor: Any, measured: Measured, elapsed_s: float) -> None:
    measured.duration.record(elapsed_s)
    rows = getattr(cursor, "rowcount", None)
    if isinstance(rows, int) and rows >= 0:
        measured.rows.record(rows)


def _measure_failure(integration: Any, measured: Measured, elapsed_s: float, error: BaseException) -> None:
    told = {"error.type": type(error).__qualname__} if isinstance(error, Exception) else {}
    integration._duration_histogram.record(elapsed_s, {**measured.attributes, **told})  # noqa: SLF001
