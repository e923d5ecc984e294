"""The filter language: text to syntax tree to SQL. ``docs/filter-language.md`` is its description."""

from spanglass_server.query.errors import FilterError
from spanglass_server.query.language.compiling.compile import CompiledFilter, compile_filter
from spanglass_server.query.language.completion import CompletionContext, Expects, completion_context
from spanglass_server.query.language.expressions import field_expression, numeric_expression
from spanglass_server.query.language.intrinsics import fixed_values, intrinsic_keys
from spanglass_server.query.language.parsing.ast import Filter
from spanglass_server.query.language.parsing.parser import parse_field, parse_filter
from spanglass_server.query.language.parsing.text import format_filter
from spanglass_server.query.language.parsing.tokens import tokens

__all__ = [
    "CompiledFilter",
    "CompletionContext",
    "Expects",
    "Filter",
    "FilterError",
    "compile_filter",
    "completion_context",
    "field_expression",
    "fixed_values",
    "format_filter",
    "intrinsic_keys",
    "numeric_expression",
    "parse_field",
    "parse_filter",
    "tokens",
]
