"""Parameters of routes: what they are called, how their text becomes a value, and what is said when it does not."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_core.ids import TRACE_ID_FORM, read_trace_id
from spanglass_core.units import UnitError, parse_duration_ns
from spanglass_server.api.errors import ApiError
from spanglass_server.query.window import parse_window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from spanglass_server.api.schema import Schema

#: A handler's parameters by name: values of their kinds, defaults filled in, None for an optional one not given.
#: With ``RANGE`` there is also ``window`` (a Window), and always ``now_ns``; with a body, its JSON is ``body``.
Params = dict[str, Any]

#: Longest text of one parameter; a filter longer than this is a mistake or an attack on the parser.
MAX_TEXT_LENGTH = 16_384


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a route. ``kind`` is a key of ``KINDS``; left out, it is its default.

    It stands in the path or the query, or, as ``header``, is a header of the request.
    """

    name: str
    kind: str
    default: Any = None
    help: str = ""
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    required: bool = False
    header: bool = False

    def parse(self, text: str) -> Any:
        """Read the value of a text; ApiError naming the parameter."""
        if len(text) > MAX_TEXT_LENGTH:
            raise ApiError("bad_request", f"longer than {MAX_TEXT_LENGTH} characters", field=self.name)
        try:
            return KINDS[self.kind].parse(self, text)
        except ValueError as error:
            raise ApiError("bad_request", str(error), field=self.name) from error

    @property
    def schema(self) -> Schema:
        """The parameter's JSON schema."""
        schema: Schema = dict(KINDS[self.kind].schema)
        if self.choices:
            schema["enum"] = list(self.choices)
        if schema["type"] in {"integer", "number"}:
            bounds = {"minimum": self.minimum, "maximum": self.maximum}
            schema.update({key: bound for key, bound in bounds.items() if bound is not None})
        if self.default is not None:
            schema["default"] = self.default
        return schema


@dataclass(frozen=True, slots=True)
class Kind:
    """How the text of a parameter is read (ValueError when it can't be) and described."""

    parse: Callable[[Param, str], Any]
    schema: Schema


def _integer(param: Param, text: str) -> int:
    try:
        value = int(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a whole number") from error
    if not -(2**63) <= value < 2**63:  # what stores can compare with
        raise ValueError(f"{text!r} is outside the whole numbers of 64 bits")
    return int(_within(param, value))


def _number(param: Param, text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a number") from error
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - the test for NaN
        raise ValueError(f"{text!r} is not a finite number")
    return _within(param, value)


def _within(param: Param, value: float) -> float:
    if param.minimum is not None and value < param.minimum:
        raise ValueError(f"{value} is too small; the least is {param.minimum}")
    if param.maximum is not None and value > param.maximum:
        raise ValueError(f"{value} is too large; the most is {param.maximum}")
    return value


def _duration(text: str) -> int:
    try:
        duration_ns = parse_duration_ns(text)
    except UnitError as error:
        raise ValueError(f"{error}; write a number and a unit, such as 250ms, 15m or 2h") from error
    if not 0 <= duration_ns < 2**63:
        raise ValueError(f"{text!r} is outside the durations that a span can have")
    return duration_ns


def _choice(param: Param, text: str) -> str:
    if text not in param.choices:
        raise ApiError("bad_request", f"{text!r} is not one of the choices", field=param.name, expected=param.choices)
    return text


def _trace_id(text: str) -> bytes:
    trace_id = read_trace_id(text)
    if trace_id is None:
        raise ValueError(f"{text!r} is not a trace id; it needs {TRACE_ID_FORM}")
    return bytes.fromhex(trace_id)


def _keys(param: Param, text: str) -> list[str]:
    keys = list(dict.fromkeys(key for part in text.split(",") if (key := part.strip())))
    if param.maximum is not None and len(keys) > param.maximum:
        raise ValueError(f"{len(keys)} keys are too many; the most is {param.maximum}")
    return keys


#: Kinds of parameters. ``time`` stays text: what it means depends on its range (``window.parse_window``).
KINDS = {
    "text": Kind(lambda _, text: text, {"type": "string"}),
    "filter": Kind(lambda _, text: text, {"type": "string", "description": "filter language"}),
    "cursor": Kind(lambda _, text: text, {"type": "string"}),
    "time": Kind(lambda _, text: text, {"type": "string"}),
    "integer": Kind(_integer, {"type": "integer"}),
    "number": Kind(_number, {"type": "number"}),
    "duration": Kind(lambda _, text: _duration(text), {"type": "string", "examples": ["150ms"]}),
    "choice": Kind(_choice, {"type": "string"}),
    "keys": Kind(_keys, {"type": "string", "description": "comma-separated keys"}),
    "trace_id": Kind(lambda _, text: _trace_id(text), {"type": "string", "pattern": "^([0-9a-fA-F]{16}){1,2}$"}),
}

#: The range of a question. A route that has these gets ``window`` instead of the three.
RANGE = (
    Param("start", "time", help="Begin: RFC 3339, Unix time in digits, or relative like now-15m."),
    Param("end", "time", help="End, not included; now unless said."),
    Param("last", "time", help="Instead of start: a duration before the end, like 1h. Default: 1h."),
)
FILTER = Param("filter", "filter", help="Only records that match, in the filter language.")
CURSOR_PARAM = Param("cursor", "cursor", help="next_cursor of the page before.")
ORDER = Param("order", "choice", "desc", "Direction: desc is newest or largest first.", choices=("desc", "asc"))


def id_param(name: str) -> Param:
    """Declare the parameter of an id that the server counts, called as what it is of."""
    return Param(name, "integer", help=f"The {name}'s id.", minimum=1, maximum=(1 << 63) - 1)


def limit_param(default: int, maximum: int = 1000) -> Param:
    """Declare the parameter ``limit``."""
    return Param("limit", "integer", default, "Most results to return.", minimum=1, maximum=maximum)


def format_param(own: str, message: str, *others: str) -> Param:
    """Declare the parameter ``format`` of a route that answers in forms of its own, or as a message of OTLP/JSON."""
    forms = ", ".join((own, *others))
    return Param(
        "format", "choice", own, f"{forms}, or otlp for {message} of OTLP/JSON.", choices=(own, *others, "otlp")
    )


def read_params(declared: Sequence[Param], given: Iterable[tuple[str, str]], now_ns: int) -> Params:
    """Values of all declared parameters from the texts given (path and query); ApiError naming the one at fault.

    A text of nothing counts as not given, so that a form may send its empty fields.
    """
    texts = _unique(declared, given)
    params: Params = {"now_ns": now_ns}
    for param in declared:
        if param.name in texts:
            params[param.name] = param.parse(texts[param.name])
        elif param.required:
            raise ApiError("bad_request", f"the parameter {param.name} is missing", field=param.name, hint=param.help)
        else:
            params[param.name] = param.default
    if set(RANGE) <= set(declared):
        range_texts = {param.name: params.pop(param.name) for param in RANGE}
        params["window"] = parse_window(now_ns, **range_texts)
    return params


def _unique(declared: Sequence[Param], given: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Collect the texts by name; ApiError for a name that is not declared or comes twice."""
    names = [param.name for param in declared]
    texts: dict[str, str] = {}
    for name, text in given:
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(names) or 'none'}"
            raise ApiError("bad_request", f"there is no parameter {name!r} here", field=name, hint=hint)
        if name in texts:
            raise ApiError("bad_request", f"the parameter {name} is given twice", field=name)
        if text.strip():
            texts[name] = text
    return texts
