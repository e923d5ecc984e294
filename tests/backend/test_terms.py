"""Filters that pages write: they mean what they say, whatever an attribute is called."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spanglass_server.pages.rendering.terms import FIELDS, attribute
from spanglass_server.query.language import parse_filter
from spanglass_server.query.language.parsing.ast import Compare, Field

SCRIPT = Path(__file__).parents[2] / "backend" / "spanglass_server" / "pages" / "static" / "js" / "tokens.js"


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("http.route", "/cart", 'http.route = "/cart"'),
        ("sku", 7, "sku = 7"),
        ("paid", True, "paid = true"),
        ("name", "x", '"name" = "x"'),
        ("time", 5, '"time" = 5'),
        ("status", "half done", '"status" = "half done"'),
        ("service", "web", '"service" = "web"'),
        ("", "x", '"" = "x"'),
        ("or", "x", '"or" = "x"'),
    ],
)
def test_an_attribute_is_meant(key, value, text):
    """A key that is called like a field, or like a word of the language, stands in quotes; texts do always."""
    assert attribute(key, value) == text
    parsed = parse_filter(text)
    assert isinstance(parsed, Compare)
    assert parsed.field == Field(key, quoted=text.startswith('"'))


def test_the_script_knows_the_same_fields():
    """static/js/tokens.js lists the names that pages put in quotes."""
    (names,) = re.findall(r"const FIELDS = new Set\(`([^`]*)`", SCRIPT.read_text())
    assert names.split() == sorted(FIELDS)
