"""What is compared: each variant is an environment with its packages, a command, and variables."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ENVIRONMENTS = Path(os.environ.get("SPANGLASS_BENCH_DATA", HERE.parent / "out")) / "venvs"

_APP = (
    *("fastapi>=0.120", "flask>=3.1", "django>=5.2,<6"),
    *("uvicorn>=0.50", "uvloop", "httptools", "gunicorn>=23", "sqlalchemy>=2.0,<2.1"),
)
# What `opentelemetry-bootstrap -a requirements` names for this application; both OpenTelemetry and Spanglass get it.
_LIBRARIES = (
    "asyncio",
    "click",
    "dbapi",
    "django",
    "exceptions",
    "fastapi",
    "flask",
    "logging",
    "requests",
    "sqlalchemy",
    "sqlite3",
    "starlette",
    "threading",
    "tortoiseorm",
    "urllib",
    "urllib3",
    "wsgi",
)
# One version for both, the one that is tested here: pip looks for long when it may choose.
_VERSION = version("opentelemetry-instrumentation")
_INSTRUMENTATIONS = tuple(f"opentelemetry-instrumentation-{name}=={_VERSION}" for name in _LIBRARIES)
_SDK = version("opentelemetry-sdk")
_PACKAGES = {
    "bare": (),
    "otel": (
        f"opentelemetry-distro=={_VERSION}",
        f"opentelemetry-exporter-otlp-proto-http=={_SDK}",
        *_INSTRUMENTATIONS,
    ),
    "sentry": ("sentry-sdk",),
    "spanglass": (str(ROOT), f"opentelemetry-sdk=={_SDK}", *_INSTRUMENTATIONS),
}

_GUNICORN = ("-m", "gunicorn", "{shop}", "--bind", "127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "4")
_SERVERS = {
    "fastapi": ("-m", "uvicorn", "{shop}", "--port", "{port}", "--no-access-log", "--log-level", "warning"),
    "flask": (*_GUNICORN, "--keep-alive", "60", "--log-level", "warning"),
    "django": (*_GUNICORN, "--keep-alive", "60", "--log-level", "warning"),
}


@dataclass(frozen=True)
class Variant:
    """One row of the table. ``{sink}`` in a variable's value is the sink's port."""

    name: str
    environment: str
    prefix: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)

    def command(self, framework: str, port: int) -> list[str]:
        """Return the words that start the shop of a framework: one process that serves, four connections at once."""
        place = ENVIRONMENTS / self.environment / "bin"
        words = [part.format(port=port, shop=f"shop_{framework}:app") for part in _SERVERS[framework]]
        if not self.prefix:
            return [str(place / "python"), *words]
        return [str(place / self.prefix[0]), *self.prefix[1:], *_after_prefix(self.prefix[0], place, words)]

    def environ(self, sink: int) -> dict[str, str]:
        """Give the application's variables."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "SPANGLASS_"))}
        return kept | {key: value.format(sink=sink) for key, value in self.variables.items()}


def _after_prefix(program: str, place: Path, words: list[str]) -> list[str]:
    return words if program == "spanglass" else [str(place / "python"), *words]


_OTEL = {
    "OTEL_SERVICE_NAME": "shop",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:{sink}",
}
_SPANGLASS = {"SPANGLASS_ENDPOINT": "http://127.0.0.1:{sink}", "SPANGLASS_SERVICE_NAME": "shop"}

VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("bare", "bare"),
        Variant("opentelemetry", "otel", ("opentelemetry-instrument",), _OTEL),
        Variant("sentry", "sentry", (), {"APP_SETUP": "sentry", "SENTRY_DSN": "http://key@127.0.0.1:{sink}/1"}),
        Variant("spanglass run", "spanglass", ("spanglass", "run"), _SPANGLASS),
        Variant("spanglass.configure()", "spanglass", (), {**_SPANGLASS, "APP_SETUP": "spanglass"}),
    )
}


def prepare(names: list[str]) -> None:
    """Make the environments that are missing, and put the present state of Spanglass into its own."""
    for name in sorted({VARIANTS[each].environment for each in names}):
        place = ENVIRONMENTS / name
        fresh = not (place / "complete").exists()
        if fresh:
            subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
            _pip(place, *_APP, *_PACKAGES[name])
            (place / "complete").touch()
        elif name == "spanglass":
            _pip(place, "--no-deps", "--force-reinstall", str(ROOT))


def _pip(place: Path, *words: str) -> None:
    subprocess.run([place / "bin" / "pip", "install", "-q", "--disable-pip-version-check", *words], check=True)
