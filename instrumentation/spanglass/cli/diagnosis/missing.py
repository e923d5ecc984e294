"""Libraries that are installed and have an instrumentation, which is not: what ``spanglass bootstrap`` installs.

Source: ``opentelemetry.instrumentation.bootstrap_gen``, the list that each release of OpenTelemetry's instrumentations
brings, and what it does not list yet (``_MORE``). An instrumentation of the list pins the base package, which pins the
SDK; and 0.66b2 of the base was released without instrumentations of that version. So there are two ways to name what is
wanted: ``of_this_version``, which changes nothing else and may not exist, and ``of_any_version``, for which the
installer finds versions that fit one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.bootstrap_gen import default_instrumentations, libraries
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from spanglass.instrumentors.discovery import installed
from spanglass.instrumentors.triggers import named_libraries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_PREFIX = "opentelemetry-instrumentation-"

#: What an instrumentation's version decides too, if it is installed.
FOUNDATION = (
    "opentelemetry-api",
    "opentelemetry-sdk",
    "opentelemetry-instrumentation",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-exporter-otlp",
    "opentelemetry-exporter-otlp-proto-grpc",
    "opentelemetry-configuration",
    "opentelemetry-distro",
)

#: Packages that add nothing: what Spanglass does itself, and what others bring along and can't be turned on alone.
_LEFT_OUT = {
    _PREFIX + name for name in ("exceptions", "logging", "structlog", "system-metrics", "asgi", "dbapi", "wsgi")
}

#: Libraries that the list names for the sake of another one, and with instrumentations that are no longer any:
#: openai 3 has no httpx, which openai-v2 imports, and vertexai takes a helper package of which others need a later one.
_MISLEADING = {
    ("pydantic", _PREFIX + "tortoiseorm"),
    ("openai", _PREFIX + "openai-v2"),
    ("google-cloud-aiplatform", _PREFIX + "vertexai"),
}

#: OpenTelemetry's instrumentations of libraries for language models, which are released apart from the others.
_MORE = tuple(
    {"library": library, "instrumentation": _PREFIX + name}
    for library, name in (
        ("agno >= 2.0.0, < 4", "genai-agno"),
        ("anthropic >= 0.51.0, < 3", "genai-anthropic"),
        ("dspy >= 3.3.0, < 4", "genai-dspy"),
        ("google-genai >= 1.32.0, < 3", "google-genai"),
        ("langchain >= 0.3.22, < 2", "genai-langchain"),
        ("llama-index-core >= 0.14.19, < 1", "genai-llama-index"),
        ("openai >= 1.26.0, < 4", "genai-openai"),
        ("openai-agents >= 0.3.3, < 1", "genai-openai-agents"),
        ("portkey-ai >= 1.0.0, < 3", "genai-portkey"),
        ("qwen-agent >= 0.0.20, < 1", "genai-qwen-agent"),
        ("qwenpaw >= 1.1.0, < 2", "genai-qwenpaw"),
        ("smolagents >= 1.24.0, < 2", "genai-smolagents"),
    )
)
_KNOWN = (*libraries, *_MORE)
_APART = {each["instrumentation"] for each in _MORE}


@dataclass(frozen=True, slots=True)
class Missing:
    """A library of which nothing is seen, and the package to install."""

    package: str
    library: str  # "python" for what its standard library has
    library_version: str
    wanted: str

    @property
    def name(self) -> str:
        """The instrumentation's short name, such as ``redis``."""
        return self.package.removeprefix(_PREFIX)

    @property
    def conflict(self) -> str:
        """What to say of a library that is ``unfit``."""
        return f"{self.library} {self.library_version} is installed, and its instrumentation takes {self.wanted}"


def of_this_version(found: Iterable[Missing]) -> list[str]:
    """Name the packages in the version of the installed base package."""
    base = _version("opentelemetry-instrumentation")
    return [each.package if each.package in _APART else f"{each.package}=={base}" for each in found]


def of_any_version(found: Iterable[Missing]) -> list[str]:
    """Name the packages, and what has to fit them."""
    return [*(each.package for each in found), *filter(_version, FOUNDATION)]


def missing(
    known: Iterable[Mapping[str, str]] = _KNOWN, defaults: Iterable[str] = default_instrumentations
) -> list[Missing]:
    """Return what could be installed for the libraries that are here in a version that it takes, by package."""
    found: dict[str, Missing] = {}
    for each in [*_of_python(defaults), *_of_libraries(known)]:
        found.setdefault(each.package, each)  # of several libraries the first: httpx, then httpx2
    return [found[package] for package in sorted(found)]


def unfit(known: Iterable[Mapping[str, str]] = _KNOWN) -> list[Missing]:
    """Return the libraries whose version no instrumentation takes, by package: nothing that can be installed helps."""
    known = list(known)
    taken = {each.package for each in missing(known, ())}
    found = {}
    for library, package in _listed(known):
        found_version = _version(library.name)
        if found_version and package not in taken and _wanted(package) and (library.name, package) not in _MISLEADING:
            found[package] = Missing(package, library.name, found_version, str(library.specifier))
    return [found[package] for package in sorted(found)]


def _of_python(defaults: Iterable[str]) -> Iterator[Missing]:
    for line in defaults:
        package = canonicalize_name(Requirement(line).name)
        if _wanted(package):
            yield Missing(package, "python", "", "")


def _of_libraries(known: Iterable[Mapping[str, str]]) -> Iterator[Missing]:
    for library, package in _listed(known):
        found = _version(library.name)
        if not found or not library.specifier.contains(found, prereleases=True):
            continue
        if _wanted(package) and (library.name, package) not in _MISLEADING:
            yield Missing(package, library.name, found, str(library.specifier))


def _listed(known: Iterable[Mapping[str, str]]) -> Iterator[tuple[Requirement, str]]:
    covered = {canonicalize_name(name) for entry in installed() for name in chain(*named_libraries(entry))}
    for each in known:
        library, package = Requirement(each["library"]), canonicalize_name(Requirement(each["instrumentation"]).name)
        if package not in _APART or canonicalize_name(library.name) not in covered:
            yield library, package  # else somebody else's instrumentation, or a predecessor, was chosen


def _wanted(package: str) -> bool:
    return package not in _LEFT_OUT and not _version(package)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
