"""Web frameworks: a request is one server span from its first byte to the end of its body, whatever serves it.

Instead of OpenTelemetry's instrumentations of these frameworks, whose span ends before the body, knows the route of the
outermost application only, and is taken for an error where a framework answers 404.
"""

from __future__ import annotations

from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

#: By the name of an instrumentation's entry point: the module here that has a function of the same name.
MODULES = {
    "django": "django",
    "falcon_asgi": "others",
    "fastapi": "starlette",
    "flask": "flask",
    "litestar": "others",
    "starlette": "starlette",
}

#: Those for which there is no instrumentation of OpenTelemetry's, and the distribution of each.
OWN = {"falcon_asgi": "falcon", "litestar": "litestar"}


def turn_on(
    name: str,
    version: str,
    *,
    tracer_provider: TracerProvider,
    meter_provider: MeterProvider,
    message_spans: bool,
) -> Callable[[], None]:
    """Instrument one framework, which has been imported; gives what takes it back.

    ``version`` is the version of the instrumentation that it stands for; ``message_spans`` has messages of ASGI be
    spans too.
    """
    from spanglass.instrumentors.web.framework import Framework  # noqa: PLC0415 - most processes have one framework or none

    with ExitStack() as stack:
        framework = Framework(
            name,
            version,
            tracer_provider=tracer_provider,
            meter_provider=meter_provider,
            message_spans=message_spans,
        )
        stack.callback(framework.close)
        stack.callback(getattr(import_module(f"{__name__}.{MODULES[name]}"), name)(framework))
        return stack.pop_all().close


def correct_wsgi(module: ModuleType) -> Callable[[], None]:
    """Correct what OpenTelemetry's instrumentations of other frameworks have in common; gives what takes it back."""
    from spanglass.instrumentors.web.wsgi import correct_upstream  # noqa: PLC0415 - as above

    return correct_upstream(module)
