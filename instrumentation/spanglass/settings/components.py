"""Components that variables of OpenTelemetry name, and that are not there: the package is not installed, or misspelt.

OpenTelemetry raises for some, when its API is imported, and logs a traceback for others. Here each is one line, and the
default of that one part is used.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class _Kind(NamedTuple):
    """What a variable names: entry points of a group."""

    group: str
    noun: str
    always: tuple[str, ...]  # what needs no package
    packages: Mapping[str, str]  # the package to install, by name
    several: bool = True


_EXPORTERS = {
    "gcp_monitoring": "opentelemetry-exporter-gcp-monitoring",
    "gcp_trace": "opentelemetry-exporter-gcp-trace",
    "otlp_proto_grpc": "opentelemetry-exporter-otlp-proto-grpc",
    "otlp_proto_http": "opentelemetry-exporter-otlp-proto-http",
    "prometheus": "opentelemetry-exporter-prometheus",
    "zipkin": "opentelemetry-exporter-zipkin",
    "zipkin_json": "opentelemetry-exporter-zipkin-json",
    "zipkin_proto": "opentelemetry-exporter-zipkin-proto-http",
}
_AWS = "opentelemetry-sdk-extension-aws"
_SAMPLERS = ("always_on", "always_off", "traceidratio")
_VARIABLES = {
    "OTEL_PROPAGATORS": _Kind(
        "opentelemetry_propagator",
        "propagator",
        ("tracecontext", "baggage", "none"),
        {
            "b3": "opentelemetry-propagator-b3",
            "b3multi": "opentelemetry-propagator-b3",
            "gcp_trace_propagator": "opentelemetry-propagator-gcp",
            "jaeger": "opentelemetry-propagator-jaeger",
            "ottrace": "opentelemetry-propagator-ot-trace",
            "xray": "opentelemetry-propagator-aws-xray",
        },
    ),
    "OTEL_TRACES_SAMPLER": _Kind(
        "opentelemetry_traces_sampler",
        "sampler",
        (*_SAMPLERS, *(f"parentbased_{name}" for name in _SAMPLERS)),
        {},
        several=False,
    ),
    "OTEL_PYTHON_ID_GENERATOR": _Kind(
        "opentelemetry_id_generator", "id generator", ("random",), {"xray": _AWS}, several=False
    ),
    "OTEL_PYTHON_CONTEXT": _Kind("opentelemetry_context", "context", ("contextvars_context",), {}, several=False),
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": _Kind(
        "opentelemetry_resource_detector",
        "resource detector",
        ("*", "host", "os", "otel", "process", "service_instance"),
        {
            "azure_app_service": "opentelemetry-resource-detector-azure",
            "azure_functions": "opentelemetry-resource-detector-azure",
            "azure_vm": "opentelemetry-resource-detector-azure",
            "container": "opentelemetry-resource-detector-containerid",
            "gcp": "opentelemetry-resourcedetector-gcp",
            **{f"aws_{name}": _AWS for name in ("beanstalk", "ec2", "ecs", "eks", "lambda")},
        },
    ),
    **{
        f"OTEL_{signal}_EXPORTER": _Kind(
            f"opentelemetry_{signal.lower()}_exporter", "exporter", ("otlp", "none", "console"), _EXPORTERS
        )
        for signal in ("TRACES", "METRICS", "LOGS")
    },
}
#: Those that OpenTelemetry reads by itself.
_READ_UPSTREAM = ("OTEL_PROPAGATORS", "OTEL_PYTHON_CONTEXT", "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS")


class Missing(NamedTuple):
    """A component that can't be had: what to say of it, and what to do."""

    variable: str
    name: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}"


def missing(environ: Mapping[str, str]) -> list[Missing]:
    """Return all that variables name and that is not there. Looks at installed packages only where it has to."""
    return [
        found
        for variable, kind in _VARIABLES.items()
        for name in _names(environ, variable, kind)
        if name.lower() not in kind.always and (found := _missing(variable, name, kind)) is not None
    ]


def usable_names(environ: Mapping[str, str], variable: str) -> list[str]:
    """Return the names in a variable that can be had; empty for its default."""
    gone = {each.name for each in missing({variable: environ.get(variable, "")})}
    return [name for name in _names(environ, variable, _VARIABLES[variable]) if name not in gone]


def corrections(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that OpenTelemetry reads by itself and that name what is missing, without that."""
    wrong = {each.variable for each in missing(environ)}
    return {variable: ",".join(usable_names(environ, variable)) for variable in _READ_UPSTREAM if variable in wrong}


@contextmanager
def only_usable() -> Iterator[None]:
    """Leave what is missing out of the variables that OpenTelemetry reads by itself, while it does."""
    usable = corrections(os.environ)
    stated = {variable: os.environ[variable] for variable in usable}
    os.environ.update(usable)
    try:
        if "OTEL_PROPAGATORS" in usable:
            import opentelemetry.propagate  # noqa: F401, PLC0415 - now, or libraries fail to import it later
        yield
    finally:
        os.environ.update(stated)


def _names(environ: Mapping[str, str], variable: str, kind: _Kind) -> list[str]:
    text = environ.get(variable, "")
    return [name.strip() for name in (text.split(",") if kind.several else [text]) if name.strip()]


def _missing(variable: str, name: str, kind: _Kind) -> Missing | None:
    known = {each.name: each for each in entry_points(group=kind.group)}
    begin = f"{variable}={name}"
    default = "the default is used" if not kind.several else "it is left out"
    if name in known:
        try:
            known[name].load()
        except Exception as error:  # noqa: BLE001 - whatever a stranger's module does
            problem = f"{begin}: the {kind.noun} can't be imported, {default} ({type(error).__name__}: {error})"
            return Missing(variable, name, " ".join(problem.split()), f"mend it, or unset {variable}")
        return None
    package = kind.packages.get(name)
    if package is not None:
        return Missing(variable, name, f"{begin}: its package is not installed, {default}", f"pip install {package}")
    import difflib  # noqa: PLC0415 - 1 ms that a configuration without mistakes need not pay

    close = difflib.get_close_matches(name, [*known, *kind.packages, *kind.always], n=1)
    remedy = f"did you mean {close[0]}?" if close else f"install the package that brings it, or unset {variable}"
    return Missing(variable, name, f"{begin}: there is no such {kind.noun} here, {default}", remedy)
