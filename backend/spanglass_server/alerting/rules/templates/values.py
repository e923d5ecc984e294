"""What a template is filled in with, and the samples of its queries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.rules.templates.nodes import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Sample:
    """A series of the answer to a ``query``, with its value."""

    labels: Mapping[str, str]
    value: float


def no_query(_: str) -> Sequence[Sample]:
    """Where there is nothing to ask."""
    raise TemplateError("query can't be used here", hint="there is no data at hand")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """What the template of one alert is filled in with; ``query`` is given PromQL, and asks at the alert's time."""

    labels: Mapping[str, str] = field(default_factory=dict)
    value: float | str = 0.0
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""
    query: Callable[[str], Sequence[Sample]] = no_query

    @property
    def dot(self) -> dict[str, Any]:
        """The dot at the beginning: ``.Labels``, ``.Value`` and so on."""
        return {
            "Labels": self.labels,
            "ExternalLabels": self.external_labels,
            "ExternalURL": self.external_url,
            "Value": self.value,
        }


def number_of(value: Any) -> float:
    """A number, or a text that is one."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise TemplateError(f"{value!r} is no number") from None
    raise TemplateError(f"expected a number, not {type(value).__name__}")


def field_of(value: Any, name: str) -> Any:
    """A field of a value: a label ("" if there is none), or that of a sample."""
    if isinstance(value, Sample):
        if name in {"Labels", "Value"}:
            return value.labels if name == "Labels" else value.value
        raise TemplateError(f"a sample has no {name}", hint="it has .Labels and .Value")
    if hasattr(value, "get"):
        if "ExternalURL" in value and name not in value:
            raise TemplateError(f"there is no .{name}", hint=f"there are {', '.join(f'.{each}' for each in value)}")
        return value.get(name, "")
    raise TemplateError(f"{type(value).__name__} has no field {name}")


def is_true(value: Any) -> bool:
    """As in Go's templates: what is empty or zero is not."""
    return bool(value)
