"""What is compared: each variant is an environment with its packages, a command, and variables."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ENVIRONMENTS = Path(os.environ.get("SPANGLASS_BENCH_DATA", HERE.parent / "out")) / "venvs"

_APP = ("fastapi>=0.120", "uvicorn>=0.50", "uvloop", "httptools", "sqlalchemy>=2.0,<2.1")
# What `opentelemetry-bootstrap -a requirements` names for this application; both OpenTelemetry and Spanglass get it.
_LIBRARIES = (
    "asyncio",
    "click",
    "dbapi",
    "exceptions",
    "fastapi",
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
_INSTRUMENTATIONS = tuple(f"opentelemetry-instrumentation-{name}" for name in _LIBRARIES)
# One resolution for both: of the SDK's releases the newest that the instrumentations take.
_PACKAGES = {
    "bare": (),
    "otel": ("opentelemetry-distro", "opentelemetry-exporter-otlp-proto-http", *_INSTRUMENTATIONS),
    "sentry": ("sentry-sdk",),
    "spanglass": (str(ROOT), *_INSTRUMENTATIONS),
}


@dataclass(frozen=True)
class Variant:
    """One row of the table. ``{sink}`` in a variable's value is the sink's port."""

    name: str
    environment: str
    prefix: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)

    def command(self, port: int) -> list[str]:
        """Give the words that start the application."""
        place = ENVIRONMENTS / self.environment / "bin"
        words = ["-m", "uvicorn", "shop:app", "--port", str(port), "--no-access-log", "--log-level", "warning"]
        words += ["--app-dir", str(HERE)]
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
