"""The resource: who sends. Attributes follow the conventions for service, deployment, host, process and telemetry.

What OTEL_RESOURCE_ATTRIBUTES says is kept where our settings say nothing.
"""

from __future__ import annotations

import os
import platform
import socket
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import OTELResourceDetector, Resource

from spanglass.identity.release import git_commit
from spanglass.identity.service_name import service_name
from spanglass.values import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass.settings.settings import Settings


def make_resource(settings: Settings, more: Mapping[str, str] | None = None) -> Resource:
    """Build the resource of this process; ``more`` comes from whoever starts us, such as telemetry.auto.version."""
    stated = OTELResourceDetector().detect().attributes
    ours = {
        "service.namespace": settings.service_namespace,
        "service.version": settings.release,
        "deployment.environment.name": settings.environment,
        "service.name": settings.service_name,
    }
    folder = _working_directory()
    found: dict[str, Callable[[], str]] = {
        "service.name": lambda: service_name(sys.orig_argv, folder),
        "service.version": lambda: git_commit(folder),
    }
    attributes: dict[str, str | int] = {name: value for name, value in ours.items() if value}
    attributes |= {
        name: value
        for name, find in found.items()
        if name not in attributes and name not in stated and (value := find())
    }
    made = Resource.create({**_surroundings(), **process_attributes(), **(more or {}), **attributes})
    # names of files and environment variables need not be UTF-8, and what can't be encoded would be left out each time
    texts = {name: text_of(value) for name, value in made.attributes.items() if isinstance(value, str)}
    return made.merge(Resource(texts))


def process_attributes() -> dict[str, int]:
    """Return what a forked child has to say anew."""
    return {"process.pid": os.getpid()}


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was deleted
        return Path("/")


def _surroundings() -> dict[str, str]:
    return {
        "host.name": socket.gethostname(),
        "host.arch": platform.machine(),
        "os.type": sys.platform,
        "process.executable.name": Path(sys.executable).name,
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": platform.python_version(),
        "telemetry.distro.name": "spanglass",
        "telemetry.distro.version": version("spanglass"),
    }
