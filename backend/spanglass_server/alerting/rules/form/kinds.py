"""Kinds of values that only alert rules have: conditions, thresholds with units, severities, templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_core.alerting.conditions.numbers import read_number
from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_core.alerting.conditions.problems import ConditionError
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.rules.templates.nodes import TemplateError
from spanglass_server.alerting.rules.templates.parsing import parse_template
from spanglass_server.forms.kinds import FAILED, Choice, Text, described

if TYPE_CHECKING:
    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report


class Condition:
    """A condition, whose mistakes are told of where they stand in the file."""

    schema: Final = {"type": "string", "examples": ["error_rate > 0.05"]}

    def __init__(self) -> None:
        self._text = Text(may_be_empty=False)

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = self._text.read(node, report)
        if text is FAILED:
            return FAILED
        try:
            parse_condition(text)
        except ConditionError as error:
            report_within(node, report, error.column, error.message, error.hint)
            return FAILED
        return text

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        return self._text.write(value, full=full)


class Template:
    """A text with ``{{ ... }}`` in it."""

    schema: Final = {"type": "string"}

    def __init__(self) -> None:
        self._text = Text()

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = self._text.read(node, report)
        if text is FAILED:
            return FAILED
        try:
            parse_template(text)
        except TemplateError as error:
            report_within(node, report, error.column, error.message, error.hint)
            return FAILED
        return text

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        return self._text.write(value, full=full)


class Level:
    """A threshold in base units (seconds, bytes, ratios): ``800ms``, ``85%``, ``1.5GB``, ``100/s``, ``5``."""

    schema: Final = {"type": ["number", "string", "null"], "examples": ["800ms", "85%", 5]}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if node.sort == "null":
            return None
        if node.sort not in {"number", "text"}:
            report.add(node, f"expected a number, not {described(node)}", "with a unit if need be: 800ms, 85%, 1.5GB")
            return FAILED
        text = node.text.strip()
        sign, digits = (-1, text[1:].strip()) if text.startswith("-") else (1, text.removeprefix("+"))
        try:
            number = read_number(digits, 1)
        except ConditionError as error:
            report.add(node, error.message, error.hint or _WRITE_IT)
            return FAILED
        except ValueError:
            report.add(node, f"{text!r} is no number", _WRITE_IT)
            return FAILED
        return sign * number.value

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return int(value) if value is not None and float(value).is_integer() and abs(value) < _MANY else value


_MANY = 10**15
_WRITE_IT = "write a number with its unit: 800ms, 85%, 1.5GB"


class Severe(Choice):
    """A severity."""

    def __init__(self) -> None:
        super().__init__(*map(str, Severity))

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        word = super().read(node, report)
        return word if word is FAILED else Severity(word)

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return str(value)


class Share:
    """A number from 0 to 1, or a percentage."""

    schema: Final = {"type": ["number", "string"], "examples": ["5%"]}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        text = node.text.strip() if node.sort in {"number", "text"} else ""
        try:
            value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            value = -1.0
        if not 0 <= value < 1:
            report.add(node, f"expected a share such as 5% or 0.05, not {described(node)}", "0 to less than 1")
            return FAILED
        return value

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return value


def report_within(node: Node, report: Report, column: int, message: str, hint: str) -> None:
    """Tell of a problem at a column, from 1, of a node's text; where its place is not known, within the message."""
    if node.text_column and column:
        report.add_at(node.path, (node.line, node.text_column + column - 1), message, hint)
    else:
        report.add(node, f"{message} (at character {column})" if column else message, hint)
