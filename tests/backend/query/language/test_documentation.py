"""The description of the language says what the code does."""

import re
from pathlib import Path

import pytest

from spanglass_core.units import SIZE_UNITS_BYTES, TIME_UNITS_NS
from spanglass_server.query.language import FilterError, intrinsic_keys, parse_filter
from spanglass_server.query.language.compiling.relations import TRACE_FIELDS
from spanglass_server.query.language.intrinsics import INTRINSICS, SPAN_KINDS, STATUSES
from spanglass_server.query.language.parsing.ast import Operator, Relation
from spanglass_server.query.structure.compiling import check_filter
from spanglass_server.signals import ASKED, POSITIONS, Signal

PAGE = (Path(__file__).parents[4] / "docs" / "filter-language.md").read_text()
EXAMPLES = re.findall(r"```filter\n(.*?)\n```", PAGE, re.DOTALL)
INLINE = [code for code in re.findall(r"`([^`\n]+)`", PAGE) if re.search(r"\w ?(?:[:=~<>]|in \(|exists)[^*]", code)]


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_is_a_filter(text):
    """Each example block parses, and can be asked of the signal it is about."""
    check_filter(parse_filter(text), Signal.LOGS if "severity" in text else Signal.SPANS)


@pytest.mark.parametrize("text", [code for code in INLINE if '"regex"' not in code and "[" not in code])
def test_every_inline_condition_is_a_filter(text):
    """Each condition within the text parses."""
    try:
        parse_filter(text)
    except FilterError as error:
        pytest.fail(f"{text}: {error} (column {error.column})")


def test_there_are_examples():
    """The patterns that pick examples from the page find them."""
    assert len(EXAMPLES) >= 6
    assert "service:check*" in INLINE
    assert "severity >= warn" in INLINE


@pytest.mark.parametrize("name", [*Operator, *TIME_UNITS_NS, *SIZE_UNITS_BYTES, *SPAN_KINDS, *STATUSES])
def test_operators_units_and_names_are_described(name):
    """Every operator, unit and fixed value is on the page."""
    if name == "μs":
        return  # written like µs
    assert re.search(rf"[` ]{re.escape(name)}[` ]", PAGE)


@pytest.mark.parametrize("signal", ASKED)
def test_positions_and_fields_are_described(signal):
    """Every position and every intrinsic field that completion offers is on the page, or is a column's own name."""
    for position in POSITIONS[signal]:
        assert f"`{position}.`" in PAGE
    for key in intrinsic_keys(signal):
        field = INTRINSICS[signal].get(key)
        own_name = field is not None and field.columns == (key,)
        assert own_name or f"`{key}`" in PAGE, key


@pytest.mark.parametrize("name", [*TRACE_FIELDS, *(f"{relation}(filter)" for relation in Relation)])
def test_other_spans_are_described(name):
    """Every relation between spans, and every figure of a trace, is on the page."""
    assert f"| `{name}` |" in PAGE
