"""Variables put into the texts of a panel, each language in its own way of quoting.

``$name``, ``${name}``, ``${name:format}`` and ``[[name]]`` stand for what a reader chose.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.query.language.parsing.text import quote
from spanglass_server.times import NS_PER_MS, format_time

if TYPE_CHECKING:
    from spanglass_server.dashboards.data.lines import Grid
    from spanglass_server.store.ports import Window

#: What readers choose for all values.
ALL = "$__all"

_PLACE = re.compile(
    r"\$\{(?P<braced>\w+)(?::(?P<format>\w+))?\}|\[\[(?P<square>\w+)(?::(?P<square_format>\w+))?\]\]|\$(?P<plain>\w+)"
)
_TIME_FILTER = re.compile(r"\$__timeFilter\(\s*([^()]+?)\s*\)")
_REGEX_MARKS = re.compile(r"[\\^$.|?*+()\[\]{}]")
#: Series are sent once a minute by most, so that two points are in any two minutes.
_LEAST_RATE_MS = 120_000

Values = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What stands for each variable: its values; whether several are possible; those that ``ALL`` means.

    ``unrestricted`` are those for which ``ALL`` is no condition at all, where a language can say so.
    """

    values: Values
    several: frozenset[str] = frozenset()
    unrestricted: frozenset[str] = frozenset()
    every: Callable[[str], Sequence[str]] = lambda _: ()


@dataclass(frozen=True, slots=True)
class Substitution:
    """Puts the variables of one panel into its texts."""

    chosen: Chosen
    window: Window
    grid: Grid

    def promql(self, text: str) -> str:
        """In PromQL several values, and all of them, are alternatives of a regular expression."""
        return self._put(text, self._promql_value)

    def filter(self, text: str) -> str:
        """In the filter language values are quoted; several stand with commas between, for ``in (...)``."""
        return self._put(text, lambda name: ", ".join(map(quote, self._listed(name))) or quote(""))

    def sql(self, text: str) -> str:
        """In SQL values are string literals; several stand with commas between, for ``IN (...)``."""
        text = _TIME_FILTER.sub(lambda place: f"({place[1]} >= $__from AND {place[1]} < $__to)", text)
        return self._put(text, lambda name: ", ".join(map(_sql_text, self._listed(name))) or "NULL", is_sql=True)

    def text(self, text: str) -> str:
        """In titles and Markdown values stand as they are, with commas between."""
        return self._put(text, lambda name: ", ".join(_shown(value) for value in self.chosen.values[name]))

    def url(self, text: str) -> str:
        """In links values are percent-encoded."""
        return self._put(text, lambda name: _FORMATS["percentencode"](self._listed(name)))

    def _put(self, text: str, value: Callable[[str], str], *, is_sql: bool = False) -> str:
        own = self._sql_own() if is_sql else self._own()

        def put(place: re.Match[str]) -> str:
            name = place["braced"] or place["square"] or place["plain"]
            written = place["format"] or place["square_format"]
            if name in own:
                return own[name]
            if name not in self.chosen.values:
                return place[0]
            return _FORMATS[written](self._listed(name)) if written in _FORMATS else value(name)

        return _PLACE.sub(put, text)

    def _promql_value(self, name: str) -> str:
        values = self.chosen.values[name]
        if ALL in values:
            return ".*" if name in self.chosen.unrestricted else _alternatives(self.chosen.every(name))
        if name in self.chosen.several or len(values) > 1:
            return _alternatives(values)
        return _escaped("".join(values))

    def _listed(self, name: str) -> Sequence[str]:
        values = self.chosen.values[name]
        return self.chosen.every(name) if ALL in values else values

    def _own(self) -> dict[str, str]:
        """Names that every dashboard has."""
        step_ms = self.grid.step_ms
        range_ms = (self.window.end_ns - self.window.start_ns) // NS_PER_MS
        rate_ms = range_ms if self.grid.size == 1 else max(step_ms, _LEAST_RATE_MS)
        return {
            "__interval": _duration(step_ms),
            "__interval_ms": str(step_ms),
            "__rate_interval": _duration(rate_ms),
            "__range": _duration(range_ms),
            "__range_s": str(range_ms // 1000),
            "__range_ms": str(range_ms),
            "__from": str(self.window.start_ns // NS_PER_MS),
            "__to": str(self.window.end_ns // NS_PER_MS),
        }

    def _sql_own(self) -> dict[str, str]:
        start, end = (format_time(at) for at in (self.window.start_ns, self.window.end_ns))
        own = self._own()
        times = {"__from": f"TIMESTAMP_NS '{start[:-1]}'", "__to": f"TIMESTAMP_NS '{end[:-1]}'"}
        return own | times | {"__interval": f"INTERVAL '{self.grid.step_ms} milliseconds'"}


def names_in(text: str) -> set[str]:
    """The names of variables that a text uses, our own too."""
    return {place["braced"] or place["square"] or place["plain"] for place in _PLACE.finditer(text)}


def _duration(milliseconds: int) -> str:
    """As PromQL writes it, which knows whole numbers only."""
    return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 and milliseconds else f"{max(1, milliseconds)}ms"


def _shown(value: str) -> str:
    return "All" if value == ALL else value


def _sql_text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _escaped(value: str) -> str:
    """For a text of PromQL in double quotes."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _regex(value: str) -> str:
    return _REGEX_MARKS.sub(lambda mark: "\\" + mark[0], value)


def _alternatives(values: Sequence[str]) -> str:
    texts = [_escaped(_regex(value)) for value in values]
    return texts[0] if len(texts) == 1 else f"({'|'.join(texts)})"


def _percent_encoded(values: Sequence[str]) -> str:
    from urllib.parse import quote as percent_encode  # noqa: PLC0415 - two functions called quote

    return ",".join(percent_encode(value, safe="") for value in values)


#: ``${name:format}``, as Grafana calls them.
_FORMATS: dict[str, Callable[[Sequence[str]], str]] = {
    "raw": ",".join,
    "csv": ",".join,
    "pipe": "|".join,
    "glob": lambda values: values[0] if len(values) == 1 else "{" + ",".join(values) + "}",
    "regex": lambda values: "(" + "|".join(map(_regex, values)) + ")" if len(values) != 1 else _regex(values[0]),
    "doublequote": lambda values: ",".join(f'"{_escaped(value)}"' for value in values),
    "singlequote": lambda values: ",".join("'" + value.replace("'", "\\'") + "'" for value in values),
    "sqlstring": lambda values: ",".join(map(_sql_text, values)),
    "text": " + ".join,
    "percentencode": _percent_encoded,
}
